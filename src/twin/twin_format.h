#pragma once

#include <string_view>

// The state of a twin as bytes, version 1. Little-endian, no padding:
//
//   "FICUSTW1"
//   u32 types; each, by ascending name:
//     u8 length, name; u32 attributes; each, by ascending name: u8 length, name; u8 kind
//   u32 entities; u16 type each; u16 id length each; the ids
//   for each type, for each attribute:
//     one bit a row of the type (least significant first): whether it is known
//     of the known: i64 observed_at each, then the values:
//     number f64; boolean u8; time i64; point 2 x f64; texts: u32 length each, the bytes
//   u64 rows in the present generation of the duplicate filter; u32 fingerprints, u64 each
//   ascending; the same of the former generation, without rows
//
// Only types with entities and attributes with values are written, so that equal states are equal
// bytes, whatever numbers the schema gave them. The log's snapshot files carry the checksum.
// Written by TwinCapture, read by Twin::decode. Internal to this module.
namespace ficus::twin {

inline constexpr std::string_view kMagic = "FICUSTW1";

}  // namespace ficus::twin
