// Messages from the client (MQTT 5.0, 3.3 to 3.7 and 4.3).

#include <algorithm>

#include "access/access_control.h"
#include "base/utf8.h"
#include "codec/mqtt/encoder.h"
#include "connect/mqtt/mqtt_connection.h"
#include "connect/mqtt/mqtt_server.h"

namespace ficus::connect {

using mqtt::PacketId;
using mqtt::ProtocolVersion;
using mqtt::Qos;
using mqtt::ReasonCode;

// A topic alias stands for a name that was said with it before on this connection (3.3.2.3.4).
MqttConnection::Outcome MqttConnection::find_topic(const mqtt::Publish& publish,
                                                   std::string_view& topic) {
  topic = publish.topic;
  if (!publish.properties.topic_alias) return std::nullopt;
  const std::size_t alias = *publish.properties.topic_alias;
  if (alias > server_.options_.topic_alias_max) {
    return Failure{ReasonCode::topic_alias_invalid, "a topic alias above the maximum"};
  }
  if (aliases_.size() < alias) aliases_.resize(alias);
  std::string& known = aliases_[alias - 1];
  if (!topic.empty()) {
    known = topic;
  } else if (known.empty()) {
    return Failure{ReasonCode::protocol_error, "a topic alias that stands for nothing yet"};
  }
  topic = known;
  return std::nullopt;
}

MqttConnection::Outcome MqttConnection::on_publish(const mqtt::Publish& received) {
  std::string_view topic;
  if (const Outcome fault = find_topic(received, topic)) return fault;
  if (!received.properties.subscription_ids.empty()) {
    return Failure{ReasonCode::protocol_error, "a subscription identifier from a client"};
  }
  ++server_.counts_.messages_received;
  batch_ = 0;
  const bool is_repeated =
      received.qos == Qos::exactly_once && session_->has_received(received.packet_id);
  if (is_repeated) {
    // The PUBREC for the first may have been lost; it promises what may not be durable yet.
    replies_.open()->waits_for_log = true;
    acknowledge(received, {ReasonCode::success});
    return std::nullopt;
  }
  if (received.qos != Qos::at_most_once && ++unanswered_ > server_.options_.receive_maximum &&
      version_ == ProtocolVersion::v5) {
    return Failure{ReasonCode::receive_maximum_exceeded, "more than the receive maximum in flight"};
  }
  mqtt::Publish publish = received;
  publish.topic = topic;
  Failure outcome = find_fault(publish);
  const std::shared_ptr<ReplyGroup> group = replies_.open();
  if (!is_failure(outcome.reason)) outcome = accept(publish, group);
  if (is_failure(outcome.reason)) {
    ++server_.counts_.messages_refused;
    // 3.1.1 cannot refuse a PUBLISH but by ending the connection (its 3.3.5), which is done where
    // the client may try again later; what it has no right to is acknowledged and forgotten.
    if (version_ == ProtocolVersion::v3_1_1 && outcome.reason != ReasonCode::not_authorized &&
        publish.qos != Qos::at_most_once) {
      return outcome;
    }
    if (version_ == ProtocolVersion::v3_1_1) outcome.reason = ReasonCode::success;
  }
  if (publish.qos != Qos::at_most_once) acknowledge(publish, outcome);
  return std::nullopt;
}

MqttConnection::Failure MqttConnection::find_fault(const mqtt::Publish& publish) {
  if (is_reserved_topic(publish.topic)) {
    return {ReasonCode::not_authorized, "only the brain itself publishes under ficus/ and $"};
  }
  if (principal_ != nullptr && !principal_->may_publish(publish.topic, session_->client_id())) {
    if (!was_denied_) {
      was_denied_ = true;  // once a connection: a device may try for ever
      (void)server_.parts_.access->deny(principal_.get(), link_->peer().text(), publish.topic,
                                        "publish");
    }
    return {ReasonCode::not_authorized, "no right to publish to this topic"};
  }
  if (publish.properties.payload_is_utf8.value_or(false) &&
      !is_valid_utf8(
          {reinterpret_cast<const char*>(publish.payload.data()), publish.payload.size()})) {
    return {ReasonCode::payload_format_invalid, "the payload is not UTF-8 as it says"};
  }
  if (server_.refuses() && (publish.qos != Qos::at_most_once || publish.retain)) {
    return {ReasonCode::quota_exceeded, "the server's disk is full: nothing can be kept"};
  }
  return {ReasonCode::success};
}

// Takes the message over: subscribers, retained messages, the engine.
MqttConnection::Failure MqttConnection::accept(const mqtt::Publish& publish,
                                               const std::shared_ptr<ReplyGroup>& group) {
  const Route& route = server_.routes_.find(publish.topic);
  const bool is_kept = publish.retain || publish.qos == Qos::exactly_once ||
                       std::min(publish.qos, route.qos_max) != Qos::at_most_once;
  if (is_kept || !route.is_plain) return accept_kept(publish, route, group);
  // Nobody keeps it and everybody gets the same: no message of its own has to be made.
  batch_ = server_.ingest(publish, route, group);
  if (!route.has_subscriber) return {ReasonCode::success};
  server_.plain_.begin(publish, received_, version_);
  for (Session* const session : route.sessions) {
    if (session->connection != nullptr) session->connection->send_plain(server_.plain_);
  }
  return {ReasonCode::success};
}

MqttConnection::Failure MqttConnection::accept_kept(const mqtt::Publish& publish,
                                                    const Route& route,
                                                    const std::shared_ptr<ReplyGroup>& group) {
  BrokerState& state = server_.state_;
  // For those who cannot take it nothing is made: one that is stopped costs the others nothing.
  const bool is_passed_on = publish.retain || (route.has_subscriber &&
                                               server_.has_taker(route, publish.qos, session_, 1));
  // Of a session that is kept, a QoS 2 message goes to the engine by way of our own log: the two
  // logs cannot be written in one, and so it happens once whenever the process dies.
  const bool is_held = publish.qos == Qos::exactly_once && session_->is_persistent() &&
                       MqttServer::is_for_source(publish, route);
  MessagePtr message;
  if (is_passed_on || is_held) {
    message = Message::create(publish, server_.now_);
    if (message == nullptr) return {ReasonCode::packet_too_large};
  }
  if (publish.retain && version_ == ProtocolVersion::v5 && publish.qos != Qos::at_most_once &&
      !state.has_room_to_retain(*message, server_.now_)) {
    return {ReasonCode::quota_exceeded, "no room for another retained message"};
  }
  if (publish.qos == Qos::exactly_once) state.receive(*session_, publish.packet_id);
  if (is_held) {
    server_.hold(message);
  } else {
    batch_ = server_.ingest(publish, route, group);
  }
  if (is_passed_on) state.publish(message, session_, server_.now_);
  return {ReasonCode::success};
}

void MqttConnection::acknowledge(const mqtt::Publish& publish, Failure outcome) {
  ReplyGroup& group = *replies_.open();
  const bool has_failed = is_failure(outcome.reason);
  group.add_answer(batch_);
  if (publish.qos == Qos::at_least_once) {
    ++group.publishes_answered;
    if (!has_failed) return mqtt::encode_puback(publish.packet_id, group.bytes);
    mqtt::Puback puback{.packet_id = publish.packet_id, .reason = outcome.reason, .properties = {}};
    puback.properties.reason_string = reason_string(outcome.text);
    return reply(puback);
  }
  if (has_failed) {
    ++group.publishes_answered;  // no PUBREL follows
  } else {
    server_.state_.receive(*session_, publish.packet_id);  // if it is not known yet
  }
  mqtt::Pubrec pubrec{.packet_id = publish.packet_id, .reason = outcome.reason, .properties = {}};
  if (has_failed) pubrec.properties.reason_string = reason_string(outcome.text);
  reply(pubrec);
}

void MqttConnection::on_pubrel(const mqtt::Pubrel& pubrel) {
  const bool is_known = server_.state_.release(*session_, pubrel.packet_id);
  ReplyGroup& group = *replies_.open();
  ++group.publishes_answered;
  // With the PUBCOMP the identifier is free: that it was released must be durable, even if an
  // earlier connection has written it.
  if (!is_known) group.waits_for_log = true;
  reply(mqtt::Pubcomp{
      .packet_id = pubrel.packet_id,
      .reason = is_known ? ReasonCode::success : ReasonCode::packet_identifier_not_found,
      .properties = {}});
}

void MqttConnection::refuse_publishes(ReplyGroup& group) {
  const auto refused = refuse_failed(
      group, {.version = version_,
              .packet_bytes_max = packet_bytes_max_,
              .reason_string = reason_string("the server's disk is full: nothing can be kept")});
  // They may come again as new ones (4.3.3).
  for (const PacketId id : refused) {
    if (session_ != nullptr) server_.state_.release(*session_, id);
  }
}

}  // namespace ficus::connect
