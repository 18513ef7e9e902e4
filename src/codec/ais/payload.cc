#include "codec/ais/payload.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace ficus::ais {
namespace {

// IEC 61162-1, table of six-bit encapsulation: '0'..'W' are 0 to 39, '`'..'w' are 40 to 63.
// Negative for every other character.
constexpr int sixbit_of_armor(char c) {
  if (c >= '0' && c <= 'W') return c - '0';
  if (c >= '`' && c <= 'w') return c - '`' + 40;
  return -1;
}

constexpr char armor_of_sixbit(std::uint32_t value) {
  return static_cast<char>(value < 40 ? '0' + value : '`' + (value - 40));
}

// M.1371-5, annex 8, table 47: 0 to 31 are '@' to '_', 32 to 63 are ' ' to '?'.
constexpr char letter_of_sixbit(std::uint32_t value) {
  return static_cast<char>(value < 32 ? value + 64 : value);
}

constexpr std::uint32_t sixbit_of_letter(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c >= '@' && c <= '_') return static_cast<std::uint32_t>(c - '@');
  if (c >= ' ' && c <= '?') return static_cast<std::uint32_t>(c);
  return ' ';
}

}  // namespace

std::expected<void, AisError> Payload::append_armored(std::string_view characters, int fill_bits) {
  FICUS_CHECK(fill_bits >= 0 && fill_bits <= 5);
  if (characters.size() > (kBitsMax - bit_count_) / 6) return std::unexpected(AisError::too_long);
  for (const char c : characters) {
    if (sixbit_of_armor(c) < 0) return std::unexpected(AisError::bad_armor);
  }
  if (characters.empty()) return {};
  const auto last = static_cast<std::uint32_t>(sixbit_of_armor(characters.back()));
  characters.remove_suffix(1);
  // Five characters at a time fit a word.
  std::uint32_t word = 0;
  int width = 0;
  for (const char c : characters) {
    word = (word << 6) | static_cast<std::uint32_t>(sixbit_of_armor(c));
    width += 6;
    if (width == 30) {
      append(word, width);
      word = 0;
      width = 0;
    }
  }
  append(word, width);
  append(last >> fill_bits, 6 - fill_bits);
  return {};
}

void Payload::append(std::uint32_t value, int width) {
  FICUS_DCHECK(width >= 0 && width <= 32);
  while (width > 0 && bit_count_ < kBitsMax) {
    // As many bits as the present byte still takes.
    const int room = 8 - static_cast<int>(bit_count_ % 8);
    const int taken = std::min(room, width);
    const std::uint32_t part = (value >> (width - taken)) & ((1U << taken) - 1U);
    std::uint8_t& byte = bytes_[bit_count_ / 8];
    byte = static_cast<std::uint8_t>(byte | (part << (room - taken)));
    bit_count_ += static_cast<std::size_t>(taken);
    width -= taken;
  }
}

void Payload::append_text(std::string_view text, int count) {
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    append(index < text.size() ? sixbit_of_letter(text[index]) : 0U, 6);
  }
}

std::uint32_t Payload::bits(std::size_t start, int width) const {
  FICUS_DCHECK(width >= 0 && width <= 32);
  const std::size_t end = std::min(start + static_cast<std::size_t>(width), bit_count_);
  if (start >= end) return 0;
  // Eight bytes from the one of the first bit on: `kSlackBytes` are always there to be read.
  std::uint64_t word = 0;
  std::memcpy(&word, bytes_.data() + start / 8, sizeof word);
  if constexpr (std::endian::native == std::endian::little) word = std::byteswap(word);
  return static_cast<std::uint32_t>((word << (start % 8)) >> (64 - (end - start)));
}

std::int32_t Payload::signed_bits(std::size_t start, int width) const {
  FICUS_DCHECK(width >= 1 && width <= 32);
  const std::uint32_t value = bits(start, width);
  const std::uint32_t sign = 1U << (width - 1);
  return static_cast<std::int32_t>((value ^ sign) - sign);
}

std::string Payload::text(std::size_t start, int count) const {
  std::string out;
  for (int i = 0; i < count; ++i) {
    const std::size_t at = start + static_cast<std::size_t>(i) * 6;
    if (at + 6 > bit_count_) break;
    const std::uint32_t value = bits(at, 6);
    if (value == 0) break;
    out.push_back(letter_of_sixbit(value));
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string Payload::armored(int& fill_bits) const {
  std::string out;
  out.reserve(bit_count_ / 6 + 1);
  for (std::size_t at = 0; at < bit_count_; at += 6) {
    const int present = static_cast<int>(std::min<std::size_t>(6, bit_count_ - at));
    out.push_back(armor_of_sixbit(bits(at, present) << (6 - present)));
  }
  fill_bits = static_cast<int>((6 - bit_count_ % 6) % 6);
  return out;
}

}  // namespace ficus::ais
