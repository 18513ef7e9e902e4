#include "connect/mqtt/mqtt_server.h"

#include <algorithm>

#include "connect/mqtt/mqtt_connection.h"

namespace ficus::connect {
namespace {

constexpr Micros kSecond = Micros::from_seconds(1);
constexpr std::uint64_t kBatchItemsMax = 2048;
constexpr std::size_t kBatchBytesMax = std::size_t{1} << 20;
// What one turn writes down is one record of the log; so much is written before the turn ends, as a
// record has a limit.
constexpr std::size_t kFactsBytesMax = std::size_t{8} << 20;

}  // namespace

MqttServer::MqttServer(const MqttServerParts& parts, const MqttServerOptions& options)
    : parts_(parts),
      options_(options),
      state_({.session_messages_max = options.session_messages_max,
              .session_bytes_max = options.session_bytes_max,
              .retained_messages_max = options.retained_messages_max,
              .session_expiry_max = options.session_expiry_max}),
      second_(parts.loop) {}

MqttServer::~MqttServer() = default;

Result<std::unique_ptr<MqttServer>> MqttServer::open(const MqttServerParts& parts,
                                                     const CommitLogOptions& log_options,
                                                     const MqttServerOptions& options) {
  std::unique_ptr<MqttServer> server(new MqttServer(parts, options));
  FICUS_TRY_VOID(server->open_log(log_options));
  net::TcpListenOptions listen;
  listen.connections_max = options.connections_max;
  listen.connection.input_bytes_max = options.packet_bytes_max + (64 << 10);
  FICUS_TRY(server->listener_,
            net::TcpListener::open(parts.loop, options.address, listen,
                                   [raw = server.get()](std::unique_ptr<net::Connection> tcp) {
                                     raw->accept(std::move(tcp));
                                   }));
  server->second_.start_repeating(kSecond, [raw = server.get()] { raw->on_second(); });
  return server;
}

Status MqttServer::open_log(const CommitLogOptions& log_options) {
  FICUS_TRY(log_, CommitLog::open(parts_.disk, parts_.logger, parts_.data_directory + "/log/broker",
                                  {}, log_options, state_, [this] {
                                    if (progress_posted_.exchange(true)) return;
                                    parts_.loop.post([this] { on_durable(); });
                                  }));
  state_.all_offline(parts_.clock.now());
  parts_.logger.info("mqtt", "recovered",
                     {{"sessions", std::to_string(state_.session_count())},
                      {"retained", std::to_string(state_.retained().size())}});
  return {};
}

void MqttServer::accept(std::unique_ptr<net::Connection> tcp) {
  ++counts_.connections_accepted;
  connections_.push_back(
      std::make_unique<MqttConnection>(*this, std::move(tcp), parts_.clock.monotonic()));
  MqttConnection& connection = *connections_.back();
  connection.place = std::prev(connections_.end());
  connection.start();
}

void MqttServer::remove(MqttConnection& connection) {
  std::erase(held_back_, &connection);
  std::erase(waiting_, &connection);
  connections_.erase(connection.place);
}

void MqttServer::ingest(const mqtt::Publish& publish, const std::shared_ptr<ReplyGroup>& group) {
  // An empty retained message only takes an earlier one back (3.3.1.3): it observes nothing.
  if (publish.retain && publish.payload.empty()) return;
  const Source* const source = parts_.sources.find_by_topic(publish.topic, placeholders_);
  if (source == nullptr) return;
  std::unique_ptr<Gathering>& gathering = gatherings_[source->id];
  if (gathering == nullptr) gathering = std::make_unique<Gathering>(source->id);
  source->declaration.mapping->map(
      {.key = publish.topic,
       .placeholders = placeholders_,
       .payload = {reinterpret_cast<const char*>(publish.payload.data()), publish.payload.size()},
       .received_at = parts_.ingest.now()},
      scratch_, gathering->builder);
  const bool waits = group != nullptr && publish.qos != mqtt::Qos::at_most_once;
  if (waits && (gathering->waiting.empty() || gathering->waiting.back() != group)) {
    ++group->batches_left;
    gathering->waiting.push_back(group);
  }
  if (gathering->builder.item_count() >= kBatchItemsMax ||
      gathering->builder.bytes() >= kBatchBytesMax) {
    hand_over(*gathering);
  }
  end_turn_later();
}

void MqttServer::hand_over(Gathering& gathering) {
  if (gathering.builder.empty()) {
    // A payload may yield no item at all (an empty array): there is nothing to wait for.
    for (const auto& group : gathering.waiting) --group->batches_left;
    gathering.waiting.clear();
    return;
  }
  std::vector<std::shared_ptr<ReplyGroup>> waiting;
  waiting.swap(gathering.waiting);
  parts_.ingest.submit(gathering.builder.take(parts_.ingest.now()),
                       [this, waiting = std::move(waiting)](const Status& status) {
                         for (const auto& group : waiting) {
                           --group->batches_left;
                           // A full twin or an unusable id has refused and counted some items,
                           // durably: that is an answer. What could not be made durable must not be
                           // acknowledged.
                           if (!status && status.error().code != ErrorCode::overloaded &&
                               status.error().code != ErrorCode::invalid_input) {
                             group->has_failed = true;
                           }
                         }
                         end_turn_later();
                       });
}

void MqttServer::wait_for_facts(const std::shared_ptr<ReplyGroup>& group) {
  if (!state_.has_facts()) return;
  group->waits_for_flush = true;
  waiting_for_flush_.push_back(group);
  flush_if_large();
  end_turn_later();
}

void MqttServer::end_turn_later() {
  if (end_of_turn_posted_) return;
  end_of_turn_posted_ = true;
  parts_.loop.post([this] { end_turn(); });
}

void MqttServer::end_turn() {
  end_of_turn_posted_ = false;
  for (const auto& [source, gathering] : gatherings_) hand_over(*gathering);
  flush();
  release_waiting();
  resume_held();
}

void MqttServer::flush() {
  if (state_.has_facts()) {
    const auto end = log_->append(parts_.clock.now(), state_.take_facts());
    if (!end) {
      // The buffer is full since the disk is: those who wait must not be told that it is safe.
      parts_.logger.error("mqtt", "cannot append to the broker's log",
                          {{"error", end.error().message}});
      for (const auto& group : waiting_for_flush_) group->has_failed = true;
    }
    for (const auto& group : waiting_for_flush_) {
      group->waits_for_flush = false;
      group->broker_end = log_->end();
    }
    waiting_for_flush_.clear();
    is_stalled_ = true;  // until it is written
  }
  if (!is_stalled_) return;
  const Status written = log_->commit();
  is_stalled_ = !written;
}

void MqttServer::flush_if_large() {
  if (state_.facts_bytes() >= kFactsBytesMax) flush();
}

void MqttServer::on_durable() {
  progress_posted_.store(false);
  release_waiting();
  snapshot_if_due();
  resume_held();
}

void MqttServer::release_waiting() {
  const log::Position durable = log_->acknowledged();
  // No connection is destroyed by what its release leads to: that happens later, on a turn of its
  // own.
  std::erase_if(waiting_, [&](MqttConnection* connection) {
    connection->release(durable);
    return !connection->has_replies();
  });
}

void MqttServer::note_subscriptions_changed() {
  if (on_subscriptions_changed_) on_subscriptions_changed_();
}

bool MqttServer::must_hold_back() const {
  return parts_.ingest.is_congested() || is_stalled_ || is_draining_;
}

void MqttServer::hold_back(MqttConnection& connection) {
  connection.hold_back();
  if (std::find(held_back_.begin(), held_back_.end(), &connection) == held_back_.end()) {
    held_back_.push_back(&connection);
  }
  if (parts_.ingest.is_congested() && !room_awaited_) {
    room_awaited_ = true;
    parts_.ingest.on_room([this] {
      room_awaited_ = false;
      end_turn_later();
    });
  }
}

void MqttServer::resume_held() {
  if (held_back_.empty() || must_hold_back()) return;
  std::vector<MqttConnection*> held;
  held.swap(held_back_);
  for (MqttConnection* const connection : held) {
    // Its own turn comes when it can be written again, or when its answers have left.
    if (connection->is_behind()) {
      held_back_.push_back(connection);
    } else {
      connection->go_on();
    }
  }
}

void MqttServer::on_second() {
  const Micros now = parts_.clock.monotonic();
  std::vector<MqttConnection*> overdue;
  for (const auto& connection : connections_) {
    if (connection->is_overdue(now, options_.connect_timeout)) overdue.push_back(connection.get());
  }
  for (MqttConnection* const connection : overdue) {
    connection->end(mqtt::ReasonCode::keep_alive_timeout);
  }
  state_.expire(parts_.clock.now());
  log_->mark_if_idle(parts_.clock.now());
  if (state_.has_facts() || is_stalled_ || !held_back_.empty()) end_turn_later();
}

void MqttServer::snapshot_if_due() {
  if (!waiting_snapshot_ && log_->snapshot_due() && !state_.has_facts()) {
    waiting_snapshot_.emplace(log_->end(), state_.encode());
  }
  if (!waiting_snapshot_ || log_->durable() < waiting_snapshot_->first) return;
  log_->write_snapshot(waiting_snapshot_->first, std::move(waiting_snapshot_->second));
  waiting_snapshot_.reset();
}

void MqttServer::publish(std::string_view topic, std::string_view payload) {
  const MessagePtr message =
      Message::create({.qos = mqtt::Qos::at_least_once,
                       .topic = topic,
                       .packet_id = mqtt::PacketId{1},
                       .payload = mqtt::Bytes(std::as_bytes(std::span(payload)))});
  if (message == nullptr) return;
  state_.publish(message, nullptr);
  flush_if_large();
  if (state_.has_facts()) end_turn_later();
}

void MqttServer::drain() {
  is_draining_ = true;
  listener_.reset();
  end_turn();
  for (const auto& connection : connections_) connection->hold_back();
}

void MqttServer::say_goodbye() {
  release_waiting();
  for (const auto& connection : connections_) connection->say_goodbye();
}

Status MqttServer::close() {
  while (!connections_.empty()) connections_.pop_front();
  if (state_.has_facts()) FICUS_TRY_VOID(log_->append(parts_.clock.now(), state_.take_facts()));
  FICUS_TRY_VOID(log_->commit());
  FICUS_TRY_VOID(log_->close(parts_.clock.now()));
  return {};
}

MqttServerCounts MqttServer::counts() const {
  MqttServerCounts counts = counts_;
  counts.connections = connections_.size();
  counts.sessions = state_.session_count();
  counts.retained_messages = state_.retained().size();
  counts.subscriptions = state_.tree().size();
  counts.messages_dropped += state_.counts().messages_dropped;
  return counts;
}

}  // namespace ficus::connect
