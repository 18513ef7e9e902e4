#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/utf8.h"
#include "codec/mqtt/bytes.h"
#include "codec/mqtt/decode_error.h"
#include "codec/mqtt/packet_type.h"
#include "codec/mqtt/wire.h"

namespace ficus::mqtt {

// Reads the fields of one packet, never past its end. The first fault sticks and empties the input:
// reads after it give zeros, loops over the rest end, and the caller asks once at the end. Internal
// to this folder.
class ByteReader {
 public:
  explicit ByteReader(Bytes input) : at_(input.data()), end_(input.data() + input.size()) {}

  bool at_end() const { return at_ == end_; }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  bool ok() const { return !failed_; }
  // REQUIRES: !ok().
  DecodeError error() const { return error_; }
  const std::byte* at() const { return at_; }

  void fail(DecodeError error) {
    if (!failed_) error_ = error;
    failed_ = true;
    at_ = end_;
  }

  std::uint8_t u8() {
    const std::byte* const p = advance(1);
    return p == nullptr ? std::uint8_t{0} : std::to_integer<std::uint8_t>(*p);
  }
  std::uint16_t u16() {
    const std::byte* const p = advance(2);
    return p == nullptr ? std::uint16_t{0} : load_u16(p);
  }
  std::uint32_t u32() {
    const std::byte* const p = advance(4);
    return p == nullptr ? 0 : load_u32(p);
  }
  Bytes take(std::size_t bytes) {
    const std::byte* const p = advance(bytes);
    return p == nullptr ? Bytes() : Bytes(p, bytes);
  }
  Bytes rest() { return take(remaining()); }

  // 1.5.6.
  Bytes binary() { return take(u16()); }

  // 1.5.4. U+FEFF and control characters are text like any other ([MQTT-1.5.4-3], "SHOULD NOT").
  std::string_view text() {
    const Bytes bytes = binary();
    const std::string_view value(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!is_valid_utf8(value) || value.find('\0') != std::string_view::npos) {
      fail(DecodeError::utf8_invalid);
      return {};
    }
    return value;
  }

  // 1.5.5: at most four bytes, and no more than the value needs.
  std::uint32_t variable_integer() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
      const std::uint8_t byte = u8();
      value |= std::uint32_t{byte & 0x7fU} << shift;
      if ((byte & 0x80) != 0) continue;
      if (byte == 0 && shift > 0) fail(DecodeError::integer_invalid);
      return value;
    }
    fail(DecodeError::integer_invalid);
    return 0;
  }

  // [MQTT-2.2.1-3], [MQTT-2.2.1-4].
  PacketId packet_id() {
    const PacketId id{u16()};
    if (id == PacketId::none) fail(DecodeError::packet_id_zero);
    return id;
  }

 private:
  const std::byte* advance(std::size_t bytes) {
    if (remaining() < bytes) [[unlikely]] {
      fail(DecodeError::field_truncated);
      return nullptr;
    }
    const std::byte* const p = at_;
    at_ += bytes;
    return p;
  }

  const std::byte* at_;
  const std::byte* end_;
  DecodeError error_ = DecodeError::incomplete;
  bool failed_ = false;
};

}  // namespace ficus::mqtt
