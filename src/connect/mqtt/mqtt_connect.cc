// CONNECT: who is it, and what becomes of the session (MQTT 5.0, 3.1 and 3.2).

#include <fmt/format.h>

#include <algorithm>

#include "access/access_control.h"
#include "base/utf8.h"
#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"
#include "codec/mqtt/topic.h"
#include "connect/mqtt/mqtt_connection.h"
#include "connect/mqtt/mqtt_server.h"

namespace ficus::connect {

using mqtt::ProtocolVersion;
using mqtt::ReasonCode;

namespace {

// MQTT 5.0, 3.1.2.11.2: this expiry means "never"; 3.1.1 sessions that are not clean have no expiry
// either.
constexpr std::uint32_t kNeverExpires = 0xffffffff;
constexpr Micros kNever{INT64_MAX / 2};
constexpr std::uint16_t kReceiveMaximumDefault = 65'535;
// Every fact about a session names it (3.1.3.1 asks for 23 bytes).
constexpr std::size_t kClientIdBytesMax = 1024;

std::string_view text_of(mqtt::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

mqtt::Publish publish_of(const mqtt::Will& will) {
  mqtt::Publish publish{.qos = will.qos,
                        .retain = will.retain,
                        .topic = will.topic,
                        .properties = {},
                        .payload = will.payload};
  publish.properties.payload_is_utf8 = will.properties.payload_is_utf8;
  publish.properties.message_expiry_interval_s = will.properties.message_expiry_interval_s;
  publish.properties.content_type = will.properties.content_type;
  publish.properties.response_topic = will.properties.response_topic;
  publish.properties.correlation_data = will.properties.correlation_data;
  publish.properties.user_properties = will.properties.user_properties;
  return publish;
}

}  // namespace

Micros MqttConnection::session_expiry(std::uint32_t seconds) {
  return seconds == kNeverExpires ? kNever : Micros::from_seconds(seconds);
}

MqttConnection::Outcome MqttConnection::on_connect(const mqtt::Connect& connect) {
  version_ = connect.version;
  wants_problem_information_ = connect.properties.request_problem_information.value_or(true);
  if (connect.properties.authentication_method) {
    refuse_connect({ReasonCode::bad_authentication_method,
                    "log in with a user name and password, or a certificate"});
    return std::nullopt;
  }
  if (connect.properties.packet_bytes_max) packet_bytes_max_ = *connect.properties.packet_bytes_max;
  access::AccessControl* const access = server_.parts_.access;
  if (access == nullptr || access->is_open()) {
    accept_connect(connect);
  } else {
    log_in(connect);
  }
  return std::nullopt;
}

void MqttConnection::log_in(const mqtt::Connect& connect) {
  access::AccessControl& access = *server_.parts_.access;
  const std::string peer = link_->peer().text();
  if (connect.user_name) {
    is_logging_in_ = true;  // the connection reads no more until it knows (4.12: [MQTT-3.1.4-6])
    link_->pause_reading();
    alive_ = std::make_shared<char>();
    return access.log_in(*connect.user_name, text_of(connect.password.value_or(mqtt::Bytes{})),
                         peer, [this, alive = std::weak_ptr<char>(alive_)](auto principal) {
                           if (!alive.expired()) on_logged_in(std::move(principal));
                         });
  }
  const net::PeerCertificate* const certificate = link_->peer_certificate();
  Result<access::PrincipalPtr> principal = access.anonymous();
  if (connect.password) {  // a token alone (3.1.2.9)
    principal = access.by_token(text_of(*connect.password), peer);
  } else if (certificate != nullptr) {
    principal = access.by_certificate(certificate->common_name, peer);
  }
  if (!principal) return refuse_connect({ReasonCode::not_authorized, principal.error().message});
  if (*principal == nullptr) {
    return refuse_connect({ReasonCode::not_authorized, "a user name and a password are needed"});
  }
  principal_ = *std::move(principal);
  accept_connect(connect);
}

void MqttConnection::on_logged_in(Result<access::PrincipalPtr> principal) {
  is_logging_in_ = false;
  if (is_ending_) return;
  server_.begin_turn();
  const std::vector<std::byte> packet = std::move(connecting_);
  connecting_.clear();
  if (!principal) {
    const bool is_busy = principal.error().code == ErrorCode::overloaded;
    return refuse_connect(
        {is_busy ? ReasonCode::server_busy : ReasonCode::bad_user_name_or_password,
         principal.error().message});
  }
  principal_ = *std::move(principal);
  // It was decoded once already.
  const auto decoded = mqtt::decode(packet, version_, server_.options_.packet_bytes_max);
  if (!decoded) return link_->close();
  accept_connect(std::get<mqtt::Connect>(decoded->packet));
  finish_turn();
  if (!is_ending_) go_on();
}

void MqttConnection::refuse_connect(Failure failure) {
  ++server_.counts_.connections_refused;
  ++server_.counts_.connects_refused[failure.reason];
  mqtt::Connack connack{.session_present = false, .reason = failure.reason, .properties = {}};
  if (!failure.text.empty()) connack.properties.reason_string = failure.text;
  send(connack);
  is_ending_ = true;
  link_->close();
}

MqttConnection::Outcome MqttConnection::find_fault(const mqtt::Connect& connect,
                                                   std::string_view client_id) const {
  if (client_id.size() > kClientIdBytesMax) {
    return Failure{ReasonCode::client_identifier_not_valid,
                   "the client identifier is longer than 1024 bytes"};
  }
  if (server_.is_draining_) return Failure{ReasonCode::server_unavailable, "the server stops"};
  const bool is_durable =
      connect.will || session_expiry_of(connect) > Micros{} || server_.state_.find(client_id);
  if (server_.refuses() && is_durable) {
    return Failure{ReasonCode::quota_exceeded, "the server's disk is full: nothing can be kept"};
  }
  if (connect.will) {
    const mqtt::Will& will = *connect.will;
    if (is_reserved_topic(will.topic) ||
        (principal_ != nullptr && !principal_->may_publish(will.topic, client_id))) {
      return Failure{ReasonCode::not_authorized, "no right to publish the will's topic"};
    }
    if (will.properties.payload_is_utf8.value_or(false) && !is_valid_utf8(text_of(will.payload))) {
      return Failure{ReasonCode::payload_format_invalid, "the will is not UTF-8 as it says"};
    }
    const MessagePtr message = Message::create(publish_of(will), server_.now_);
    if (message == nullptr || !server_.state_.has_room_for_will(client_id, *message)) {
      return Failure{ReasonCode::quota_exceeded, "no room for another will"};
    }
  }
  // A session holds messages that another user may have no right to.
  const Session* const session = server_.state_.find(client_id);
  const std::string_view owner = principal_ == nullptr ? "" : std::string_view(principal_->name());
  if (session != nullptr && session->owner != owner) {
    return Failure{ReasonCode::client_identifier_not_valid,
                   "the client identifier is another user's"};
  }
  return std::nullopt;
}

void MqttConnection::take_over(std::string_view client_id) {
  Session* const session = server_.state_.find(client_id);
  if (session == nullptr || session->connection == nullptr) return;
  static_cast<MqttConnection*>(session->connection)
      ->end({ReasonCode::session_taken_over, "another connection has this client identifier"});
}

Micros MqttConnection::session_expiry_of(const mqtt::Connect& connect) {
  if (connect.version == ProtocolVersion::v3_1_1) return connect.clean_start ? Micros{} : kNever;
  return session_expiry(connect.properties.session_expiry_interval_s.value_or(0));
}

void MqttConnection::accept_connect(const mqtt::Connect& connect) {
  std::string client_id(connect.client_id);
  const bool is_assigned = client_id.empty();
  if (is_assigned) client_id = server_.new_client_id();
  if (const Outcome fault = find_fault(connect, client_id)) return refuse_connect(*fault);
  take_over(client_id);
  // One that is due is published, also if many wait before it: who comes back now is too late to
  // take it back (3.1.3.2.2).
  server_.publish_due_will(client_id);
  const std::string owner = principal_ == nullptr ? std::string() : principal_->name();
  const auto opened = server_.state_.open({.client_id = client_id,
                                           .owner = owner,
                                           .clean_start = connect.clean_start,
                                           .expiry = session_expiry_of(connect)},
                                          server_.now_);
  server_.publish_due_will(client_id);  // that of a session which a clean start has ended
  if (!opened) return refuse_connect({ReasonCode::quota_exceeded, opened.error().message});
  session_ = opened->session;
  session_->connection = this;
  link_->set_input_bytes_max(server_.input_bytes_max(server_.options_.packet_bytes_max));
  receive_maximum_ = connect.properties.receive_maximum.value_or(kReceiveMaximumDefault);
  if (opened->was_present && principal_ != nullptr) server_.drop_forbidden(*session_, *principal_);
  if (connect.will) set_will(*connect.will);
  answer_connect(connect, opened->was_present, is_assigned);
}

void MqttConnection::set_will(const mqtt::Will& will) {
  const MessagePtr message = Message::create(publish_of(will), server_.now_);
  if (message == nullptr) return;  // every will that was decoded can be encoded
  server_.state_.set_will(*session_, message,
                          Micros::from_seconds(will.properties.will_delay_interval_s.value_or(0)));
}

void MqttConnection::answer_connect(const mqtt::Connect& connect, bool was_present,
                                    bool is_assigned) {
  const MqttServerOptions& options = server_.options_;
  const std::string& client_id = session_->client_id();
  const std::string response = "reply/" + client_id;
  std::uint16_t keep_alive_s = connect.keep_alive_s;
  mqtt::Connack connack{
      .session_present = was_present, .reason = ReasonCode::success, .properties = {}};
  mqtt::ConnackProperties& properties = connack.properties;
  if (version_ == ProtocolVersion::v5) {
    const std::uint16_t keep_alive_max_s = options.keep_alive_max_s;
    if (keep_alive_max_s != 0 && (keep_alive_s == 0 || keep_alive_s > keep_alive_max_s)) {
      keep_alive_s = keep_alive_max_s;
      properties.server_keep_alive_s = keep_alive_s;
    }
    if (options.receive_maximum < kReceiveMaximumDefault) {
      properties.receive_maximum = options.receive_maximum;
    }
    properties.packet_bytes_max = static_cast<std::uint32_t>(options.packet_bytes_max);
    if (options.topic_alias_max > 0) properties.topic_alias_max = options.topic_alias_max;
    if (is_assigned) properties.assigned_client_id = client_id;
    const std::uint32_t wished = connect.properties.session_expiry_interval_s.value_or(0);
    const auto granted = static_cast<std::uint32_t>(session_->expiry.count / 1'000'000);
    if (wished != granted) properties.session_expiry_interval_s = granted;
    if (connect.properties.request_response_information.value_or(false) &&
        mqtt::is_valid_topic_name(response)) {
      properties.response_information = response;
    }
  }
  keep_alive_ = Micros::from_seconds(keep_alive_s);
  if (!mqtt::encode(connack, version_, packet_bytes_max_, replies_.open()->bytes)) {
    return end({ReasonCode::packet_too_large});  // the client could not take the CONNACK
  }
  replies_.open()->makes_ready = true;
  server_.note_subscriptions_changed();
  server_.parts_.logger.debug("mqtt", "client connected",
                              {{"client", client_id}, {"peer", link_->peer().text()}});
}

}  // namespace ficus::connect
