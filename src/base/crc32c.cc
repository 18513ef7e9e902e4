#include "base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace ficus {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78U : 0U);
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = make_table();

std::uint32_t extend_by_table(std::span<const std::byte> bytes, std::uint32_t state) {
  for (const std::byte b : bytes) {
    state = (state >> 8) ^ kTable[(state ^ std::to_integer<std::uint32_t>(b)) & 0xff];
  }
  return state;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t extend_by_instruction(
    std::span<const std::byte> bytes, std::uint32_t state) {
  std::uint64_t wide = state;
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    wide = _mm_crc32_u64(wide, word);
    bytes = bytes.subspan(8);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (const std::byte b : bytes) {
    narrow = _mm_crc32_u8(narrow, std::to_integer<unsigned char>(b));
  }
  return narrow;
}
#endif

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ~extend_by_instruction(bytes, ~crc);
#endif
  return ~extend_by_table(bytes, ~crc);
}

std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t crc);
// The plain version, kept as the oracle of the other in tests.
std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t crc) {
  return ~extend_by_table(bytes, ~crc);
}

}  // namespace ficus
