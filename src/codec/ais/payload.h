#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "codec/ais/error.h"

namespace ficus::ais {

// The bits of one message. M.1371-5 ends at five slots, 1 192 bits with all overhead; the limit
// leaves room for senders that pad.
class Payload {
 public:
  static constexpr std::size_t kBitsMax = 1536;

  std::size_t bit_count() const { return bit_count_; }

  // Adds the six bits of each character but the last `fill_bits` of all (IEC 61162-1, 7.2.2).
  // On an error nothing is added. REQUIRES: fill_bits <= 5.
  std::expected<void, AisError> append_armored(std::string_view characters, int fill_bits);
  // Adds the `width` lowest bits of `value`, as far as there is room. REQUIRES: width <= 32.
  void append(std::uint32_t value, int width);
  // Adds six-bit characters: what M.1371 cannot write becomes a blank, '@' fills up to `count`.
  void append_text(std::string_view text, int count);

  // The `width` bits from `start` on; bits behind the end read as absent, so that a cut field is
  // the number of those that came. REQUIRES: width <= 32.
  std::uint32_t bits(std::size_t start, int width) const;
  std::int32_t signed_bits(std::size_t start, int width) const;  // two's complement
  bool bit(std::size_t start) const { return bits(start, 1) != 0; }
  // Up to `count` six-bit characters; ends before the first '@', without trailing blanks.
  std::string text(std::size_t start, int count) const;

  // Six-bit characters, and how many bits of the last are no message.
  std::string armored(int& fill_bits) const;

  friend bool operator==(const Payload&, const Payload&) = default;

 private:
  static constexpr std::size_t kSlackBytes = 8;  // zero, so that a word can be read at any bit

  std::array<std::uint8_t, kBitsMax / 8 + kSlackBytes> bytes_{};
  std::size_t bit_count_ = 0;
};

}  // namespace ficus::ais
