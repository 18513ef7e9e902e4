#pragma once

#include <cstdint>
#include <optional>

#include "codec/mqtt/packet_type.h"

namespace ficus::mqtt {

// MQTT 5.0, 2.4. Values from 0x80 are failures. Zero has three names in the standard (success,
// normal disconnection, granted QoS 0); it is always `success` here. MQTT 3.1.1 has only the codes
// of its CONNACK and SUBACK: the decoder turns them into these and the encoder back, so that
// callers know one set.
enum class ReasonCode : std::uint8_t {
  success = 0x00,
  granted_qos_1 = 0x01,
  granted_qos_2 = 0x02,
  disconnect_with_will = 0x04,
  no_matching_subscribers = 0x10,
  no_subscription_existed = 0x11,
  continue_authentication = 0x18,
  reauthenticate = 0x19,
  unspecified_error = 0x80,
  malformed_packet = 0x81,
  protocol_error = 0x82,
  implementation_specific_error = 0x83,
  unsupported_protocol_version = 0x84,
  client_identifier_not_valid = 0x85,
  bad_user_name_or_password = 0x86,
  not_authorized = 0x87,
  server_unavailable = 0x88,
  server_busy = 0x89,
  banned = 0x8a,
  server_shutting_down = 0x8b,
  bad_authentication_method = 0x8c,
  keep_alive_timeout = 0x8d,
  session_taken_over = 0x8e,
  topic_filter_invalid = 0x8f,
  topic_name_invalid = 0x90,
  packet_identifier_in_use = 0x91,
  packet_identifier_not_found = 0x92,
  receive_maximum_exceeded = 0x93,
  topic_alias_invalid = 0x94,
  packet_too_large = 0x95,
  message_rate_too_high = 0x96,
  quota_exceeded = 0x97,
  administrative_action = 0x98,
  payload_format_invalid = 0x99,
  retain_not_supported = 0x9a,
  qos_not_supported = 0x9b,
  use_another_server = 0x9c,
  server_moved = 0x9d,
  shared_subscriptions_not_supported = 0x9e,
  connection_rate_exceeded = 0x9f,
  maximum_connect_time = 0xa0,
  subscription_identifiers_not_supported = 0xa1,
  wildcard_subscriptions_not_supported = 0xa2,
};

constexpr bool is_failure(ReasonCode reason) { return static_cast<std::uint8_t>(reason) >= 0x80; }

// "not_authorized"; "unknown" for a value the standard does not define.
const char* reason_code_name(ReasonCode reason);

// Whether the standard lets this packet carry this code (MQTT 5.0, table 2-6 and the packet's own
// table).
bool is_reason_allowed(PacketType type, ReasonCode reason);

// MQTT 3.1.1, table 3.1.
enum class ConnectReturnCode : std::uint8_t {
  accepted = 0,
  unacceptable_protocol_version = 1,
  identifier_rejected = 2,
  server_unavailable = 3,
  bad_user_name_or_password = 4,
  not_authorized = 5,
};

const char* connect_return_code_name(ConnectReturnCode code);

// The nearest 3.1.1 code: what it cannot say becomes server_unavailable.
ConnectReturnCode to_connect_return_code(ReasonCode reason);
// Nothing for a value that 3.1.1 reserves.
std::optional<ReasonCode> from_connect_return_code(std::uint8_t code);

}  // namespace ficus::mqtt
