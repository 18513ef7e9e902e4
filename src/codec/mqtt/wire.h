#pragma once

#include <cstddef>
#include <cstdint>

#include "codec/mqtt/packet_type.h"

// Constants and unchecked reads that the decoder, the encoder and the views share. Internal to this
// folder.

namespace ficus::mqtt {

inline constexpr std::size_t kVariableIntegerMax = 268'435'455;  // four bytes of seven bits (1.5.5)
inline constexpr std::size_t kFieldBytesMax = 65'535;  // texts and binary data (1.5.4, 1.5.6)

// How a property's value lies on the wire (MQTT 5.0, 2.2.2.2).
enum class PropertyForm : std::uint8_t { byte, two_bytes, four_bytes, variable, sized, pair };

// The flags that 2.1.3 prescribes for every type but PUBLISH.
constexpr std::uint8_t required_flags(PacketType type) {
  return type == PacketType::pubrel || type == PacketType::subscribe ||
                 type == PacketType::unsubscribe
             ? 0b0010
             : 0;
}

constexpr std::uint16_t load_u16(const std::byte* at) {
  return static_cast<std::uint16_t>((std::to_integer<unsigned>(at[0]) << 8) |
                                    std::to_integer<unsigned>(at[1]));
}
constexpr std::uint32_t load_u32(const std::byte* at) {
  return (std::uint32_t{load_u16(at)} << 16) | load_u16(at + 2);
}
constexpr void store_u16(std::byte* at, std::uint16_t value) {
  at[0] = static_cast<std::byte>(value >> 8);
  at[1] = static_cast<std::byte>(value & 0xff);
}

constexpr std::size_t variable_integer_bytes(std::size_t value) {
  if (value < 128) return 1;
  if (value < 16'384) return 2;
  return value < 2'097'152 ? 3 : 4;
}

}  // namespace ficus::mqtt
