#include <optional>
#include <string_view>

#include "codec/mqtt/packet_decoder.h"
#include "codec/mqtt/property_decoder.h"
#include "codec/mqtt/topic.h"

namespace ficus::mqtt {
namespace {

// 3.1.2.3, bit by bit from the top.
struct ConnectFlags {
  bool has_user_name = false;
  bool has_password = false;
  bool will_retain = false;
  unsigned will_qos = 0;
  bool has_will = false;
  bool clean_start = false;
};

// The same bytes in every version (3.1.2.1, 3.1.2.2).
struct Protocol {
  std::string_view name{};
  std::uint8_t level = 0;
};

Protocol read_protocol(ByteReader& reader) {
  const Bytes name = reader.binary();
  const std::uint8_t level = reader.u8();
  return {{reinterpret_cast<const char*>(name.data()), name.size()}, level};
}

ConnectFlags read_flags(ByteReader& reader, ProtocolVersion version) {
  const std::uint8_t bits = reader.u8();
  const ConnectFlags flags{.has_user_name = (bits & 0x80) != 0,
                           .has_password = (bits & 0x40) != 0,
                           .will_retain = (bits & 0x20) != 0,
                           .will_qos = (bits >> 3) & 0b11U,
                           .has_will = (bits & 0x04) != 0,
                           .clean_start = (bits & 0x02) != 0};
  if ((bits & 0x01) != 0) reader.fail(DecodeError::connect_flags_invalid);  // [MQTT-3.1.2-3]
  if (flags.will_qos == 3) reader.fail(DecodeError::qos_invalid);           // [MQTT-3.1.2-12]
  if (!flags.has_will && (flags.will_qos != 0 || flags.will_retain)) {
    reader.fail(DecodeError::connect_flags_invalid);  // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
  }
  // MQTT 3.1.1, [MQTT-3.1.2-22]; 5.0 allows a password alone (3.1.2.9).
  if (version == ProtocolVersion::v3_1_1 && flags.has_password && !flags.has_user_name) {
    reader.fail(DecodeError::connect_flags_invalid);
  }
  return flags;
}

// 3.1.3.2 to 3.1.3.4.
void read_will(ByteReader& reader, const ConnectFlags& flags, ProtocolVersion version, Will& will) {
  will.qos = static_cast<Qos>(flags.will_qos);
  will.retain = flags.will_retain;
  if (version == ProtocolVersion::v5) PropertyDecoder::read(reader, will.properties);
  will.topic = reader.text();
  if (!is_valid_topic_name(will.topic)) reader.fail(DecodeError::topic_name_invalid);
  will.payload = reader.binary();
}

}  // namespace

void read_connect(ByteReader& reader, Connect& connect) {
  const Protocol protocol = read_protocol(reader);
  if (!reader.ok()) return;
  if (protocol.name != "MQTT" || (protocol.level != 4 && protocol.level != 5)) {
    return reader.fail(
        DecodeError::protocol_version_unsupported);  // [MQTT-3.1.2-1], [MQTT-3.1.2-2]
  }
  connect.version = static_cast<ProtocolVersion>(protocol.level);
  const ConnectFlags flags = read_flags(reader, connect.version);
  connect.clean_start = flags.clean_start;
  connect.keep_alive_s = reader.u16();
  if (connect.version == ProtocolVersion::v5) {
    PropertyDecoder::read(reader, connect.properties);
    if (connect.properties.authentication_data && !connect.properties.authentication_method) {
      reader.fail(DecodeError::authentication_method_missing);  // 3.1.2.11.10
    }
  }
  connect.client_id = reader.text();
  if (connect.version == ProtocolVersion::v3_1_1 && connect.client_id.empty() &&
      !connect.clean_start) {
    reader.fail(DecodeError::client_id_missing);  // MQTT 3.1.1, [MQTT-3.1.3-7], [MQTT-3.1.3-8]
  }
  if (flags.has_will) read_will(reader, flags, connect.version, connect.will.emplace());
  if (flags.has_user_name) connect.user_name = reader.text();
  if (flags.has_password) connect.password = reader.binary();
}

void read_connack(ByteReader& reader, ProtocolVersion version, Connack& connack) {
  const std::uint8_t flags = reader.u8();
  if (flags > 1) reader.fail(DecodeError::connack_flags_invalid);  // [MQTT-3.2.2-1]
  connack.session_present = flags == 1;
  if (version == ProtocolVersion::v5) {
    connack.reason = read_reason(reader, PacketType::connack);
    PropertyDecoder::read(reader, connack.properties);
  } else {
    const std::optional<ReasonCode> reason = from_connect_return_code(reader.u8());
    if (!reason) reader.fail(DecodeError::reason_code_invalid);
    connack.reason = reason.value_or(ReasonCode::success);
  }
  if (connack.session_present && connack.reason != ReasonCode::success) {
    reader.fail(DecodeError::connack_flags_invalid);  // [MQTT-3.2.2-6]; 3.1.1: [MQTT-3.2.2-4]
  }
}

void read_disconnect(ByteReader& reader, ProtocolVersion version, Disconnect& disconnect) {
  if (version == ProtocolVersion::v3_1_1 || reader.at_end()) return;  // 3.14.2.1
  disconnect.reason = read_reason(reader, PacketType::disconnect);
  if (!reader.at_end()) PropertyDecoder::read(reader, disconnect.properties);  // 3.14.2.2.1
}

void read_auth(ByteReader& reader, Auth& auth) {
  if (reader.at_end()) return;  // 3.15.2.1: success without properties
  auth.reason = read_reason(reader, PacketType::auth);
  PropertyDecoder::read(reader, auth.properties);
  if (!auth.properties.authentication_method) {
    reader.fail(DecodeError::authentication_method_missing);  // 3.15.2.2.2
  }
}

std::optional<std::uint8_t> connect_protocol_level(std::span<const std::byte> input) {
  // The limit and the rest of the packet do not matter here, so the length bytes are only skipped.
  ByteReader reader{Bytes(input)};
  if (reader.u8() != 0x10) return std::nullopt;
  for (int i = 0; i < 4 && (reader.u8() & 0x80) != 0; ++i) continue;
  const Protocol protocol = read_protocol(reader);
  // "MQIsdp" is MQTT 3.1, whose clients understand the refusal of 3.1.1.
  const bool is_mqtt = protocol.name == "MQTT" || protocol.name == "MQIsdp";
  if (!reader.ok() || !is_mqtt) return std::nullopt;
  return protocol.level;
}

}  // namespace ficus::mqtt
