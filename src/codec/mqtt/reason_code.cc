#include "codec/mqtt/reason_code.h"

#include <array>
#include <utility>

namespace ficus::mqtt {
namespace {

// A set of packet types, one bit each.
using Types = std::uint16_t;
constexpr Types bit(PacketType type) {
  return static_cast<Types>(1U << static_cast<unsigned>(type));
}
constexpr Types kConnack = bit(PacketType::connack);
constexpr Types kPuback = bit(PacketType::puback) | bit(PacketType::pubrec);
constexpr Types kPubrel = bit(PacketType::pubrel) | bit(PacketType::pubcomp);
constexpr Types kSuback = bit(PacketType::suback);
constexpr Types kUnsuback = bit(PacketType::unsuback);
constexpr Types kDisconnect = bit(PacketType::disconnect);
constexpr Types kAuth = bit(PacketType::auth);
constexpr Types kAnswers = kConnack | kPuback | kSuback | kUnsuback | kDisconnect;
constexpr Types kConnackOrDisconnect = kConnack | kDisconnect;

struct Entry {
  ReasonCode reason;
  const char* name;
  Types types;
};

// MQTT 5.0, table 2-6. Bad authentication method is listed there for DISCONNECT, but not
// in 3.14.2.1: accepted.
constexpr auto kEntries = std::to_array<Entry>({
    {ReasonCode::success, "success",
     kConnack | kPuback | kPubrel | kSuback | kUnsuback | kDisconnect | kAuth},
    {ReasonCode::granted_qos_1, "granted_qos_1", kSuback},
    {ReasonCode::granted_qos_2, "granted_qos_2", kSuback},
    {ReasonCode::disconnect_with_will, "disconnect_with_will", kDisconnect},
    {ReasonCode::no_matching_subscribers, "no_matching_subscribers", kPuback},
    {ReasonCode::no_subscription_existed, "no_subscription_existed", kUnsuback},
    {ReasonCode::continue_authentication, "continue_authentication", kAuth},
    {ReasonCode::reauthenticate, "reauthenticate", kAuth},
    {ReasonCode::unspecified_error, "unspecified_error", kAnswers},
    {ReasonCode::malformed_packet, "malformed_packet", kConnackOrDisconnect},
    {ReasonCode::protocol_error, "protocol_error", kConnackOrDisconnect},
    {ReasonCode::implementation_specific_error, "implementation_specific_error", kAnswers},
    {ReasonCode::unsupported_protocol_version, "unsupported_protocol_version", kConnack},
    {ReasonCode::client_identifier_not_valid, "client_identifier_not_valid", kConnack},
    {ReasonCode::bad_user_name_or_password, "bad_user_name_or_password", kConnack},
    {ReasonCode::not_authorized, "not_authorized", kAnswers},
    {ReasonCode::server_unavailable, "server_unavailable", kConnack},
    {ReasonCode::server_busy, "server_busy", kConnackOrDisconnect},
    {ReasonCode::banned, "banned", kConnack},
    {ReasonCode::server_shutting_down, "server_shutting_down", kDisconnect},
    {ReasonCode::bad_authentication_method, "bad_authentication_method", kConnackOrDisconnect},
    {ReasonCode::keep_alive_timeout, "keep_alive_timeout", kDisconnect},
    {ReasonCode::session_taken_over, "session_taken_over", kDisconnect},
    {ReasonCode::topic_filter_invalid, "topic_filter_invalid", kSuback | kUnsuback | kDisconnect},
    {ReasonCode::topic_name_invalid, "topic_name_invalid", kConnackOrDisconnect | kPuback},
    {ReasonCode::packet_identifier_in_use, "packet_identifier_in_use",
     kPuback | kSuback | kUnsuback},
    {ReasonCode::packet_identifier_not_found, "packet_identifier_not_found", kPubrel},
    {ReasonCode::receive_maximum_exceeded, "receive_maximum_exceeded", kDisconnect},
    {ReasonCode::topic_alias_invalid, "topic_alias_invalid", kDisconnect},
    {ReasonCode::packet_too_large, "packet_too_large", kConnackOrDisconnect},
    {ReasonCode::message_rate_too_high, "message_rate_too_high", kDisconnect},
    {ReasonCode::quota_exceeded, "quota_exceeded", kConnackOrDisconnect | kPuback | kSuback},
    {ReasonCode::administrative_action, "administrative_action", kDisconnect},
    {ReasonCode::payload_format_invalid, "payload_format_invalid", kConnackOrDisconnect | kPuback},
    {ReasonCode::retain_not_supported, "retain_not_supported", kConnackOrDisconnect},
    {ReasonCode::qos_not_supported, "qos_not_supported", kConnackOrDisconnect},
    {ReasonCode::use_another_server, "use_another_server", kConnackOrDisconnect},
    {ReasonCode::server_moved, "server_moved", kConnackOrDisconnect},
    {ReasonCode::shared_subscriptions_not_supported, "shared_subscriptions_not_supported",
     kSuback | kDisconnect},
    {ReasonCode::connection_rate_exceeded, "connection_rate_exceeded", kConnackOrDisconnect},
    {ReasonCode::maximum_connect_time, "maximum_connect_time", kDisconnect},
    {ReasonCode::subscription_identifiers_not_supported, "subscription_identifiers_not_supported",
     kSuback | kDisconnect},
    {ReasonCode::wildcard_subscriptions_not_supported, "wildcard_subscriptions_not_supported",
     kSuback | kDisconnect},
});

// Per code, so that the check of an acknowledgement is one load.
constexpr auto kTypesByReason = [] {
  std::array<Types, 256> types{};
  for (const Entry& entry : kEntries) types[static_cast<std::uint8_t>(entry.reason)] = entry.types;
  return types;
}();

}  // namespace

const char* reason_code_name(ReasonCode reason) {
  for (const Entry& entry : kEntries) {
    if (entry.reason == reason) return entry.name;
  }
  return "unknown";
}

bool is_reason_allowed(PacketType type, ReasonCode reason) {
  return (kTypesByReason[static_cast<std::uint8_t>(reason)] & bit(type)) != 0;
}

const char* connect_return_code_name(ConnectReturnCode code) {
  switch (code) {
    case ConnectReturnCode::accepted:
      return "accepted";
    case ConnectReturnCode::unacceptable_protocol_version:
      return "unacceptable_protocol_version";
    case ConnectReturnCode::identifier_rejected:
      return "identifier_rejected";
    case ConnectReturnCode::server_unavailable:
      return "server_unavailable";
    case ConnectReturnCode::bad_user_name_or_password:
      return "bad_user_name_or_password";
    case ConnectReturnCode::not_authorized:
      return "not_authorized";
  }
  std::unreachable();
}

ConnectReturnCode to_connect_return_code(ReasonCode reason) {
  if (!is_failure(reason)) return ConnectReturnCode::accepted;
  if (reason == ReasonCode::unsupported_protocol_version) {
    return ConnectReturnCode::unacceptable_protocol_version;
  }
  if (reason == ReasonCode::client_identifier_not_valid) {
    return ConnectReturnCode::identifier_rejected;
  }
  if (reason == ReasonCode::bad_user_name_or_password ||
      reason == ReasonCode::bad_authentication_method) {
    return ConnectReturnCode::bad_user_name_or_password;
  }
  if (reason == ReasonCode::not_authorized || reason == ReasonCode::banned) {
    return ConnectReturnCode::not_authorized;
  }
  return ConnectReturnCode::server_unavailable;
}

std::optional<ReasonCode> from_connect_return_code(std::uint8_t code) {
  constexpr std::array kReasons = {
      ReasonCode::success,
      ReasonCode::unsupported_protocol_version,
      ReasonCode::client_identifier_not_valid,
      ReasonCode::server_unavailable,
      ReasonCode::bad_user_name_or_password,
      ReasonCode::not_authorized,
  };
  if (code >= kReasons.size()) return std::nullopt;
  return kReasons[code];
}

}  // namespace ficus::mqtt
