#include "codec/mqtt/packet_encoder.h"
#include "codec/mqtt/property_rules.h"

namespace ficus::mqtt {
namespace {

using Fault = std::optional<EncodeError>;

template <typename Value>
bool is_allowed(PropertyId id, const std::optional<Value>& field) {
  if constexpr (requires { static_cast<std::uint32_t>(*field); }) {
    if (field) return is_property_value_allowed(id, static_cast<std::uint32_t>(*field));
  }
  return true;
}
// Its form on the wire is narrower than its type.
bool is_allowed(PropertyId, const std::optional<SubscriptionId>& field) {
  const std::uint32_t value = static_cast<std::uint32_t>(field.value_or(SubscriptionId{1}));
  return value != 0 && value <= kSubscriptionIdMax;
}
// Checked when they were decoded or put into their buffer.
template <typename Property>
bool is_allowed(PropertyId, const RepeatedProperty<Property>&) {
  return true;
}

template <typename Properties>
bool are_allowed(const Properties& properties) {
  bool result = true;
  Properties::fields(properties,
                     [&](PropertyId id, const auto& field) { result &= is_allowed(id, field); });
  return result;
}

template <typename P>
Fault check_properties(const P& packet, ProtocolVersion version) {
  if (version == ProtocolVersion::v5 && !are_allowed(packet.properties)) {
    return EncodeError::value_invalid;
  }
  return std::nullopt;
}

template <typename P>
Fault check_reason(const P& packet, ProtocolVersion version) {
  if (version == ProtocolVersion::v5 && !is_reason_allowed(P::kType, packet.reason)) {
    return EncodeError::value_invalid;
  }
  return check_properties(packet, version);
}

template <typename P>
Fault check_id(const P& packet) {
  if (packet.packet_id == PacketId::none) return EncodeError::packet_id_invalid;
  return std::nullopt;
}

template <typename P>
Fault check_response(const P& packet, ProtocolVersion version) {
  if (const Fault fault = check_id(packet)) return fault;
  return check_reason(packet, version);
}

template <typename P>
Fault check_list(const P& packet, ProtocolVersion version, bool is_empty) {
  if (const Fault fault = check_id(packet)) return fault;
  if (is_empty) return EncodeError::payload_empty;
  return check_properties(packet, version);
}

template <typename P>
Fault check_reasons(const P& packet) {
  for (std::size_t i = 0; i < packet.reasons.size(); ++i) {
    if (!is_reason_allowed(P::kType, packet.reasons[i])) return EncodeError::value_invalid;
  }
  return std::nullopt;
}

}  // namespace

Fault find_fault(const Connect& connect, ProtocolVersion) {
  const bool is_v5 = connect.version == ProtocolVersion::v5;
  if (!is_v5) {
    // MQTT 3.1.1, [MQTT-3.1.2-22], [MQTT-3.1.3-7].
    if (connect.password && !connect.user_name) return EncodeError::value_invalid;
    if (connect.client_id.empty() && !connect.clean_start) return EncodeError::value_invalid;
    return std::nullopt;
  }
  const ConnectProperties& properties = connect.properties;
  if (properties.authentication_data && !properties.authentication_method) {
    return EncodeError::value_invalid;  // 3.1.2.11.10
  }
  return check_properties(connect, connect.version);
}

Fault find_fault(const Connack& connack, ProtocolVersion version) {
  if (connack.session_present && connack.reason != ReasonCode::success) {
    return EncodeError::value_invalid;  // [MQTT-3.2.2-6]
  }
  return check_reason(connack, version);
}

Fault find_fault(const Publish& publish, ProtocolVersion version) {
  const bool needs_id = publish.qos != Qos::at_most_once;
  if (needs_id != (publish.packet_id != PacketId::none)) return EncodeError::packet_id_invalid;
  if (publish.dup && !needs_id) return EncodeError::value_invalid;  // [MQTT-3.3.1-2]
  if (publish.topic.empty()) {
    if (version == ProtocolVersion::v3_1_1) return EncodeError::not_in_version;
    if (!publish.properties.topic_alias) return EncodeError::value_invalid;  // 3.3.2.1
  }
  return check_properties(publish, version);
}

Fault find_fault(const Puback& puback, ProtocolVersion version) {
  return check_response(puback, version);
}
Fault find_fault(const Pubrec& pubrec, ProtocolVersion version) {
  return check_response(pubrec, version);
}
Fault find_fault(const Pubrel& pubrel, ProtocolVersion version) {
  return check_response(pubrel, version);
}
Fault find_fault(const Pubcomp& pubcomp, ProtocolVersion version) {
  return check_response(pubcomp, version);
}

Fault find_fault(const Subscribe& subscribe, ProtocolVersion version) {
  return check_list(subscribe, version, subscribe.subscriptions.empty());
}

Fault find_fault(const Suback& suback, ProtocolVersion version) {
  if (const Fault fault = check_list(suback, version, suback.reasons.empty())) return fault;
  return check_reasons(suback);
}

Fault find_fault(const Unsubscribe& unsubscribe, ProtocolVersion version) {
  return check_list(unsubscribe, version, unsubscribe.filters.empty());
}

Fault find_fault(const Unsuback& unsuback, ProtocolVersion version) {
  // 3.1.1 writes no codes, so that a session may give the same answer to both.
  const bool lacks_codes = version == ProtocolVersion::v5 && unsuback.reasons.empty();
  if (const Fault fault = check_list(unsuback, version, lacks_codes)) return fault;
  return version == ProtocolVersion::v5 ? check_reasons(unsuback) : std::nullopt;
}

Fault find_fault(const Disconnect& disconnect, ProtocolVersion version) {
  return check_reason(disconnect, version);
}

Fault find_fault(const Auth& auth, ProtocolVersion version) {
  if (version == ProtocolVersion::v3_1_1) return EncodeError::not_in_version;
  const AuthProperties& properties = auth.properties;
  const bool is_bare = auth == Auth{};
  if (!is_bare && !properties.authentication_method) return EncodeError::value_invalid;
  return check_reason(auth, version);
}

}  // namespace ficus::mqtt
