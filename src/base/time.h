#pragma once

#include <compare>
#include <cstdint>

namespace ficus {

// A length of time in microseconds; may be negative.
struct Micros {
  std::int64_t count = 0;

  static constexpr Micros from_millis(std::int64_t n) { return {n * 1000}; }
  static constexpr Micros from_seconds(std::int64_t n) { return {n * 1'000'000}; }
  static constexpr Micros from_hours(std::int64_t n) { return {n * 3'600'000'000}; }
  constexpr double seconds() const { return static_cast<double>(count) / 1e6; }

  friend constexpr auto operator<=>(Micros, Micros) = default;
  friend constexpr Micros operator+(Micros a, Micros b) { return {a.count + b.count}; }
  friend constexpr Micros operator-(Micros a, Micros b) { return {a.count - b.count}; }
};

// A point in time: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
struct Timestamp {
  std::int64_t micros = 0;

  static constexpr Timestamp from_seconds(std::int64_t n) { return {n * 1'000'000}; }
  static constexpr Timestamp min() { return {INT64_MIN}; }

  friend constexpr auto operator<=>(Timestamp, Timestamp) = default;
  friend constexpr Timestamp operator+(Timestamp t, Micros d) { return {t.micros + d.count}; }
  friend constexpr Timestamp operator-(Timestamp t, Micros d) { return {t.micros - d.count}; }
  friend constexpr Micros operator-(Timestamp a, Timestamp b) { return {a.micros - b.micros}; }
};

}  // namespace ficus
