#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/suggest/profile.h"

namespace ficus::connect::suggest {

struct UnitGuess {
  std::string code;  // UN/CEFACT
  std::string why;
};

// The unit that a number of this name and range probably has; nothing if the name says nothing or
// the range contradicts it.
std::optional<UnitGuess> guess_unit(const std::vector<std::string>& words, double min, double max);

struct TimeGuess {
  std::string format;   // of sources.yaml: iso8601, unix_ms, ...; "local" with or without a pattern
  std::string pattern;  // of "local"
  bool needs_zone = false;
  std::uint64_t fits = 0;  // values
  std::string why;
};

// Whether the values are times, by what they look like and, for numbers, by the name too.
std::optional<TimeGuess> guess_time(const std::vector<std::string>& words, const Profile& values);

enum class CrsHint : std::uint8_t { none, wgs84, gcj02, bd09 };
// What a name says about the system of coordinates: gcj, amap, 高德; bd09, baidu, 百度; wgs, gps.
CrsHint crs_hint(std::string_view path);

// Texts that stand for a missing number: "NA", "--", "".
bool is_missing_word(std::string_view text);

// The degrees of a compass direction, as in "NNW"; nothing for others.
std::optional<double> compass_degrees(std::string_view text);

}  // namespace ficus::connect::suggest
