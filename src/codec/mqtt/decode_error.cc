#include "codec/mqtt/decode_error.h"

#include <array>
#include <cstddef>

namespace ficus::mqtt {
namespace {

struct Description {
  DecodeError error;
  const char* name;
  const char* text;
  ReasonCode reason;
};

// The standard separates bytes that cannot be parsed (malformed packet) from well-formed ones that
// break its rules (protocol error), and names a few faults (MQTT 5.0, 1.2, 4.13.1).
constexpr ReasonCode kMalformed = ReasonCode::malformed_packet;
constexpr ReasonCode kProtocol = ReasonCode::protocol_error;

constexpr auto kDescriptions = std::to_array<Description>({
    {DecodeError::incomplete, "incomplete", "more bytes are needed", kMalformed},
    {DecodeError::too_large, "too_large", "the packet is larger than the limit",
     ReasonCode::packet_too_large},
    {DecodeError::remaining_length_invalid, "remaining_length_invalid",
     "the remaining length has more than four bytes", kMalformed},
    {DecodeError::packet_type_invalid, "packet_type_invalid",
     "the packet type does not exist in this version", kMalformed},
    {DecodeError::packet_flags_invalid, "packet_flags_invalid",
     "the flags of the fixed header are not those of the type", kMalformed},
    {DecodeError::dup_invalid, "dup_invalid", "a QoS 0 message is marked as sent again",
     kMalformed},
    {DecodeError::qos_invalid, "qos_invalid", "QoS 3 does not exist", kMalformed},
    {DecodeError::field_truncated, "field_truncated", "a field runs past the end of its packet",
     kMalformed},
    {DecodeError::trailing_bytes, "trailing_bytes", "bytes follow the last field of the packet",
     kMalformed},
    {DecodeError::integer_invalid, "integer_invalid",
     "a variable byte integer is too long for its value", kMalformed},
    {DecodeError::utf8_invalid, "utf8_invalid", "a text is not UTF-8 or holds a null character",
     kMalformed},
    {DecodeError::packet_id_zero, "packet_id_zero", "the packet identifier is zero", kProtocol},
    {DecodeError::property_not_allowed, "property_not_allowed",
     "a property is unknown or not one of this packet", kMalformed},
    {DecodeError::property_duplicated, "property_duplicated",
     "a property that may occur once occurs twice", kProtocol},
    {DecodeError::property_value_invalid, "property_value_invalid",
     "a property has a value outside its range", kProtocol},
    {DecodeError::authentication_method_missing, "authentication_method_missing",
     "authentication data come without a method", kProtocol},
    {DecodeError::protocol_version_unsupported, "protocol_version_unsupported",
     "the protocol is neither MQTT 3.1.1 nor 5.0", ReasonCode::unsupported_protocol_version},
    {DecodeError::connect_flags_invalid, "connect_flags_invalid",
     "the connect flags contradict each other", kMalformed},
    {DecodeError::connack_flags_invalid, "connack_flags_invalid",
     "the connect acknowledge flags are not valid", kMalformed},
    {DecodeError::client_id_missing, "client_id_missing",
     "an empty client identifier needs a clean session", ReasonCode::client_identifier_not_valid},
    {DecodeError::topic_name_invalid, "topic_name_invalid",
     "the topic name is empty or holds a wildcard", ReasonCode::topic_name_invalid},
    {DecodeError::topic_name_missing, "topic_name_missing",
     "the message has neither a topic nor an alias", kProtocol},
    {DecodeError::topic_alias_zero, "topic_alias_zero", "the topic alias is zero",
     ReasonCode::topic_alias_invalid},
    {DecodeError::topic_filter_invalid, "topic_filter_invalid", "the topic filter is not valid",
     ReasonCode::topic_filter_invalid},
    {DecodeError::subscription_options_invalid, "subscription_options_invalid",
     "reserved bits of the subscription options are set", kMalformed},
    {DecodeError::retain_handling_invalid, "retain_handling_invalid",
     "retain handling 3 does not exist", kProtocol},
    {DecodeError::no_local_on_shared, "no_local_on_shared",
     "no-local is set on a shared subscription", kProtocol},
    {DecodeError::payload_empty, "payload_empty", "the packet needs at least one entry", kProtocol},
    {DecodeError::reason_code_invalid, "reason_code_invalid",
     "the reason code is not one of this packet", kProtocol},
});

// One row for each error, at its place.
static_assert([] {
  for (std::size_t i = 0; i < kDescriptions.size(); ++i) {
    if (static_cast<std::size_t>(kDescriptions[i].error) != i) return false;
  }
  return kDescriptions.back().error == DecodeError::reason_code_invalid;
}());

const Description& describe(DecodeError error) {
  return kDescriptions[static_cast<std::size_t>(error)];
}

}  // namespace

const char* decode_error_name(DecodeError error) { return describe(error).name; }
const char* decode_error_text(DecodeError error) { return describe(error).text; }
ReasonCode reason_code(DecodeError error) { return describe(error).reason; }

}  // namespace ficus::mqtt
