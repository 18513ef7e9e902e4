#pragma once

#include <compare>
#include <cstdint>

namespace ficus::log {

// A place in the log of one shard: the count of record bytes before it, over all segments there
// ever were. It only grows and is never used twice, so a view that remembers "applied up to here"
// stays right over restarts, rolls and truncations. Every record begins and ends at a position;
// nothing between is one.
struct Position {
  std::uint64_t offset = 0;

  static constexpr Position max() { return {UINT64_MAX}; }

  friend constexpr auto operator<=>(Position, Position) = default;
  friend constexpr Position operator+(Position p, std::uint64_t bytes) {
    return {p.offset + bytes};
  }
  // REQUIRES: a >= b.
  friend constexpr std::uint64_t operator-(Position a, Position b) { return a.offset - b.offset; }
};

}  // namespace ficus::log
