#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"

// The state of a rule book as bytes, little endian:
//   "FRB1", last arrival i64
//   types:   count u32, each: name, slot count u32, (entity u32, newest event time i64) a slot
//   watches: count u32, each: type name, interval i64, count u32, (entity u32, last arrival i64)
//            in order of deadline
//   rules:   count u32, each: name, token hash u64, met count u32, entity u32 each,
//            held count u32, each: count u32, (entity u32, since i64)
// A name is a length u32 and its bytes. Written by RuleCapture, read by SnapshotReader
// (snapshot.cc). Internal to this module.
namespace ficus::rules {

inline constexpr std::string_view kMagic = "FRB1";

static_assert(std::endian::native == std::endian::little);

inline void put_u32(std::string& out, std::uint64_t v) {
  FICUS_CHECK(v <= 0xffffffffU);
  out.append(reinterpret_cast<const char*>(&v), 4);
}
inline void put_u64(std::string& out, std::uint64_t v) {
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}
inline void put_i64(std::string& out, std::int64_t v) {
  put_u64(out, static_cast<std::uint64_t>(v));
}
inline void put_text(std::string& out, std::string_view v) {
  put_u32(out, v.size());
  out.append(v);
}

}  // namespace ficus::rules
