#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "codec/mqtt/bytes.h"
#include "codec/mqtt/wire.h"

// Two sinks with the same calls: the encoder describes each packet once, first to a ByteCounter,
// which finds its length and over-long fields, then to a ByteWriter. Internal to this folder.

namespace ficus::mqtt {

class ByteCounter {
 public:
  void u8(std::uint8_t) { bytes_ += 1; }
  void u16(std::uint16_t) { bytes_ += 2; }
  void u32(std::uint32_t) { bytes_ += 4; }
  void variable_integer(std::size_t value) { bytes_ += variable_integer_bytes(value); }
  void text(std::string_view value) { field(value.size()); }
  void binary(Bytes value) { field(value.size()); }
  void raw(Bytes value) { bytes_ += value.size(); }

  std::size_t bytes() const { return bytes_; }
  bool has_field_too_long() const { return has_field_too_long_; }

 private:
  void field(std::size_t size) {
    bytes_ += 2 + size;
    has_field_too_long_ |= size > kFieldBytesMax;
  }

  std::size_t bytes_ = 0;
  bool has_field_too_long_ = false;
};

// Writes without checks into room that a ByteCounter has measured.
class ByteWriter {
 public:
  explicit ByteWriter(std::byte* at) : at_(at) {}

  void u8(std::uint8_t value) { *at_++ = static_cast<std::byte>(value); }
  void u16(std::uint16_t value) {
    store_u16(at_, value);
    at_ += 2;
  }
  void u32(std::uint32_t value) {
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value & 0xffff));
  }
  void variable_integer(std::size_t value) {
    while (value >= 128) {
      u8(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    u8(static_cast<std::uint8_t>(value));
  }
  void text(std::string_view value) { binary(Bytes(std::as_bytes(std::span(value)))); }
  void binary(Bytes value) {
    u16(static_cast<std::uint16_t>(value.size()));
    raw(value);
  }
  void raw(Bytes value) {
    if (!value.empty()) std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }

  const std::byte* at() const { return at_; }

 private:
  std::byte* at_;
};

// Makes room for `bytes` more, growing by doubling: reserving exactly would copy the buffer at
// every packet.
inline void make_room(std::vector<std::byte>& out, std::size_t bytes) {
  if (out.capacity() - out.size() < bytes) {
    out.reserve(std::max(out.size() + bytes, 2 * out.capacity()));
  }
}

// Lengthens `out` by `bytes` and returns the writer that fills them.
inline ByteWriter append_bytes(std::vector<std::byte>& out, std::size_t bytes) {
  const std::size_t before = out.size();
  make_room(out, bytes);
  out.resize(before + bytes);
  return ByteWriter(out.data() + before);
}

}  // namespace ficus::mqtt
