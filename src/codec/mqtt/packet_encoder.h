#pragma once

#include <cstdint>
#include <optional>

#include "codec/mqtt/encoder.h"
#include "codec/mqtt/packet.h"
#include "codec/mqtt/property_encoder.h"
#include "codec/mqtt/wire.h"

// How each packet lies behind its fixed header, written once for both sinks of byte_writer.h.
// Internal to this folder. What may not be sent at all is found before, by find_fault.

namespace ficus::mqtt {

// packet_rules.cc
std::optional<EncodeError> find_fault(const Connect& connect, ProtocolVersion version);
std::optional<EncodeError> find_fault(const Connack& connack, ProtocolVersion version);
std::optional<EncodeError> find_fault(const Publish& publish, ProtocolVersion version);
std::optional<EncodeError> find_fault(const Puback& puback, ProtocolVersion version);
std::optional<EncodeError> find_fault(const Pubrec& pubrec, ProtocolVersion version);
std::optional<EncodeError> find_fault(const Pubrel& pubrel, ProtocolVersion version);
std::optional<EncodeError> find_fault(const Pubcomp& pubcomp, ProtocolVersion version);
std::optional<EncodeError> find_fault(const Subscribe& subscribe, ProtocolVersion version);
std::optional<EncodeError> find_fault(const Suback& suback, ProtocolVersion version);
std::optional<EncodeError> find_fault(const Unsubscribe& unsubscribe, ProtocolVersion version);
std::optional<EncodeError> find_fault(const Unsuback& unsuback, ProtocolVersion version);
std::optional<EncodeError> find_fault(const Disconnect& disconnect, ProtocolVersion version);
std::optional<EncodeError> find_fault(const Auth& auth, ProtocolVersion version);
inline std::optional<EncodeError> find_fault(const Pingreq&, ProtocolVersion) { return {}; }
inline std::optional<EncodeError> find_fault(const Pingresp&, ProtocolVersion) { return {}; }

template <typename P>
std::uint8_t first_byte(const P&) {
  return static_cast<std::uint8_t>((static_cast<unsigned>(P::kType) << 4) |
                                   required_flags(P::kType));
}
template <>
inline std::uint8_t first_byte(const Publish& publish) {
  return static_cast<std::uint8_t>(
      (static_cast<unsigned>(PacketType::publish) << 4) | (publish.dup ? 0b1000U : 0U) |
      (static_cast<unsigned>(publish.qos) << 1) | (publish.retain ? 0b0001U : 0U));
}

// 3.1.2.3.
inline std::uint8_t connect_flags(const Connect& connect) {
  unsigned bits = connect.clean_start ? 0x02U : 0U;
  if (connect.will) {
    bits |= 0x04U | (static_cast<unsigned>(connect.will->qos) << 3) |
            (connect.will->retain ? 0x20U : 0U);
  }
  if (connect.password) bits |= 0x40U;
  if (connect.user_name) bits |= 0x80U;
  return static_cast<std::uint8_t>(bits);
}

template <typename Sink>
void write_body(const Connect& connect, ProtocolVersion, Sink& sink) {
  const bool is_v5 = connect.version == ProtocolVersion::v5;
  sink.text("MQTT");
  sink.u8(static_cast<std::uint8_t>(connect.version));
  sink.u8(connect_flags(connect));
  sink.u16(connect.keep_alive_s);
  if (is_v5) write_properties(connect.properties, sink);
  sink.text(connect.client_id);
  if (connect.will) {
    if (is_v5) write_properties(connect.will->properties, sink);
    sink.text(connect.will->topic);
    sink.binary(connect.will->payload);
  }
  if (connect.user_name) sink.text(*connect.user_name);
  if (connect.password) sink.binary(*connect.password);
}

template <typename Sink>
void write_body(const Connack& connack, ProtocolVersion version, Sink& sink) {
  sink.u8(connack.session_present ? 1 : 0);
  if (version == ProtocolVersion::v3_1_1) {
    return sink.u8(static_cast<std::uint8_t>(to_connect_return_code(connack.reason)));
  }
  sink.u8(static_cast<std::uint8_t>(connack.reason));
  write_properties(connack.properties, sink);
}

// Without the payload, which the encoder appends itself.
template <typename Sink>
void write_body(const Publish& publish, ProtocolVersion version, Sink& sink) {
  sink.text(publish.topic);
  if (publish.qos != Qos::at_most_once) sink.u16(static_cast<std::uint16_t>(publish.packet_id));
  if (version == ProtocolVersion::v5) write_properties(publish.properties, sink);
}

// The shortest form (3.4.2.1, 3.14.2.1): success alone and an empty property section are left out.
template <typename P, typename Sink>
void write_reason_and_properties(const P& packet, Sink& sink) {
  const bool has_properties = properties_bytes(packet.properties) != 0;
  if (packet.reason == ReasonCode::success && !has_properties) return;
  sink.u8(static_cast<std::uint8_t>(packet.reason));
  if (has_properties) write_properties(packet.properties, sink);
}

template <PacketType type, typename Sink>
void write_body(const PublishResponse<type>& response, ProtocolVersion version, Sink& sink) {
  sink.u16(static_cast<std::uint16_t>(response.packet_id));
  if (version == ProtocolVersion::v5) write_reason_and_properties(response, sink);
}

template <typename Sink>
void write_body(const Subscribe& subscribe, ProtocolVersion version, Sink& sink) {
  sink.u16(static_cast<std::uint16_t>(subscribe.packet_id));
  if (version == ProtocolVersion::v5) {
    write_properties(subscribe.properties, sink);
    return sink.raw(subscribe.subscriptions.wire());
  }
  for (const Subscription subscription : subscribe.subscriptions) {
    sink.text(subscription.filter);
    sink.u8(static_cast<std::uint8_t>(subscription.qos_max));
  }
}

template <typename Sink>
void write_body(const Suback& suback, ProtocolVersion version, Sink& sink) {
  sink.u16(static_cast<std::uint16_t>(suback.packet_id));
  if (version == ProtocolVersion::v5) {
    write_properties(suback.properties, sink);
    return sink.raw(suback.reasons.wire());
  }
  for (std::size_t i = 0; i < suback.reasons.size(); ++i) {
    const ReasonCode reason = suback.reasons[i];
    sink.u8(is_failure(reason) ? 0x80 : static_cast<std::uint8_t>(reason));
  }
}

template <typename Sink>
void write_body(const Unsubscribe& unsubscribe, ProtocolVersion version, Sink& sink) {
  sink.u16(static_cast<std::uint16_t>(unsubscribe.packet_id));
  if (version == ProtocolVersion::v5) write_properties(unsubscribe.properties, sink);
  sink.raw(unsubscribe.filters.wire());
}

template <typename Sink>
void write_body(const Unsuback& unsuback, ProtocolVersion version, Sink& sink) {
  sink.u16(static_cast<std::uint16_t>(unsuback.packet_id));
  if (version == ProtocolVersion::v3_1_1) return;
  write_properties(unsuback.properties, sink);
  sink.raw(unsuback.reasons.wire());
}

template <typename Sink>
void write_body(const Pingreq&, ProtocolVersion, Sink&) {}
template <typename Sink>
void write_body(const Pingresp&, ProtocolVersion, Sink&) {}

template <typename Sink>
void write_body(const Disconnect& disconnect, ProtocolVersion version, Sink& sink) {
  if (version == ProtocolVersion::v5) write_reason_and_properties(disconnect, sink);
}

template <typename Sink>
void write_body(const Auth& auth, ProtocolVersion, Sink& sink) {
  const bool has_properties = properties_bytes(auth.properties) != 0;
  if (auth.reason == ReasonCode::success && !has_properties) return;  // 3.15.2.1
  sink.u8(static_cast<std::uint8_t>(auth.reason));
  write_properties(auth.properties, sink);
}

}  // namespace ficus::mqtt
