#include "codec/mqtt/decoder.h"

#include "codec/mqtt/packet_decoder.h"
#include "codec/mqtt/property_decoder.h"
#include "codec/mqtt/topic.h"
#include "codec/mqtt/wire.h"

namespace ficus::mqtt {
namespace {

std::optional<DecodeError> check_first_byte(PacketType type, std::uint8_t flags,
                                            ProtocolVersion version) {
  const bool is_auth = type == PacketType::auth;
  if (static_cast<std::uint8_t>(type) == 0 || (is_auth && version == ProtocolVersion::v3_1_1)) {
    return DecodeError::packet_type_invalid;
  }
  if (type == PacketType::publish) {
    if ((flags & 0b0110) == 0b0110) return DecodeError::qos_invalid;  // [MQTT-3.3.1-4]
    if ((flags & 0b1110) == 0b1000) return DecodeError::dup_invalid;  // [MQTT-3.3.1-2]
    return std::nullopt;
  }
  if (flags != required_flags(type)) return DecodeError::packet_flags_invalid;  // [MQTT-2.1.3-1]
  return std::nullopt;
}

// 3.3.1. Naming a value makes this an initialisation by members; emplace() alone would zero all of
// it first.
Publish& emplace_publish(std::uint8_t flags, Packet& packet) {
  return packet.emplace<Publish>((flags & 0b1000) != 0, static_cast<Qos>((flags >> 1) & 0b11),
                                 (flags & 0b0001) != 0);
}

void read_publish(ByteReader& reader, ProtocolVersion version, Publish& publish) {
  publish.topic = reader.text();
  // [MQTT-3.3.2-2], [MQTT-4.7.3-1]; in 5.0 an alias may stand for the name, see below.
  const bool may_be_empty = version == ProtocolVersion::v5;
  if (!is_valid_topic_name(publish.topic) && !(may_be_empty && publish.topic.empty())) {
    reader.fail(DecodeError::topic_name_invalid);
  }
  if (publish.qos != Qos::at_most_once) publish.packet_id = reader.packet_id();
  if (version == ProtocolVersion::v5) {
    PropertyDecoder::read(reader, publish.properties);
    if (publish.topic.empty() && !publish.properties.topic_alias) {
      reader.fail(DecodeError::topic_name_missing);  // 3.3.2.1
    }
  }
  publish.payload = reader.rest();
}

template <typename Response>
void read_response(ByteReader& reader, ProtocolVersion version, Response& response) {
  response.packet_id = reader.packet_id();
  if (version == ProtocolVersion::v3_1_1 || reader.at_end()) return;  // 3.4.2.1: success
  response.reason = read_reason(reader, Response::kType);
  if (!reader.at_end()) PropertyDecoder::read(reader, response.properties);  // 3.4.2.2.1
}

// 3.8.3.1; 3.1.1 reserves all bits but the QoS.
void check_options(ByteReader& reader, ProtocolVersion version, std::uint8_t options,
                   bool is_shared) {
  const unsigned reserved = version == ProtocolVersion::v5 ? 0b1100'0000U : 0b1111'1100U;
  if ((options & reserved) != 0) reader.fail(DecodeError::subscription_options_invalid);
  if ((options & 0b11) == 3) reader.fail(DecodeError::qos_invalid);
  if (((options >> 4) & 0b11) == 3) reader.fail(DecodeError::retain_handling_invalid);
  if (is_shared && (options & 0b100) != 0) reader.fail(DecodeError::no_local_on_shared);
}

// "$share/..." is a plain filter in 3.1.1. Tells whether the filter is a shared one.
bool read_filter(ByteReader& reader, ProtocolVersion version) {
  const std::string_view filter = reader.text();
  if (version == ProtocolVersion::v3_1_1) {
    if (!is_valid_topic_filter(filter)) reader.fail(DecodeError::topic_filter_invalid);
    return false;
  }
  const std::optional<ParsedFilter> parsed = parse_filter(filter);
  if (!parsed) reader.fail(DecodeError::topic_filter_invalid);
  return parsed && parsed->is_shared();
}

void read_subscribe(ByteReader& reader, ProtocolVersion version, Subscribe& subscribe) {
  subscribe.packet_id = reader.packet_id();
  if (version == ProtocolVersion::v5) PropertyDecoder::read(reader, subscribe.properties);
  const Bytes payload(reader.at(), reader.remaining());
  std::size_t count = 0;
  for (; !reader.at_end(); ++count) {
    const bool is_shared = read_filter(reader, version);
    check_options(reader, version, reader.u8(), is_shared);
  }
  if (count == 0) reader.fail(DecodeError::payload_empty);  // [MQTT-3.8.3-2]
  if (reader.ok()) subscribe.subscriptions = Subscriptions(payload, count);
}

void read_unsubscribe(ByteReader& reader, ProtocolVersion version, Unsubscribe& unsubscribe) {
  unsubscribe.packet_id = reader.packet_id();
  if (version == ProtocolVersion::v5) PropertyDecoder::read(reader, unsubscribe.properties);
  const Bytes payload(reader.at(), reader.remaining());
  std::size_t count = 0;
  for (; !reader.at_end(); ++count) read_filter(reader, version);
  if (count == 0) reader.fail(DecodeError::payload_empty);  // [MQTT-3.10.3-2]
  if (reader.ok()) unsubscribe.filters = TopicFilters(payload, count);
}

ReasonCodes read_reasons(ByteReader& reader, PacketType type) {
  const Bytes payload(reader.at(), reader.remaining());
  if (payload.empty()) reader.fail(DecodeError::payload_empty);  // 3.9.3, 3.11.3
  while (!reader.at_end()) read_reason(reader, type);
  return ReasonCodes(payload);
}

void read_suback(ByteReader& reader, ProtocolVersion version, Suback& suback) {
  suback.packet_id = reader.packet_id();
  if (version == ProtocolVersion::v5) PropertyDecoder::read(reader, suback.properties);
  suback.reasons = read_reasons(reader, PacketType::suback);
  if (version == ProtocolVersion::v5) return;
  for (const std::byte code : suback.reasons.wire()) {  // MQTT 3.1.1, [MQTT-3.9.3-2]
    if (code > std::byte{0x02} && code != std::byte{0x80}) {
      reader.fail(DecodeError::reason_code_invalid);
    }
  }
}

void read_unsuback(ByteReader& reader, ProtocolVersion version, Unsuback& unsuback) {
  unsuback.packet_id = reader.packet_id();
  if (version == ProtocolVersion::v3_1_1) return;
  PropertyDecoder::read(reader, unsuback.properties);
  unsuback.reasons = read_reasons(reader, PacketType::unsuback);
}

void read_packet(ByteReader& reader, const FixedHeader& header, ProtocolVersion version,
                 Packet& packet) {
  switch (header.type) {
    case PacketType::connect:
      return read_connect(reader, packet.emplace<Connect>());
    case PacketType::connack:
      return read_connack(reader, version, packet.emplace<Connack>());
    case PacketType::publish:
      return read_publish(reader, version, emplace_publish(header.flags, packet));
    case PacketType::puback:
      return read_response(reader, version, packet.emplace<Puback>());
    case PacketType::pubrec:
      return read_response(reader, version, packet.emplace<Pubrec>());
    case PacketType::pubrel:
      return read_response(reader, version, packet.emplace<Pubrel>());
    case PacketType::pubcomp:
      return read_response(reader, version, packet.emplace<Pubcomp>());
    case PacketType::subscribe:
      return read_subscribe(reader, version, packet.emplace<Subscribe>());
    case PacketType::suback:
      return read_suback(reader, version, packet.emplace<Suback>());
    case PacketType::unsubscribe:
      return read_unsubscribe(reader, version, packet.emplace<Unsubscribe>());
    case PacketType::unsuback:
      return read_unsuback(reader, version, packet.emplace<Unsuback>());
    case PacketType::pingreq:
      packet.emplace<Pingreq>();
      return;
    case PacketType::pingresp:
      packet.emplace<Pingresp>();
      return;
    case PacketType::disconnect:
      return read_disconnect(reader, version, packet.emplace<Disconnect>());
    case PacketType::auth:
      return read_auth(reader, packet.emplace<Auth>());
  }
}

}  // namespace

ReasonCode read_reason(ByteReader& reader, PacketType type) {
  const ReasonCode reason{reader.u8()};
  if (!is_reason_allowed(type, reason)) reader.fail(DecodeError::reason_code_invalid);
  return reason;
}

std::expected<FixedHeader, DecodeError> decode_fixed_header(std::span<const std::byte> input,
                                                            ProtocolVersion version,
                                                            std::size_t packet_bytes_max) {
  if (input.empty()) return std::unexpected(DecodeError::incomplete);
  const auto first = std::to_integer<std::uint8_t>(input[0]);
  const PacketType type{static_cast<std::uint8_t>(first >> 4)};
  const auto flags = static_cast<std::uint8_t>(first & 0x0f);
  if (const auto error = check_first_byte(type, flags, version)) return std::unexpected(*error);

  // 2.1.4. A length in more bytes than it needs is taken: 3.1.1 allows it, and embedded clients
  // that reserve room for the longest form exist.
  std::size_t length = 0;
  for (std::size_t i = 1; i <= 4; ++i) {
    if (i == input.size()) return std::unexpected(DecodeError::incomplete);
    const auto byte = std::to_integer<std::size_t>(input[i]);
    length |= (byte & 0x7f) << (7 * (i - 1));
    if ((byte & 0x80) != 0) continue;
    const std::size_t header_bytes = i + 1;
    if (header_bytes + length > packet_bytes_max) return std::unexpected(DecodeError::too_large);
    return FixedHeader{type, flags, header_bytes, header_bytes + length};
  }
  return std::unexpected(DecodeError::remaining_length_invalid);
}

std::expected<Decoded, DecodeError> decode(std::span<const std::byte> input,
                                           ProtocolVersion version, std::size_t packet_bytes_max) {
  // Built in its place and returned as the only object: a packet is up to half a kilobyte, too much
  // to move about for every PUBLISH.
  std::expected<Decoded, DecodeError> decoded(std::unexpect, DecodeError::incomplete);
  const auto header = decode_fixed_header(input, version, packet_bytes_max);
  if (!header) {
    decoded.error() = header.error();
    return decoded;
  }
  if (input.size() < header->packet_bytes) return decoded;

  ByteReader reader{
      Bytes(input.subspan(header->header_bytes, header->packet_bytes - header->header_bytes))};
  Decoded& value = decoded.emplace();
  value.bytes = header->packet_bytes;
  read_packet(reader, *header, version, value.packet);
  if (!reader.at_end()) reader.fail(DecodeError::trailing_bytes);
  if (!reader.ok()) decoded = std::unexpected(reader.error());
  return decoded;
}

}  // namespace ficus::mqtt
