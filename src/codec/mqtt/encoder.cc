#include "codec/mqtt/encoder.h"

#include <utility>

#include "base/check.h"
#include "codec/mqtt/byte_writer.h"
#include "codec/mqtt/packet_encoder.h"

namespace ficus::mqtt {
namespace {

// The payload of a PUBLISH is copied straight behind the rest: filling its room first would double
// the cost.
template <typename P>
Bytes trailing_payload(const P&) {
  return {};
}
template <>
Bytes trailing_payload(const Publish& publish) {
  return publish.payload;
}

// True if it had something to drop. Answers must not carry reason strings or user properties that
// would make them too large for the peer; other packets keep theirs
// (3.2.2.3.9, 3.4.2.2.2, 3.14.2.2.3, 3.15.2.2.4 and beside them).
template <typename P>
bool drop_diagnostics(P& packet) {
  if constexpr (requires { packet.properties.reason_string; }) {
    auto& properties = packet.properties;
    const bool has_any = properties.reason_string || !properties.user_properties.empty();
    properties.reason_string.reset();
    properties.user_properties = {};
    return has_any;
  } else {
    return false;
  }
}

template <typename P>
std::expected<void, EncodeError> encode_packet(const P& packet, ProtocolVersion version,
                                               std::size_t packet_bytes_max,
                                               std::vector<std::byte>& out) {
  if (const auto error = find_fault(packet, version)) return std::unexpected(*error);
  ByteCounter counter;
  write_body(packet, version, counter);
  if (counter.has_field_too_long()) return std::unexpected(EncodeError::field_too_long);

  const Bytes payload = trailing_payload(packet);
  const std::size_t remaining = counter.bytes() + payload.size();
  const std::size_t header_bytes = 1 + variable_integer_bytes(remaining);
  if (remaining > kVariableIntegerMax || header_bytes + remaining > packet_bytes_max) {
    P smaller = packet;
    if (!drop_diagnostics(smaller)) return std::unexpected(EncodeError::too_large);
    return encode_packet(smaller, version, packet_bytes_max, out);
  }

  make_room(out, header_bytes + remaining);
  ByteWriter writer = append_bytes(out, header_bytes + counter.bytes());
  writer.u8(first_byte(packet));
  writer.variable_integer(remaining);
  write_body(packet, version, writer);
  FICUS_DCHECK(writer.at() == out.data() + out.size());
  out.insert(out.end(), payload.begin(), payload.end());
  return {};
}

}  // namespace

const char* encode_error_name(EncodeError error) {
  switch (error) {
    case EncodeError::too_large:
      return "too_large";
    case EncodeError::field_too_long:
      return "field_too_long";
    case EncodeError::packet_id_invalid:
      return "packet_id_invalid";
    case EncodeError::payload_empty:
      return "payload_empty";
    case EncodeError::not_in_version:
      return "not_in_version";
    case EncodeError::value_invalid:
      return "value_invalid";
  }
  std::unreachable();
}

std::expected<void, EncodeError> encode(const Packet& packet, ProtocolVersion version,
                                        std::size_t packet_bytes_max, std::vector<std::byte>& out) {
  return std::visit([&](const auto& p) { return encode_packet(p, version, packet_bytes_max, out); },
                    packet);
}

std::expected<void, EncodeError> encode_publish(const Publish& publish, ProtocolVersion version,
                                                std::size_t packet_bytes_max,
                                                std::vector<std::byte>& out) {
  return encode_packet(publish, version, packet_bytes_max, out);
}

void encode_puback(PacketId packet_id, std::vector<std::byte>& out) {
  FICUS_DCHECK(packet_id != PacketId::none);
  ByteWriter writer = append_bytes(out, 4);
  writer.u8(static_cast<std::uint8_t>(PacketType::puback) << 4);
  writer.u8(2);
  writer.u16(static_cast<std::uint16_t>(packet_id));
}

void encode_pingresp(std::vector<std::byte>& out) {
  ByteWriter writer = append_bytes(out, 2);
  writer.u8(static_cast<std::uint8_t>(PacketType::pingresp) << 4);
  writer.u8(0);
}

}  // namespace ficus::mqtt
