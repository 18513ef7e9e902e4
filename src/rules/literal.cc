#include "rules/literal.h"

#include <charconv>
#include <cmath>
#include <string>

#include "base/time_text.h"

namespace ficus::rules {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t micros;
};

constexpr std::int64_t kSecond = 1'000'000;
// Interval names and abbreviations of DuckDB (and PostgreSQL, 8.5.4) that have a fixed length.
constexpr Unit kUnits[] = {{"microsecond", 1},
                           {"microseconds", 1},
                           {"us", 1},
                           {"usec", 1},
                           {"usecs", 1},
                           {"millisecond", 1000},
                           {"milliseconds", 1000},
                           {"ms", 1000},
                           {"msec", 1000},
                           {"msecs", 1000},
                           {"second", kSecond},
                           {"seconds", kSecond},
                           {"sec", kSecond},
                           {"secs", kSecond},
                           {"s", kSecond},
                           {"minute", 60 * kSecond},
                           {"minutes", 60 * kSecond},
                           {"min", 60 * kSecond},
                           {"mins", 60 * kSecond},
                           {"m", 60 * kSecond},
                           {"hour", 3600 * kSecond},
                           {"hours", 3600 * kSecond},
                           {"hr", 3600 * kSecond},
                           {"hrs", 3600 * kSecond},
                           {"h", 3600 * kSecond},
                           {"day", 86400 * kSecond},
                           {"days", 86400 * kSecond},
                           {"d", 86400 * kSecond},
                           {"week", 604800 * kSecond},
                           {"weeks", 604800 * kSecond},
                           {"w", 604800 * kSecond}};

// A thousand years: far from where sums of times overflow.
constexpr double kMicrosMax = 3.2e16;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

void skip_spaces(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

// Takes a decimal number off the front.
std::optional<double> take_number(std::string_view& text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<std::int64_t> in_range(double micros) {
  if (!(std::abs(micros) <= kMicrosMax)) return std::nullopt;
  return std::llround(micros);
}

// "hh:mm", "hh:mm:ss" or "hh:mm:ss.ffffff".
std::optional<std::int64_t> parse_clock(std::string_view text) {
  const bool negative = text.front() == '-';
  if (negative) text.remove_prefix(1);
  double parts[3] = {0, 0, 0};
  std::size_t count = 0;
  while (true) {
    if (count == 3 || text.empty() || !is_digit(text.front())) return std::nullopt;
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    parts[count++] = *number;
    if (text.empty()) break;
    if (text.front() != ':') return std::nullopt;
    text.remove_prefix(1);
  }
  const bool whole = parts[0] == std::floor(parts[0]) && (parts[1] == std::floor(parts[1]));
  if (count < 2 || !whole || parts[1] >= 60 || parts[2] >= 60) return std::nullopt;
  const double micros = (parts[0] * 3600 + parts[1] * 60 + parts[2]) * 1e6;
  return in_range(negative ? -micros : micros);
}

}  // namespace

std::optional<std::int64_t> unit_micros(std::string_view unit) {
  std::string lower(unit);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  for (const Unit& known : kUnits) {
    if (known.name == lower) return known.micros;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_interval(std::string_view text, std::int64_t bare_unit) {
  skip_spaces(text);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  if (text.contains(':')) return parse_clock(text);
  double total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    skip_spaces(text);
    std::size_t length = 0;
    while (length < text.size() && is_letter(text[length])) ++length;
    std::int64_t micros = bare_unit;
    if (length == 0) {
      if (!text.empty()) return std::nullopt;  // two numbers in a row
      return total == 0 ? in_range(*number * static_cast<double>(micros)) : std::nullopt;
    }
    const auto unit = unit_micros(text.substr(0, length));
    if (!unit) return std::nullopt;
    micros = *unit;
    total += *number * static_cast<double>(micros);
    text.remove_prefix(length);
    skip_spaces(text);
  }
  return in_range(total);
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  // The time part may hold '+' or '-' only as the sign of an offset.
  const std::size_t time_begin = text.find_first_of("T t");
  if (time_begin != std::string_view::npos &&
      text.find_first_of("+-", time_begin) != std::string_view::npos) {
    return std::nullopt;
  }
  const auto parsed = parse_iso8601(text);
  if (!parsed) return std::nullopt;
  return parsed->micros;
}

}  // namespace ficus::rules
