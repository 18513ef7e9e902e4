#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ficus {

// XXH3, 64 bits. Stable over versions and machines: it decides which shard owns an entity.
std::uint64_t hash64(std::span<const std::byte> bytes, std::uint64_t seed = 0);
std::uint64_t hash64(std::string_view text, std::uint64_t seed = 0);

// Mixes a word into a running hash; for fingerprints of rows.
constexpr std::uint64_t hash_mix(std::uint64_t hash, std::uint64_t word) {
  std::uint64_t z = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 32)) * 0xd6e8feb86659fd93ULL;
  return z ^ (z >> 29);
}

}  // namespace ficus
