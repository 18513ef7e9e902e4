#pragma once

#include <cstdint>

namespace ficus::mqtt {

// The value is the Protocol Level of CONNECT (3.1.2.2).
enum class ProtocolVersion : std::uint8_t { v3_1_1 = 4, v5 = 5 };

// MQTT 5.0, 2.1.2. `auth` exists in 5.0 only.
enum class PacketType : std::uint8_t {
  connect = 1,
  connack = 2,
  publish = 3,
  puback = 4,
  pubrec = 5,
  pubrel = 6,
  pubcomp = 7,
  subscribe = 8,
  suback = 9,
  unsubscribe = 10,
  unsuback = 11,
  pingreq = 12,
  pingresp = 13,
  disconnect = 14,
  auth = 15,
};

// "PUBLISH"
const char* packet_type_name(PacketType type);

enum class Qos : std::uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2 };

// Zero is not a packet identifier (2.2.1): it stands for "none", as in a QoS 0 PUBLISH.
enum class PacketId : std::uint16_t { none = 0 };

}  // namespace ficus::mqtt
