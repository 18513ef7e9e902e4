#include "connect/mqtt/mqtt_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "connect/mqtt/mqtt_connection.h"

namespace ficus::connect {
namespace {

constexpr Micros kSecond = Micros::from_seconds(1);
constexpr std::uint64_t kBatchItemsMax = 2048;
constexpr std::size_t kBatchBytesMax = std::size_t{1} << 20;
// What one turn writes down is one step of the log; with so much it is written before the turn
// ends.
constexpr std::size_t kFactsBytesMax = std::size_t{8} << 20;
// Of a CONNECT: a stranger may not make us keep more. Its largest fields have 64 KiB each.
constexpr std::size_t kConnectBytesMax = 256 << 10;
// What a connection may keep of input beside one packet.
constexpr std::size_t kInputBytesMore = 64 << 10;

}  // namespace

MqttServer::MqttServer(const MqttServerParts& parts, const MqttServerOptions& options)
    : parts_(parts),
      options_(options),
      state_({.session_messages_max = options.session_messages_max,
              .session_bytes_max = options.session_bytes_max,
              .queued_bytes_max = options.queued_bytes_max,
              .retained = {.count_max = options.retained_messages_max,
                           .bytes_max = options.retained_bytes_max},
              .session_expiry_max = options.session_expiry_max}),
      routes_(state_.tree(), parts_.sources),
      second_(parts.loop) {}

MqttServer::~MqttServer() = default;

Result<std::unique_ptr<MqttServer>> MqttServer::open(const MqttServerParts& parts,
                                                     const CommitLogOptions& log_options,
                                                     const MqttServerOptions& options) {
  std::unique_ptr<MqttServer> server(new MqttServer(parts, options));
  FICUS_TRY_VOID(server->open_log(log_options));
  if (options.listens) {
    net::TcpListenOptions listen;
    listen.connections_max = options.connections_max;
    FICUS_TRY(server->listener_,
              net::TcpListener::open(parts.loop, options.address, listen,
                                     [raw = server.get()](std::unique_ptr<net::Connection> tcp) {
                                       raw->accept(std::move(tcp));
                                     }));
  }
  server->second_.start_repeating(kSecond, [raw = server.get()] { raw->tick(); });
  return server;
}

Status MqttServer::open_log(const CommitLogOptions& log_options) {
  FICUS_TRY(log_, CommitLog::open(parts_.disk, parts_.logger, parts_.data_directory + "/log/broker",
                                  {}, log_options, state_, [this] {
                                    if (progress_posted_.exchange(true)) return;
                                    parts_.loop.post([this] { on_durable(); });
                                  }));
  begin_turn();
  state_.all_offline(now_);
  // Whatever the engine may not have heard; it knows what it has.
  for (const auto& [number, held] : state_.held()) held_.push_back({number, 0});
  end_turn_later();
  parts_.logger.info("mqtt", "recovered",
                     {{"sessions", std::to_string(state_.session_count())},
                      {"retained", std::to_string(state_.retained().size())}});
  return {};
}

std::size_t MqttServer::first_packet_bytes_max() const {
  return std::min(options_.packet_bytes_max, kConnectBytesMax);
}

std::size_t MqttServer::input_bytes_max(std::size_t packet_bytes_max) {
  return packet_bytes_max + kInputBytesMore;
}

void MqttServer::accept(std::unique_ptr<net::Connection> link) {
  if (is_draining_ || connections_.size() >= options_.connections_max) {
    ++counts_.connections_refused;
    return;  // closes it
  }
  ++counts_.connections_accepted;
  link->set_input_bytes_max(input_bytes_max(first_packet_bytes_max()));
  connections_.push_back(
      std::make_unique<MqttConnection>(*this, std::move(link), parts_.clock.monotonic()));
  MqttConnection& connection = *connections_.back();
  connection.place = std::prev(connections_.end());
  connection.start();
}

void MqttServer::remove(MqttConnection& connection) {
  std::erase(held_back_, &connection);
  std::erase(waiting_, &connection);
  std::erase(waiting_to_send_, &connection);
  std::erase(with_more_to_send_, &connection);
  connections_.erase(connection.place);
}

void MqttServer::begin_turn() {
  now_ = parts_.clock.now();
  is_intake_closed_ = parts_.ingest.refusal().has_value();
}

std::string MqttServer::new_client_id() {
  while (true) {
    std::string id = fmt::format("auto-{:x}-{}", now_.micros, ++next_assigned_id_);
    if (state_.find(id) == nullptr) return id;
  }
}

// ---- messages into the engine

bool MqttServer::is_for_source(const mqtt::Publish& publish, const Route& route) {
  // An empty retained message only takes an earlier one back (3.3.1.3): it observes nothing.
  return route.source != nullptr && !(publish.retain && publish.payload.empty());
}

MqttServer::Gathering& MqttServer::gather(const mqtt::Publish& publish, const Route& route,
                                          Timestamp received_at) {
  const Source& source = *route.source;
  std::unique_ptr<Gathering>& gathering = gatherings_[source.id];
  if (gathering == nullptr) gathering = std::make_unique<Gathering>(source.id, next_batch_++);
  source.declaration.mapping->map(
      {.key = publish.topic,
       .placeholders = route.placeholders,
       .payload = {reinterpret_cast<const char*>(publish.payload.data()), publish.payload.size()},
       .received_at = received_at},
      scratch_, gathering->builder);
  return *gathering;
}

std::uint64_t MqttServer::ingest(const mqtt::Publish& publish, const Route& route,
                                 const std::shared_ptr<ReplyGroup>& group) {
  if (!is_for_source(publish, route)) return 0;
  Gathering& gathering = gather(publish, route, now_);
  const std::uint64_t batch = gathering.batch;
  const bool waits = group != nullptr && publish.qos != mqtt::Qos::at_most_once;
  if (waits && (gathering.waiting.empty() || gathering.waiting.back() != group)) {
    ++group->batches_left;
    gathering.waiting.push_back(group);
  }
  if (gathering.builder.item_count() >= kBatchItemsMax ||
      gathering.builder.bytes() >= kBatchBytesMax) {
    hand_over(gathering);
  }
  end_turn_later();
  return batch;
}

void MqttServer::hold(const MessagePtr& message) {
  held_.push_back({state_.hold(message, now_), state_.record()});
}

// Each with the time it was received at first: should the engine have it already, from before the
// process died, it recognises the repetition.
void MqttServer::hand_over_held() {
  while (!held_.empty() && held_.front().record <= durable_record_) {
    if (parts_.ingest.is_congested() || is_intake_closed_) return;
    const std::uint64_t number = held_.front().number;
    held_.pop_front();
    const auto found = state_.held().find(number);
    if (found == state_.held().end()) continue;
    const HeldMessage& held = found->second;
    const mqtt::Publish& publish = held.message->publish();
    const Route& route = routes_.find(publish.topic);
    if (route.source == nullptr) {  // its source was configured away
      state_.handed_over(number);
      continue;
    }
    Gathering& gathering = gather(publish, route, held.received_at);
    gathering.held.push_back(number);
    if (gathering.builder.item_count() >= kBatchItemsMax) hand_over(gathering);
    end_turn_later();
  }
}

void MqttServer::on_handed_over(const std::vector<std::uint64_t>& held, bool has_failed) {
  for (const std::uint64_t number : held) {
    if (has_failed) {
      held_failed_.push_back({number, 0});
    } else {
      state_.handed_over(number);
    }
  }
  if (state_.has_facts()) end_turn_later();
}

void MqttServer::hand_over(Gathering& gathering) {
  std::vector<std::shared_ptr<ReplyGroup>> waiting;
  waiting.swap(gathering.waiting);
  std::vector<std::uint64_t> held;
  held.swap(gathering.held);
  const std::uint64_t batch = std::exchange(gathering.batch, next_batch_++);
  if (gathering.builder.empty()) {
    // A payload may yield no item at all (an empty array): there is nothing to wait for.
    for (const auto& group : waiting) --group->batches_left;
    return on_handed_over(held, false);
  }
  parts_.ingest.submit(
      gathering.builder.take(parts_.ingest.now()),
      [this, batch, waiting = std::move(waiting), held = std::move(held)](const Status& status) {
        // A full twin or an unusable id has refused and counted some items, durably: that is an
        // answer. What could not be made durable must not be acknowledged.
        const bool has_failed = !status && status.error().code != ErrorCode::overloaded &&
                                status.error().code != ErrorCode::invalid_input;
        for (const auto& group : waiting) {
          --group->batches_left;
          if (has_failed) group->failed.push_back(batch);
        }
        on_handed_over(held, has_failed);
        end_turn_later();
      });
}

// ---- the broker's log

void MqttServer::wait_for_facts(const std::shared_ptr<ReplyGroup>& group) {
  if (group->waits_for_log) group->broker_end = log_->end();
  if (!state_.has_facts() && (unwritten_.empty() || !group->waits_for_log)) return;
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
  hand_over_held();
  flush();
  release_waiting();
  std::vector<MqttConnection*> to_send;
  to_send.swap(with_more_to_send_);
  if (!to_send.empty()) begin_turn();
  for (MqttConnection* const connection : to_send) {
    connection->has_more_to_send = false;
    connection->send_queued();
  }
  resume_held();
}

void MqttServer::take_facts() {
  if (!state_.has_facts()) return;
  const std::uint64_t step = state_.record();
  for (std::string& record : state_.take_facts()) unwritten_.push_back({std::move(record), 0});
  unwritten_.back().step = step;
}

// Every record in its order into the log; one that finds no room waits for the next try.
Status MqttServer::write_facts() {
  take_facts();
  while (!unwritten_.empty()) {
    const Unwritten& next = unwritten_.front();
    FICUS_TRY(const log::Position end, log_->append(parts_.clock.now(), next.record));
    if (next.step != 0) steps_.push_back({next.step, end});
    unwritten_.pop_front();
  }
  return {};
}

void MqttServer::flush() {
  if (!state_.has_facts() && unwritten_.empty() && !is_stalled_) return;
  const bool was_stalled = is_stalled_;
  Status status;
  std::size_t left = 0;
  do {  // a step may be longer than the log's buffer
    take_facts();
    left = unwritten_.size();
    status = write_facts();
    if (const Status written = log_->commit(); !written) {
      status = written;
      break;
    }
  } while (!status && unwritten_.size() < left);
  is_stalled_ = !status;
  if (is_stalled_ != was_stalled) {
    if (is_stalled_) {
      parts_.logger.error("mqtt", "the broker's log cannot be written: new messages are refused",
                          {{"error", status.error().message}});
    } else {
      parts_.logger.info("mqtt", "the broker's log can be written again", {});
    }
  }
  if (!unwritten_.empty()) return;
  for (const auto& group : waiting_for_flush_) {
    group->waits_for_flush = false;
    group->broker_end = log_->end();
  }
  waiting_for_flush_.clear();
}

bool MqttServer::has_many_facts() const { return state_.facts_bytes() >= kFactsBytesMax; }

void MqttServer::flush_if_large() {
  if (has_many_facts()) flush();
}

void MqttServer::on_durable() {
  progress_posted_.store(false);
  begin_turn();
  const log::Position durable = log_->acknowledged();
  while (!steps_.empty() && steps_.front().end <= durable) {
    durable_record_ = steps_.front().number;
    steps_.pop_front();
  }
  release_waiting();
  std::vector<MqttConnection*> to_send;
  to_send.swap(waiting_to_send_);
  for (MqttConnection* const connection : to_send) {
    connection->waits_to_send = false;
    connection->send_queued();
  }
  hand_over_held();
  if (state_.has_facts()) end_turn_later();
  snapshot_if_due();
  resume_held();
}

void MqttServer::wake_when_durable(MqttConnection& connection) {
  // It asks again at each message that joins its queue.
  if (std::exchange(connection.waits_to_send, true)) return;
  waiting_to_send_.push_back(&connection);
  end_turn_later();
}

void MqttServer::send_more_later(MqttConnection& connection) {
  if (std::exchange(connection.has_more_to_send, true)) return;
  with_more_to_send_.push_back(&connection);
  end_turn_later();
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

bool MqttServer::must_hold_back() const { return parts_.ingest.is_congested() || is_draining_; }

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

void MqttServer::snapshot_if_due() {
  if (!waiting_snapshot_ && log_->snapshot_due() && !state_.has_facts() && unwritten_.empty()) {
    waiting_snapshot_.emplace(log_->end(), state_.encode());
  }
  if (!waiting_snapshot_ || log_->durable() < waiting_snapshot_->first) return;
  log_->write_snapshot(waiting_snapshot_->first, write_all(std::move(waiting_snapshot_->second)));
  waiting_snapshot_.reset();
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
  flush();
  FICUS_TRY_VOID(write_facts());
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
  counts.messages_dropped.add(state_.counts().messages_dropped);
  counts.messages_expired = state_.counts().messages_expired;
  counts.retained_refused = state_.counts().retained_refused;
  counts.retained_bytes = state_.retained().bytes();
  counts.queued_bytes = state_.queued_bytes();
  counts.messages_held = state_.held().size();
  counts.is_storage_full = refuses();
  return counts;
}

}  // namespace ficus::connect
