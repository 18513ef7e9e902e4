#include "connect/mqtt/mqtt_connection.h"

#include <algorithm>

#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"
#include "connect/mqtt/mqtt_server.h"

namespace ficus::connect {

using mqtt::PacketId;
using mqtt::ProtocolVersion;
using mqtt::Qos;
using mqtt::ReasonCode;

namespace {

// A client that sends faster than the device syncs is read no further than this many turns ahead.
constexpr std::size_t kRepliesWaitingMax = 64;
// Of retained messages to one client in a row; then others have their turn.
constexpr int kSharesOfRetained = 20;

}  // namespace

MqttConnection::MqttConnection(MqttServer& server, std::unique_ptr<net::Connection> link,
                               Micros now)
    : server_(server), link_(std::move(link)), last_heard_(now) {}

MqttConnection::~MqttConnection() = default;

// ---- packets in

std::size_t MqttConnection::on_bytes(std::span<const std::byte> bytes) {
  server_.begin_turn();
  const Micros now = server_.parts_.clock.monotonic();
  // The time for a CONNECT runs from the connection on, however slowly its bytes trickle in.
  if (session_ != nullptr) last_heard_ = now;
  std::size_t used = 0;
  while (!is_ending_ && !is_logging_in_ && used < bytes.size()) {
    const auto rest = bytes.subspan(used);
    const std::size_t bytes_max =
        session_ == nullptr ? server_.first_packet_bytes_max() : server_.options_.packet_bytes_max;
    const auto decoded = mqtt::decode(rest, version_, bytes_max);
    if (!decoded) {
      if (decoded.error() == mqtt::DecodeError::incomplete) break;
      on_decode_error(decoded.error(), rest);
      break;
    }
    used += decoded->bytes;
    last_heard_ = now;
    received_ = rest.first(decoded->bytes);
    if (const auto failure = handle(decoded->packet)) {
      if (is_failure(failure->reason)) ++server_.counts_.protocol_errors;
      end(*failure);
    } else if (is_logging_in_) {
      connecting_.assign(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(decoded->bytes));
    }
    // A message for many sessions writes much: the turn becomes several records.
    if (server_.has_many_facts()) server_.wait_for_facts(replies_.open());
  }
  finish_turn();
  if (is_ending_) return bytes.size();
  if (server_.must_hold_back() || is_behind()) server_.hold_back(*this);
  return used;
}

void MqttConnection::finish_turn() {
  if (!replies_.has_open()) return;
  server_.wait_for_facts(replies_.open());
  replies_.complete_open();
  const bool was_waiting = replies_.size() > 1;
  release(server_.log_->acknowledged());
  if (has_replies() && !was_waiting) server_.waiting_.push_back(this);
}

bool MqttConnection::is_behind() const {
  return replies_.size() > kRepliesWaitingMax || link_->is_congested();
}

void MqttConnection::go_on() {
  if (is_logging_in_) return;
  last_heard_ = server_.parts_.clock.monotonic();  // we did not listen, so nothing was missed
  link_->resume_reading();
}

void MqttConnection::on_decode_error(mqtt::DecodeError error, std::span<const std::byte> rest) {
  ++server_.counts_.protocol_errors;
  const Failure failure{reason_code(error), mqtt::decode_error_text(error)};
  server_.parts_.logger.warning(
      "mqtt", "malformed packet",
      {{"peer", link_->peer().text()}, {"reason", std::string(failure.text)}});
  if (session_ == nullptr) {
    // Answered in the form of the version that the CONNECT claims, as far as there is one
    // (3.1.2.2).
    const auto level = mqtt::connect_protocol_level(rest);
    version_ = level.value_or(4) >= 5 ? ProtocolVersion::v5 : ProtocolVersion::v3_1_1;
    if (level) return refuse_connect(failure);
  }
  end(failure);
}

MqttConnection::Outcome MqttConnection::handle(const mqtt::Packet& packet) {
  if (const auto* const publish = std::get_if<mqtt::Publish>(&packet); publish && session_) {
    return on_publish(*publish);
  }
  const bool is_connect = std::holds_alternative<mqtt::Connect>(packet);
  // The first packet is a CONNECT, and no other is (3.1).
  if (is_connect != (session_ == nullptr)) {
    return Failure{ReasonCode::protocol_error,
                   is_connect ? "a second CONNECT" : "CONNECT comes first"};
  }
  if (is_connect) return on_connect(std::get<mqtt::Connect>(packet));
  if (const auto* const pubrel = std::get_if<mqtt::Pubrel>(&packet)) {
    on_pubrel(*pubrel);
    return std::nullopt;
  }
  if (const auto* const subscribe = std::get_if<mqtt::Subscribe>(&packet)) {
    return on_subscribe(*subscribe);
  }
  if (const auto* const unsubscribe = std::get_if<mqtt::Unsubscribe>(&packet)) {
    return on_unsubscribe(*unsubscribe);
  }
  if (std::holds_alternative<mqtt::Pingreq>(packet)) {
    send(mqtt::Pingresp{});
    return std::nullopt;
  }
  if (const auto* const disconnect = std::get_if<mqtt::Disconnect>(&packet)) {
    return on_disconnect(*disconnect);
  }
  return handle_answer(packet);
}

MqttConnection::Outcome MqttConnection::handle_answer(const mqtt::Packet& packet) {
  BrokerState& state = server_.state_;
  if (const auto* const puback = std::get_if<mqtt::Puback>(&packet)) {
    state.acknowledge(*session_, puback->packet_id);
  } else if (const auto* const pubrec = std::get_if<mqtt::Pubrec>(&packet)) {
    if (is_failure(pubrec->reason)) {
      // It will not have it: done ([MQTT-4.4.0-2]), for other members of a group too.
      state.acknowledge(*session_, pubrec->packet_id);
    } else {
      // The PUBREL leaves when it is durable that the message must not be sent again.
      const bool is_known = state.take(*session_, pubrec->packet_id);
      reply(mqtt::Pubrel{
          .packet_id = pubrec->packet_id,
          .reason = is_known ? ReasonCode::success : ReasonCode::packet_identifier_not_found,
          .properties = {}});
    }
  } else if (const auto* const pubcomp = std::get_if<mqtt::Pubcomp>(&packet)) {
    state.complete(*session_, pubcomp->packet_id);
  } else {
    return Failure{ReasonCode::protocol_error, "a packet that only a server sends, or AUTH"};
  }
  if (state.has_facts()) server_.end_turn_later();
  send_queued();
  return std::nullopt;
}

MqttConnection::Outcome MqttConnection::on_disconnect(const mqtt::Disconnect& disconnect) {
  if (const auto seconds = disconnect.properties.session_expiry_interval_s) {
    if (!session_->is_persistent() && *seconds > 0) {
      return Failure{ReasonCode::protocol_error, "the session's expiry was 0 at CONNECT"};
    }
    server_.state_.set_expiry(*session_, session_expiry(*seconds));
  }
  if (disconnect.reason == ReasonCode::success) server_.state_.remove_will(session_->client_id());
  is_ending_ = true;
  leave_session();
  link_->close();
  return std::nullopt;
}

// ---- answers

void MqttConnection::reply(const mqtt::Packet& packet) {
  // An answer that the client would find too large is left out, as 3.1.2.11.4 demands.
  (void)mqtt::encode(packet, version_, packet_bytes_max_, replies_.open()->bytes);
}

void MqttConnection::send(const mqtt::Packet& packet) {
  server_.packet_.clear();
  if (!mqtt::encode(packet, version_, packet_bytes_max_, server_.packet_)) return;
  link_->send_beyond_limit(
      std::string(reinterpret_cast<const char*>(server_.packet_.data()), server_.packet_.size()));
}

std::optional<std::string_view> MqttConnection::reason_string(std::string_view text) const {
  if (text.empty() || !wants_problem_information_) return std::nullopt;
  return text;
}

void MqttConnection::release(log::Position durable) {
  while (const std::shared_ptr<ReplyGroup> group = replies_.take(durable)) {
    if (!group->failed.empty()) {
      if (version_ == ProtocolVersion::v3_1_1) return end({ReasonCode::quota_exceeded});
      refuse_publishes(*group);
    }
    if (!group->bytes.empty()) {
      link_->send_beyond_limit(
          std::string(reinterpret_cast<const char*>(group->bytes.data()), group->bytes.size()));
    }
    unanswered_ -= std::min(unanswered_, group->publishes_answered);
    if (group->makes_ready) {
      is_ready_ = true;
      send_queued();
    }
  }
}

// ---- messages to the client

void MqttConnection::send_now(const MessagePtr& message, bool retain,
                              const mqtt::SubscriptionIdBuffer& subscription_ids) {
  if (!takes_now()) return count_dropped();
  const Sending sending{.version = version_,
                        .retain = retain,
                        .subscription_ids = &subscription_ids,
                        .packet_bytes_max = packet_bytes_max_};
  server_.packet_.clear();
  // Larger than the client takes: discarded as if sent (3.1.2.11.4).
  if (!message->append_to(sending, server_.now_, server_.packet_)) return;
  if (!link_->send(server_.packet_)) return count_dropped();
  ++server_.counts_.messages_sent;
}

void MqttConnection::send_plain(PlainPublish& message) {
  if (!takes_now()) return count_dropped();
  const std::span<const std::byte> packet = message.packet(version_);
  // Larger than the client takes, or not to be said in its version: discarded as if sent
  // (3.1.2.11.4).
  if (packet.empty() || packet.size() > packet_bytes_max_) return;
  if (!link_->send(packet)) return count_dropped();
  ++server_.counts_.messages_sent;
}

void MqttConnection::count_dropped() {
  ++session_->dropped;
  server_.counts_.messages_dropped.add(DropCause::slow_client);
}

void MqttConnection::send_queued() {
  if (!is_ready_ || session_ == nullptr) return;
  // Retained messages for a new subscription come as there is room for them, in shares.
  for (int share = 0; share < kSharesOfRetained; ++share) {
    send_waiting();
    if (session_->retained_wishes.empty() || link_->is_congested() ||
        !server_.state_.fetch_retained(*session_, server_.now_)) {
      if (server_.state_.has_facts()) server_.end_turn_later();
      return;
    }
  }
  server_.send_more_later(*this);
}

void MqttConnection::send_waiting() {
  Session& session = *session_;
  BrokerState& state = server_.state_;
  while (session.has_waiting() && !link_->is_congested()) {
    QueuedMessage& next = session.queue[session.in_flight];
    if (next.message == nullptr) {  // the client took it on an earlier connection (4.4)
      send(mqtt::Pubrel{.packet_id = next.packet_id()});
      ++session.in_flight;
      continue;
    }
    if (!next.was_sent && next.message->is_expired(server_.now_)) {
      state.drop_expired(session, server_.now_);
      continue;
    }
    const bool is_acknowledged = next.qos != Qos::at_most_once;
    if (is_acknowledged) {
      if (session.in_flight >= receive_maximum_ || !session.has_free_identifier()) return;
      if (next.record > server_.durable_record_) return server_.wake_when_durable(*this);
    }
    const Sending sending{.version = version_,
                          .qos = next.qos,
                          .retain = next.retain,
                          .dup = is_acknowledged && next.was_sent,  // (3.3.1.1)
                          .packet_id = is_acknowledged ? next.packet_id() : PacketId::none,
                          .subscription_ids = &next.subscription_ids,
                          .packet_bytes_max = packet_bytes_max_};
    server_.packet_.clear();
    if (next.message->append_to(sending, server_.now_, server_.packet_)) {
      if (!link_->send(server_.packet_)) return;
      ++server_.counts_.messages_sent;
      if (is_acknowledged) {
        next.was_sent = true;
        ++session.in_flight;
        continue;
      }
    }
    state.drop_next(session);  // sent for good, or larger than the client takes
  }
}

void MqttConnection::on_writable() {
  server_.begin_turn();
  send_queued();
  server_.end_turn_later();  // it may have been held back for its full output
}

// ---- the end

void MqttConnection::end(Failure failure) {
  if (is_ending_) return;
  is_ending_ = true;
  if (session_ != nullptr) {
    // Not before the CONNACK ([MQTT-3.14.0-1]).
    if (is_ready_ && version_ == ProtocolVersion::v5 &&
        is_reason_allowed(mqtt::PacketType::disconnect, failure.reason)) {
      mqtt::Disconnect disconnect{.reason = failure.reason, .properties = {}};
      disconnect.properties.reason_string = reason_string(failure.text);
      send(disconnect);
    }
    leave_session();
  }
  link_->close();
}

void MqttConnection::say_goodbye() {
  if (is_ending_) return;
  is_ending_ = true;
  if (is_ready_ && version_ == ProtocolVersion::v5) {
    send(mqtt::Disconnect{.reason = ReasonCode::server_shutting_down, .properties = {}});
  }
  link_->close();
}

void MqttConnection::leave_session() {
  if (session_ == nullptr) return;
  Session& session = *session_;
  session_ = nullptr;
  is_ready_ = false;
  // One time for both: a will without delay is due now, not when the next turn begins.
  server_.begin_turn();
  const std::string client_id = session.client_id();
  server_.state_.go_offline(session, server_.now_);
  server_.publish_due_will(client_id);
  server_.note_subscriptions_changed();
  server_.end_turn_later();
}

void MqttConnection::on_closed(const Error&) {
  if (!is_ending_ || !server_.is_draining_) {
    leave_session();
  } else if (session_ != nullptr) {
    session_->connection = nullptr;  // the session stays as it is: the brain stops
  }
  server_.remove(*this);  // destroys this
}

bool MqttConnection::is_overdue(Micros now, Micros connect_timeout) const {
  if (is_ending_) return false;
  // It may have spoken: we do not listen. Unless that is since it takes nothing of what we send.
  if (link_->is_reading_paused() && !link_->is_congested()) return false;
  if (session_ == nullptr) return now - last_heard_ > connect_timeout;
  if (keep_alive_.count == 0) return false;
  return now - last_heard_ > Micros{keep_alive_.count + keep_alive_.count / 2};
}

}  // namespace ficus::connect
