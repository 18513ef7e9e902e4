#include "connect/mqtt/mqtt_connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"
#include "codec/mqtt/topic.h"
#include "connect/mqtt/mqtt_server.h"

namespace ficus::connect {
namespace {

using mqtt::PacketId;
using mqtt::ProtocolVersion;
using mqtt::Qos;
using mqtt::ReasonCode;

// A client that sends faster than the device syncs is read no further than this many turns ahead.
constexpr std::size_t kRepliesWaitingMax = 64;
// Topics under which only the brain itself speaks.
constexpr std::string_view kOwnTopics = "ficus/";
// MQTT 5.0, 3.1.2.11.2: this expiry means "never"; 3.1.1 sessions that are not clean have no expiry
// either.
constexpr std::uint32_t kNeverExpires = 0xffffffff;
constexpr Micros kNever{INT64_MAX / 2};

Micros expiry_of(const mqtt::Connect& connect) {
  if (connect.version == ProtocolVersion::v3_1_1) return connect.clean_start ? Micros{} : kNever;
  const std::uint32_t seconds = connect.properties.session_expiry_interval_s.value_or(0);
  return seconds == kNeverExpires ? kNever : Micros::from_seconds(seconds);
}

// Where no client may publish: under our own topics and the server's ('$', 4.7.2).
bool is_reserved(std::string_view topic) {
  return topic.starts_with(kOwnTopics) || topic.starts_with('$');
}

}  // namespace

MqttConnection::MqttConnection(MqttServer& server, std::unique_ptr<net::Connection> tcp, Micros now)
    : server_(server), tcp_(std::move(tcp)), last_heard_(now) {}

MqttConnection::~MqttConnection() = default;

std::size_t MqttConnection::on_bytes(std::span<const std::byte> bytes) {
  last_heard_ = server_.parts_.clock.monotonic();
  std::size_t used = 0;
  while (!is_ending_ && used < bytes.size()) {
    const auto rest = bytes.subspan(used);
    const auto decoded = mqtt::decode(rest, version_, server_.options_.packet_bytes_max);
    if (!decoded) {
      if (decoded.error() == mqtt::DecodeError::incomplete) break;
      on_decode_error(decoded.error(), rest);
      break;
    }
    used += decoded->bytes;
    if (const auto failure = handle(decoded->packet)) {
      if (is_failure(*failure)) ++server_.counts_.protocol_errors;
      end(*failure);
    }
  }
  if (replies_.has_open()) {
    server_.wait_for_facts(replies_.open());
    replies_.complete_open();
    const bool was_waiting = replies_.size() > 1;
    release(server_.log_->acknowledged());
    if (has_replies() && !was_waiting) server_.waiting_.push_back(this);
  }
  if (is_ending_) return bytes.size();
  if (server_.must_hold_back() || is_behind()) server_.hold_back(*this);
  return used;
}

bool MqttConnection::is_behind() const {
  return replies_.size() > kRepliesWaitingMax || tcp_->is_congested();
}

void MqttConnection::go_on() {
  last_heard_ = server_.parts_.clock.monotonic();  // we did not listen, so nothing was missed
  tcp_->resume_reading();
}

void MqttConnection::on_decode_error(mqtt::DecodeError error, std::span<const std::byte> rest) {
  ++server_.counts_.protocol_errors;
  server_.parts_.logger.warning(
      "mqtt", "malformed packet",
      {{"peer", tcp_->peer().text()}, {"reason", mqtt::decode_error_text(error)}});
  if (session_ == nullptr) {
    // Answered in the form of the version that the CONNECT claims, as far as there is one
    // (3.1.2.2).
    const auto level = mqtt::connect_protocol_level(rest);
    version_ = level.value_or(4) >= 5 ? ProtocolVersion::v5 : ProtocolVersion::v3_1_1;
    if (level) return refuse_connect(reason_code(error));
  }
  end(reason_code(error));
}

std::optional<ReasonCode> MqttConnection::handle(const mqtt::Packet& packet) {
  const bool is_connect = std::holds_alternative<mqtt::Connect>(packet);
  // The first packet is a CONNECT, and no other is (3.1).
  if (is_connect != (session_ == nullptr)) return ReasonCode::protocol_error;
  if (is_connect) return on_connect(std::get<mqtt::Connect>(packet));
  if (const auto* const publish = std::get_if<mqtt::Publish>(&packet)) return on_publish(*publish);
  if (const auto* const puback = std::get_if<mqtt::Puback>(&packet)) {
    server_.state_.acknowledge(*session_, puback->packet_id);
    if (server_.state_.has_facts()) server_.end_turn_later();
    send_queued();
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
  return ReasonCode::protocol_error;  // QoS 2 steps, AUTH, and packets that only a server sends
}

void MqttConnection::refuse_connect(ReasonCode reason) {
  ++server_.counts_.connections_refused;
  send(mqtt::Connack{.session_present = false, .reason = reason, .properties = {}});
  is_ending_ = true;
  tcp_->close();
}

void MqttConnection::take_over(std::string_view client_id) {
  Session* const session = server_.state_.find(client_id);
  if (session == nullptr || session->connection == nullptr) return;
  static_cast<MqttConnection*>(session->connection)->end(ReasonCode::session_taken_over);
}

std::optional<ReasonCode> MqttConnection::on_connect(const mqtt::Connect& connect) {
  version_ = connect.version;
  if (connect.properties.authentication_method) {
    refuse_connect(ReasonCode::bad_authentication_method);
    return std::nullopt;
  }
  if (connect.will && connect.will->qos == Qos::exactly_once) {
    refuse_connect(ReasonCode::qos_not_supported);
    return std::nullopt;
  }
  if (connect.will && is_reserved(connect.will->topic)) {
    refuse_connect(ReasonCode::not_authorized);
    return std::nullopt;
  }
  std::string client_id(connect.client_id);
  const bool is_assigned = client_id.empty();
  if (is_assigned) {
    client_id =
        fmt::format("auto-{:x}-{}", server_.parts_.clock.now().micros, ++server_.next_assigned_id_);
  }
  take_over(client_id);
  const auto opened = server_.state_.open(client_id, connect.clean_start, expiry_of(connect));
  if (!opened) {
    refuse_connect(ReasonCode::quota_exceeded);
    return std::nullopt;
  }
  session_ = opened->session;
  session_->connection = this;
  keep_alive_ = Micros::from_seconds(connect.keep_alive_s);
  receive_maximum_ = connect.properties.receive_maximum.value_or(65'535);
  packet_bytes_max_ = connect.properties.packet_bytes_max.value_or(0xffffffff);
  if (connect.will) {
    will_ = Message::create({.qos = connect.will->qos,
                             .retain = connect.will->retain,
                             .topic = connect.will->topic,
                             .packet_id = PacketId::none,
                             .payload = connect.will->payload});
  }
  mqtt::Connack connack{
      .session_present = opened->was_present, .reason = ReasonCode::success, .properties = {}};
  if (version_ == ProtocolVersion::v5) {
    connack.properties.maximum_qos = Qos::at_least_once;
    connack.properties.packet_bytes_max =
        static_cast<std::uint32_t>(server_.options_.packet_bytes_max);
    connack.properties.subscription_id_available = false;
    connack.properties.shared_subscription_available = false;
    if (is_assigned) connack.properties.assigned_client_id = client_id;
    const std::uint32_t wished = connect.properties.session_expiry_interval_s.value_or(0);
    const auto granted = static_cast<std::uint32_t>(session_->expiry.count / 1'000'000);
    if (wished != granted) connack.properties.session_expiry_interval_s = granted;
  }
  replies_.open()->makes_ready = true;
  reply(connack);
  server_.parts_.logger.debug("mqtt", "client connected",
                              {{"client", client_id}, {"peer", tcp_->peer().text()}});
  return std::nullopt;
}

std::optional<ReasonCode> MqttConnection::on_publish(const mqtt::Publish& publish) {
  if (publish.qos == Qos::exactly_once) return ReasonCode::qos_not_supported;
  // No alias is offered in CONNACK, so none may be used (3.3.2.3.4).
  if (publish.properties.topic_alias) return ReasonCode::topic_alias_invalid;
  if (!publish.properties.subscription_ids.empty()) return ReasonCode::protocol_error;
  ++server_.counts_.messages_received;
  ReasonCode reason = ReasonCode::success;
  const std::shared_ptr<ReplyGroup> group = replies_.open();
  if (is_reserved(publish.topic)) {
    reason = ReasonCode::not_authorized;
  } else {
    server_.ingest(publish, group);
    const bool has_subscriber = server_.state_.has_subscriber(publish.topic);
    if (publish.retain || has_subscriber) {
      const MessagePtr message = Message::create(publish);
      if (message == nullptr) return ReasonCode::packet_too_large;
      server_.state_.publish(message, session_);
    }
  }
  if (publish.qos == Qos::at_least_once) acknowledge(publish.packet_id, reason);
  return std::nullopt;
}

void MqttConnection::acknowledge(PacketId packet_id, ReasonCode reason) {
  // 3.1.1 has no way to refuse a PUBLISH but to end the connection (3.3.5); the message is dropped
  // instead.
  if (reason == ReasonCode::success || version_ == ProtocolVersion::v3_1_1) {
    mqtt::encode_puback(packet_id, replies_.open()->bytes);
  } else {
    reply(mqtt::Puback{.packet_id = packet_id, .reason = reason, .properties = {}});
  }
}

ReasonCode MqttConnection::subscribe_one(const mqtt::Subscription& wish) {
  const auto filter = mqtt::parse_filter(wish.filter);
  if (!filter) return ReasonCode::topic_filter_invalid;
  if (filter->is_shared()) return ReasonCode::shared_subscriptions_not_supported;
  const SubscriptionOptions options{.qos = std::min(wish.qos_max, Qos::at_least_once),
                                    .no_local = wish.no_local,
                                    .retain_as_published = wish.retain_as_published};
  bool is_new = false;
  if (!server_.state_.subscribe(*session_, wish.filter, options, is_new)) {
    return ReasonCode::quota_exceeded;
  }
  const bool wants_retained = wish.retain_handling == mqtt::RetainHandling::send_at_subscribe ||
                              (wish.retain_handling == mqtt::RetainHandling::send_if_new && is_new);
  if (wants_retained) server_.state_.send_retained(*session_, wish.filter, options);
  return static_cast<ReasonCode>(options.qos);  // granted QoS 0 and 1 are 0x00 and 0x01
}

std::optional<ReasonCode> MqttConnection::on_subscribe(const mqtt::Subscribe& subscribe) {
  if (subscribe.properties.subscription_id) {
    return ReasonCode::subscription_identifiers_not_supported;
  }
  std::vector<ReasonCode> reasons;
  for (const mqtt::Subscription& wish : subscribe.subscriptions) {
    reasons.push_back(subscribe_one(wish));
  }
  server_.note_subscriptions_changed();
  reply(mqtt::Suback{.packet_id = subscribe.packet_id,
                     .properties = {},
                     .reasons = mqtt::ReasonCodes(std::span<const ReasonCode>(reasons))});
  return std::nullopt;
}

std::optional<ReasonCode> MqttConnection::on_unsubscribe(const mqtt::Unsubscribe& unsubscribe) {
  std::vector<ReasonCode> reasons;
  for (const std::string_view filter : unsubscribe.filters) {
    reasons.push_back(server_.state_.unsubscribe(*session_, filter)
                          ? ReasonCode::success
                          : ReasonCode::no_subscription_existed);
  }
  server_.note_subscriptions_changed();
  reply(mqtt::Unsuback{.packet_id = unsubscribe.packet_id,
                       .properties = {},
                       .reasons = mqtt::ReasonCodes(std::span<const ReasonCode>(reasons))});
  return std::nullopt;
}

std::optional<ReasonCode> MqttConnection::on_disconnect(const mqtt::Disconnect& disconnect) {
  if (disconnect.reason != ReasonCode::disconnect_with_will) will_.reset();
  if (const auto seconds = disconnect.properties.session_expiry_interval_s) {
    if (!session_->is_persistent() && *seconds > 0) return ReasonCode::protocol_error;
    server_.state_.set_expiry(*session_,
                              *seconds == kNeverExpires ? kNever : Micros::from_seconds(*seconds));
  }
  is_ending_ = true;
  leave_session();
  tcp_->close();
  return std::nullopt;
}

void MqttConnection::reply(const mqtt::Packet& packet) {
  // An answer that the client would find too large is left out, as 3.1.2.11.4 demands.
  (void)mqtt::encode(packet, version_, packet_bytes_max_, replies_.open()->bytes);
}

void MqttConnection::send(const mqtt::Packet& packet) {
  server_.packet_.clear();
  if (!mqtt::encode(packet, version_, packet_bytes_max_, server_.packet_)) return;
  tcp_->send_beyond_limit(
      std::string(reinterpret_cast<const char*>(server_.packet_.data()), server_.packet_.size()));
}

void MqttConnection::release(log::Position durable) {
  while (const std::shared_ptr<ReplyGroup> group = replies_.take(durable)) {
    if (group->has_failed) return end(ReasonCode::unspecified_error);
    if (!group->bytes.empty()) {
      tcp_->send_beyond_limit(
          std::string(reinterpret_cast<const char*>(group->bytes.data()), group->bytes.size()));
    }
    if (group->makes_ready) {
      is_ready_ = true;
      send_queued();
    }
  }
}

void MqttConnection::send_now(const MessagePtr& message, bool retain) {
  const mqtt::PublishImage* const image = message->image(version_, Qos::at_most_once, retain);
  // Larger than the client takes: discarded as if sent (3.1.2.11.4).
  if (image == nullptr || image->bytes() > packet_bytes_max_) return;
  server_.packet_.clear();
  image->append_to(server_.packet_, PacketId::none);
  if (!is_ready_ || tcp_->is_congested() || !tcp_->send(server_.packet_)) {
    ++session_->dropped;
    ++server_.counts_.messages_dropped;
    return;
  }
  ++server_.counts_.messages_sent;
}

void MqttConnection::send_queued() {
  if (!is_ready_ || session_ == nullptr) return;
  Session& session = *session_;
  while (session.in_flight < session.queue.size() && !tcp_->is_congested()) {
    QueuedMessage& next = session.queue[session.in_flight];
    const bool is_acknowledged = next.qos != Qos::at_most_once;
    if (is_acknowledged && session.in_flight >= receive_maximum_) return;
    const mqtt::PublishImage* const image = next.message->image(version_, next.qos, next.retain);
    server_.packet_.clear();
    if (image != nullptr && image->bytes() <= packet_bytes_max_) {
      const bool is_repeated = next.packet_id != PacketId::none;  // then it carries DUP (3.3.1.1)
      if (is_acknowledged && !is_repeated) next.packet_id = session.next_packet_id();
      image->append_to(server_.packet_, next.packet_id, is_acknowledged && is_repeated);
      if (!tcp_->send(server_.packet_)) {
        if (!is_repeated) next.packet_id = PacketId::none;
        return;
      }
      ++server_.counts_.messages_sent;
      if (is_acknowledged) {
        ++session.in_flight;
        continue;
      }
    }
    server_.state_.drop_next(session);  // sent for good, or larger than the client takes
  }
}

void MqttConnection::on_writable() {
  send_queued();
  server_.end_turn_later();  // it may have been held back for its full output
}

void MqttConnection::end(ReasonCode reason) {
  if (is_ending_) return;
  is_ending_ = true;
  if (session_ != nullptr) {
    if (version_ == ProtocolVersion::v5 &&
        is_reason_allowed(mqtt::PacketType::disconnect, reason)) {
      send(mqtt::Disconnect{.reason = reason, .properties = {}});
    }
    publish_will();
    leave_session();
  }
  tcp_->close();
}

void MqttConnection::say_goodbye() {
  if (is_ending_) return;
  is_ending_ = true;
  will_.reset();
  if (session_ != nullptr && version_ == ProtocolVersion::v5) {
    send(mqtt::Disconnect{.reason = ReasonCode::server_shutting_down, .properties = {}});
  }
  tcp_->close();
}

void MqttConnection::publish_will() {
  if (will_ == nullptr) return;
  const MessagePtr will = std::move(will_);
  will_.reset();
  server_.ingest(will->publish(), nullptr);
  server_.state_.publish(will, session_);
}

void MqttConnection::leave_session() {
  if (session_ == nullptr) return;
  Session& session = *session_;
  session_ = nullptr;
  is_ready_ = false;
  server_.state_.go_offline(session, server_.parts_.clock.now());
  server_.note_subscriptions_changed();
  server_.end_turn_later();
}

void MqttConnection::on_closed(const Error&) {
  publish_will();
  leave_session();
  server_.remove(*this);  // destroys this
}

bool MqttConnection::is_overdue(Micros now, Micros connect_timeout) const {
  // It may have spoken: we do not listen. Unless that is since it takes nothing of what we send.
  if (tcp_->is_reading_paused() && !tcp_->is_congested()) return false;
  if (session_ == nullptr) return now - last_heard_ > connect_timeout;
  if (keep_alive_.count == 0) return false;
  return now - last_heard_ > Micros{keep_alive_.count + keep_alive_.count / 2};
}

}  // namespace ficus::connect
