#include "connect/suggest/guess.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/time_text.h"
#include "connect/suggest/words.h"

namespace ficus::connect::suggest {
namespace {

struct UnitRow {
  std::string_view words;  // all of them, space between; '-' in front: must not be there
  std::string_view code;
  double min;
  double max;
};

// The first row that fits counts: what a name spells out, then the more special, then the usual.
constexpr UnitRow kUnits[] = {
    {"kmh", "KMH", 0, 500},
    {"kph", "KMH", 0, 500},
    {"mph", "HM", 0, 300},
    {"knots", "KNT", 0, 150},
    {"kn", "KNT", 0, 150},
    {"mps", "MTS", 0, 150},
    {"fahrenheit", "FAH", -80, 250},
    {"kelvin", "KEL", 0, 2000},
    {"celsius", "CEL", -90, 2000},
    {"percent", "P1", 0, 100},
    {"pct", "P1", 0, 100},
    {"kwh", "KWH", 0, 1e12},
    {"kw", "KWT", -1e6, 1e6},
    {"hpa", "A97", 500, 1100},
    {"kpa", "KPA", 0, 1e5},
    {"mpa", "MPA", 0, 1000},
    {"pm25", "GQ", 0, 2000},
    {"pm10", "GQ", 0, 6000},
    {"pm1", "GQ", 0, 2000},
    {"tsp", "GQ", 0, 10000},
    {"so2", "GQ", 0, 3000},
    {"no2", "GQ", 0, 3000},
    {"no", "GQ", 0, 3000},
    {"nox", "GQ", 0, 5000},
    {"o3", "GQ", 0, 2000},
    {"co2", "59", 250, 10000},
    {"co", "GP", 0, 60},
    {"co", "GQ", 60, 60000},
    {"ph", "Q30", 0, 14},
    {"wind direction", "DD", 0, 360},
    {"wind dir", "DD", 0, 360},
    {"wind speed", "MTS", 0, 90},
    {"wspm", "MTS", 0, 90},
    {"speed", "KMH", 0, 400},
    {"spd", "KMH", 0, 400},
    {"velocity", "KMH", 0, 400},
    {"heading", "DD", 0, 360},
    {"bearing", "DD", 0, 360},
    {"course", "DD", 0, 360},
    {"cog", "DD", 0, 360},
    {"sog", "KNT", 0, 150},
    {"azimuth", "DD", 0, 360},
    {"temperature", "CEL", -60, 200},
    {"temp", "CEL", -60, 200},
    {"temperature", "KEL", 200, 400},
    {"temp", "KEL", 200, 400},
    {"tmp", "CEL", -60, 200},
    {"dewp", "CEL", -60, 60},
    {"dew", "CEL", -60, 60},
    {"humidity", "P1", 0, 100},
    {"hum", "P1", 0, 100},
    {"rh", "P1", 0, 100},
    {"battery", "P1", 0, 100},
    {"soc", "P1", 0, 100},
    {"pres", "A97", 500, 1100},
    {"pressure", "A97", 500, 1100},
    {"barometer", "A97", 500, 1100},
    {"pressure", "PAL", 50000, 110000},
    {"rain", "MMT", 0, 1000},
    {"rainfall", "MMT", 0, 1000},
    {"precipitation", "MMT", 0, 1000},
    {"noise", "2N", 0, 160},
    {"laeq", "2N", 0, 160},
    {"leq", "2N", 0, 160},
    {"decibel", "2N", 0, 160},
    {"voltage", "VLT", 0, 1e6},
    {"volt", "VLT", 0, 1e6},
    {"frequency", "HTZ", 0, 1e6},
    {"rpm", "RPM", 0, 1e5},
    {"lux", "LUX", 0, 2e5},
    {"illuminance", "LUX", 0, 2e5},
    {"mileage", "KMT", 0, 1e7},
    {"odometer", "KMT", 0, 1e7},
    {"altitude", "MTR", -500, 20000},
    {"elevation", "MTR", -500, 9000},
    {"water level", "MTR", -100, 10000},
    {"depth", "MTR", 0, 12000},
};

bool has_all(const std::vector<std::string>& words, std::string_view wanted) {
  while (!wanted.empty()) {
    const std::size_t end = std::min(wanted.find(' '), wanted.size());
    if (!has_word(words, wanted.substr(0, end))) return false;
    wanted.remove_prefix(std::min(end + 1, wanted.size()));
  }
  return true;
}

// 2000-01-01 to 2100-01-01, in seconds.
constexpr double kFirst = 946'684'800;
constexpr double kLast = 4'102'444'800;

bool sounds_like_time(const std::vector<std::string>& words) {
  static constexpr std::array<std::string_view, 16> kWords{
      "time",     "ts",      "timestamp", "date",   "datetime",   "t",       "at",      "epoch",
      "observed", "updated", "created",   "update", "lastupdate", "gpstime", "utctime", "recorded"};
  return std::ranges::any_of(kWords, [&](std::string_view w) { return has_word(words, w); });
}

std::optional<TimeGuess> guess_epoch(const std::vector<std::string>& words, const Profile& p) {
  static constexpr struct {
    std::string_view format;
    double factor;
  } kFormats[] = {{"unix_s", 1}, {"unix_ms", 1e3}, {"unix_us", 1e6}, {"unix_ns", 1e9}};
  for (const auto& [format, factor] : kFormats) {
    if (p.min < kFirst * factor || p.max > kLast * factor) continue;
    // Ten digits alone may be a counter or an id.
    if (!sounds_like_time(words)) return std::nullopt;
    TimeGuess guess;
    guess.format = format;
    guess.fits = p.numeric();
    guess.why =
        fmt::format("all between {} and {}", to_iso8601({std::llround(p.min / factor * 1e6)}),
                    to_iso8601({std::llround(p.max / factor * 1e6)}));
    return guess;
  }
  return std::nullopt;
}

// The shape of a text: digits become '0', so "2026/11/23 08:15" is "0000/00/00 00:00".
std::string shape_of(std::string_view text) {
  std::string shape;
  for (const char c : text) shape += c >= '0' && c <= '9' ? '0' : c;
  return shape;
}

struct Shape {
  std::string_view shape;
  std::string_view pattern;
};
constexpr Shape kShapes[] = {
    {"0000/00/00 00:00:00", "%Y/%m/%d %H:%M:%S"},
    {"0000/00/00 00:00", "%Y/%m/%d %H:%M"},
    {"0000/0/0 0:00:00", "%Y/%m/%d %H:%M:%S"},
    {"0000/0/0 0:00", "%Y/%m/%d %H:%M"},
    {"0000/00/00", "%Y/%m/%d"},
    {"00.00.0000 00:00:00", "%d.%m.%Y %H:%M:%S"},
    {"00.00.0000 00:00", "%d.%m.%Y %H:%M"},
    {"00000000000000", "%Y%m%d%H%M%S"},
    {"00000000 00:00:00", "%Y%m%d %H:%M:%S"},
    {"0000-00-00 00:00", "%Y-%m-%d %H:%M"},
};

bool has_offset(std::string_view text) {
  const std::size_t time = text.find_first_of("T ");
  if (time == std::string_view::npos) return false;
  return text.ends_with('Z') || text.find_first_of("+-", time) != std::string_view::npos;
}

struct TextCounts {
  std::uint64_t iso = 0;
  std::uint64_t offset = 0;
  std::uint64_t all = 0;
  std::array<std::uint64_t, std::size(kShapes)> shapes{};
};

TextCounts count_texts(const Profile& p) {
  TextCounts counts;
  for (const auto& [text, count] : p.distinct) {
    if (is_missing_word(text)) continue;
    counts.all += count;
    const bool begins_as_date = text.size() >= 10 && shape_of(text).starts_with("0000-00-00");
    if (begins_as_date && parse_iso8601(text)) {
      counts.iso += count;
      counts.offset += has_offset(text) ? count : 0;
    }
    const std::string shape = shape_of(text);
    for (std::size_t i = 0; i < counts.shapes.size(); ++i) {
      if (shape == kShapes[i].shape) counts.shapes[i] += count;
    }
  }
  return counts;
}

}  // namespace

std::optional<UnitGuess> guess_unit(const std::vector<std::string>& words, double min, double max) {
  for (const UnitRow& row : kUnits) {
    if (!has_all(words, row.words) || min < row.min || max > row.max) continue;
    return UnitGuess{std::string(row.code), fmt::format("by its name and {:g} to {:g}", min, max)};
  }
  return std::nullopt;
}

std::optional<TimeGuess> guess_time(const std::vector<std::string>& words, const Profile& p) {
  const TextCounts counts = count_texts(p);
  // Digits alone may be a date and a time, or a number of milliseconds.
  if (p.texts == 0 || counts.all == 0 || p.numeric_texts * 10 >= p.texts * 9) {
    if (p.numeric() > 0 && p.numeric() * 10 >= (p.scalars() - p.nulls) * 9) {
      if (auto epoch = guess_epoch(words, p)) return epoch;
    }
  }
  if (counts.all == 0) return std::nullopt;
  const auto enough = [&](std::uint64_t count) { return count * 10 >= counts.all * 9; };
  TimeGuess guess;
  if (enough(counts.iso)) {
    guess.fits = counts.iso;
    guess.needs_zone = !enough(counts.offset);
    guess.format = guess.needs_zone ? "local" : "iso8601";
    guess.why = guess.needs_zone ? "ISO 8601 without an offset" : "ISO 8601";
    return guess;
  }
  for (std::size_t i = 0; i < counts.shapes.size(); ++i) {
    if (!enough(counts.shapes[i])) continue;
    // Fourteen digits in a row are a date only if they read as one.
    const bool is_digits = kShapes[i].shape.find_first_not_of('0') == std::string_view::npos;
    if (is_digits && (p.min < 20'000'101'000'000.0 || p.max > 21'000'101'000'000.0)) continue;
    guess.fits = counts.shapes[i];
    guess.format = "local";
    guess.pattern = kShapes[i].pattern;
    guess.needs_zone = true;
    guess.why = fmt::format("texts such as {}", p.distinct.begin()->first);
    return guess;
  }
  return std::nullopt;
}

CrsHint crs_hint(std::string_view path) {
  std::string lower;
  for (const char c : path) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto says = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(
        words, [&](std::string_view w) { return lower.find(w) != std::string::npos; });
  };
  if (says({"bd09", "baidu", "百度", "bdlng", "bdlat", "bd_l", "bdl"})) return CrsHint::bd09;
  if (says({"gcj", "amap", "gaode", "高德", "tencent", "腾讯", "mars"})) return CrsHint::gcj02;
  return says({"wgs", "gps", "cgcs"}) ? CrsHint::wgs84 : CrsHint::none;
}

bool is_missing_word(std::string_view text) {
  static constexpr std::array<std::string_view, 16> kWords{
      "",     "NA",   "N/A",  "n/a", "na", "NaN", "nan", "null",
      "NULL", "None", "none", "-",   "--", "—",   "/",   "无"};
  const bool is_blank = text.find_first_not_of(" \t") == std::string_view::npos;
  return is_blank || std::ranges::find(kWords, text) != kWords.end();
}

std::optional<double> compass_degrees(std::string_view text) {
  static constexpr std::array<std::string_view, 16> kNames{"N",  "NNE", "NE", "ENE", "E",  "ESE",
                                                           "SE", "SSE", "S",  "SSW", "SW", "WSW",
                                                           "W",  "WNW", "NW", "NNW"};
  const auto found = std::ranges::find(kNames, text);
  if (found == kNames.end()) return std::nullopt;
  return 22.5 * static_cast<double>(found - kNames.begin());
}

}  // namespace ficus::connect::suggest
