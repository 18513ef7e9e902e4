#include "connect/mapping/time_format.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include "base/time_text.h"
#include "connect/mapping/value_path.h"

namespace ficus::connect {
namespace {

constexpr std::string_view kConversions = "YymdeHIpMSfjbzFTs%";
constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr Timestamp kEarliest{-62'167'219'200'000'000};  // 0000-01-01
constexpr Timestamp kLatest{253'402'300'799'999'999};    // 9999-12-31T23:59:59.999999

std::optional<Timestamp> in_range(Timestamp t) {
  if (t < kEarliest || t > kLatest) return std::nullopt;
  return t;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// What a pattern has read so far.
struct Fields {
  CivilTime civil;
  std::optional<int> day_of_year;
  std::optional<bool> is_afternoon;
  std::optional<Micros> offset;
  std::optional<std::int64_t> unix_seconds;
};

// Reads a text along a pattern.
class PatternReader {
 public:
  explicit PatternReader(std::string_view text) : rest_(text) {}

  bool run(std::string_view pattern, Fields& out) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i] == '%') {
        if (!conversion(pattern[++i], out)) return false;
      } else if (pattern[i] == ' ') {  // any white space, as in strptime
        while (rest_.starts_with(' ') || rest_.starts_with('\t')) rest_.remove_prefix(1);
      } else if (!take(pattern[i])) {
        return false;
      }
    }
    return rest_.empty();
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // One to `digits_max` digits.
  bool number(std::size_t digits_max, int& out, std::size_t* digits = nullptr) {
    int value = 0;
    std::size_t count = 0;
    while (count < digits_max && count < rest_.size() && rest_[count] >= '0' &&
           rest_[count] <= '9') {
      value = value * 10 + (rest_[count++] - '0');
    }
    if (count == 0) return false;
    rest_.remove_prefix(count);
    out = value;
    if (digits != nullptr) *digits = count;
    return true;
  }

  bool year(int& out) {
    std::size_t digits = 0;
    return number(4, out, &digits) && digits == 4;
  }

  bool conversion(char c, Fields& out) {
    CivilTime& t = out.civil;
    switch (c) {
      case 'Y':
        return year(t.year);
      case 'y':  // POSIX: 69..99 are of the last century
        if (!number(2, t.year)) return false;
        t.year += t.year < 69 ? 2000 : 1900;
        return true;
      case 'm':
        return number(2, t.month);
      case 'd':
        return number(2, t.day);
      case 'e':
        while (take(' ')) {
        }
        return number(2, t.day);
      case 'H':
      case 'I':
        return number(2, t.hour);
      case 'M':
        return number(2, t.minute);
      case 'S':
        return number(2, t.second);
      default:
        return rare_conversion(c, out);
    }
  }

  bool rare_conversion(char c, Fields& out) {
    int value = 0;
    switch (c) {
      case 'p':
        return half_of_day(out);
      case 'f':
        return fraction(out.civil.micros);
      case 'j':
        if (!number(3, value) || value < 1 || value > 366) return false;
        out.day_of_year = value;
        return true;
      case 'b':
        return month_name(out.civil.month);
      case 'z':
        return offset(out);
      case 'F':
        return year(out.civil.year) && take('-') && number(2, out.civil.month) && take('-') &&
               number(2, out.civil.day);
      case 'T':
        return number(2, out.civil.hour) && take(':') && number(2, out.civil.minute) && take(':') &&
               number(2, out.civil.second);
      case 's':
        return seconds(out);
      default:
        return take('%');
    }
  }

  bool half_of_day(Fields& out) {
    if (rest_.size() < 2 || lower(rest_[1]) != 'm') return false;
    const char half = lower(rest_[0]);
    if (half != 'a' && half != 'p') return false;
    out.is_afternoon = half == 'p';
    rest_.remove_prefix(2);
    return true;
  }

  bool fraction(int& micros) {
    std::size_t digits = 0;
    if (!number(6, micros, &digits)) return false;
    for (; digits < 6; ++digits) micros *= 10;
    for (int i = 0; i < 3 && !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; ++i) {
      rest_.remove_prefix(1);  // nanoseconds are cut off
    }
    return true;
  }

  bool month_name(int& month) {
    if (rest_.size() < 3) return false;
    for (std::size_t m = 0; m < kMonths.size(); ++m) {
      const bool fits = lower(rest_[0]) == kMonths[m][0] && lower(rest_[1]) == kMonths[m][1] &&
                        lower(rest_[2]) == kMonths[m][2];
      if (!fits) continue;
      month = static_cast<int>(m) + 1;
      rest_.remove_prefix(3);
      return true;
    }
    return false;
  }

  bool offset(Fields& out) {
    if (take('Z')) {
      out.offset = Micros{};
      return true;
    }
    const bool is_west = take('-');
    if (!is_west && !take('+')) return false;
    int hours = 0;
    int minutes = 0;
    if (!number(2, hours) || hours > 18) return false;
    take(':');
    if (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9' &&
        (!number(2, minutes) || minutes > 59)) {
      return false;
    }
    const std::int64_t east = hours * std::int64_t{3600} + minutes * std::int64_t{60};
    out.offset = Micros::from_seconds(is_west ? -east : east);
    return true;
  }

  bool seconds(Fields& out) {
    std::int64_t value = 0;
    const auto read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (read.ec != std::errc() || value > kLatest.micros / 1'000'000 ||
        value < kEarliest.micros / 1'000'000) {
      return false;
    }
    rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
    out.unix_seconds = value;
    return true;
  }

  std::string_view rest_;
};

}  // namespace

TimeFormat TimeFormat::of_kind(Kind kind, TimeZone zone) {
  TimeFormat format;
  format.kind_ = kind;
  format.zone_ = std::move(zone);
  return format;
}

Result<TimeFormat> TimeFormat::of_pattern(std::string_view pattern, TimeZone zone) {
  bool has_year = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') continue;
    if (i + 1 == pattern.size() || !kConversions.contains(pattern[i + 1])) {
      return invalid(
          fmt::format("'{}' in the pattern: expected one of %Y %m %d %H %M %S %f %z %b "
                      "%e %I %p %j %y %F %T %s %%",
                      pattern.substr(i, 2)));
    }
    has_year = has_year || std::string_view("YyFs").contains(pattern[i + 1]);
    ++i;
  }
  if (!has_year) return invalid("the pattern has no year: expected %Y, %y, %F or %s");
  TimeFormat format;
  format.kind_ = Kind::pattern;
  format.zone_ = std::move(zone);
  format.pattern_ = pattern;
  return format;
}

std::optional<TimeFormat::Kind> TimeFormat::kind_from_name(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Kind>, 5> kNames{{
      {"iso8601", Kind::iso8601},
      {"unix_s", Kind::unix_s},
      {"unix_ms", Kind::unix_ms},
      {"unix_us", Kind::unix_us},
      {"unix_ns", Kind::unix_ns},
  }};
  for (const auto& [known, kind] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

std::string TimeFormat::expectation() const {
  switch (kind_) {
    case Kind::iso8601:
      return "an ISO 8601 time";
    case Kind::unix_s:
      return "unix time in seconds";
    case Kind::unix_ms:
      return "unix time in milliseconds";
    case Kind::unix_us:
      return "unix time in microseconds";
    case Kind::unix_ns:
      return "unix time in nanoseconds";
    case Kind::pattern:
      return fmt::format("a time like {}", pattern_);
  }
  std::unreachable();
}

std::optional<Timestamp> TimeFormat::parse(const RawValue& value) const {
  std::array<char, 32> buffer;
  switch (kind_) {
    case Kind::iso8601:
      if (value.kind != json::JsonKind::text) return std::nullopt;
      return parse_iso(value.text);
    case Kind::unix_s:
    case Kind::unix_ms:
    case Kind::unix_us:
    case Kind::unix_ns:
      return parse_unix(value);
    case Kind::pattern: {  // 20261123 may come as a number
      if (value.kind != json::JsonKind::text && !value.integer) return std::nullopt;
      return parse_pattern(*canonical_text(value, buffer));
    }
  }
  std::unreachable();
}

std::optional<Timestamp> TimeFormat::parse_unix(const RawValue& value) const {
  double number = value.number;
  std::optional<std::int64_t> integer = value.integer;
  if (value.kind == json::JsonKind::text) {
    const char* first = value.text.data();
    const char* last = first + value.text.size();
    std::int64_t whole = 0;
    const auto read = std::from_chars(first, last, whole);
    if (read.ec == std::errc() && read.ptr == last) {
      integer = whole;
    } else {
      const auto read_double = std::from_chars(first, last, number);
      if (read_double.ec != std::errc() || read_double.ptr != last) return std::nullopt;
    }
  } else if (value.kind != json::JsonKind::number) {
    return std::nullopt;
  }
  if (kind_ == Kind::unix_ns && integer) {
    const std::int64_t micros = *integer / 1000 - (*integer % 1000 < 0 ? 1 : 0);
    return in_range({micros});
  }
  const double unit = kind_ == Kind::unix_s    ? 1e6
                      : kind_ == Kind::unix_ms ? 1e3
                      : kind_ == Kind::unix_us ? 1
                                               : 1e-3;
  const double micros = (integer ? static_cast<double>(*integer) : number) * unit;
  if (!(micros >= static_cast<double>(kEarliest.micros) &&
        micros <= static_cast<double>(kLatest.micros))) {
    return std::nullopt;
  }
  if (integer) return in_range({*integer * static_cast<std::int64_t>(unit)});
  // A double of today's seconds is exact to a quarter of a microsecond.
  return in_range({static_cast<std::int64_t>(std::llround(micros))});
}

std::optional<Timestamp> TimeFormat::parse_iso(std::string_view text) const {
  const auto t = parse_iso8601(text);
  if (!t) return std::nullopt;
  if (zone_.is_utc()) return in_range(*t);
  // Only a text without a zone of its own depends on the default offset.
  const auto other = parse_iso8601(text, Micros::from_hours(1));
  return in_range(other == t ? *t : zone_.from_local(*t));
}

std::optional<Timestamp> TimeFormat::parse_pattern(std::string_view text) const {
  Fields fields;
  if (!PatternReader(text).run(pattern_, fields)) return std::nullopt;
  if (fields.unix_seconds) return Timestamp::from_seconds(*fields.unix_seconds);
  CivilTime& civil = fields.civil;
  if (fields.is_afternoon) {
    if (civil.hour < 1 || civil.hour > 12) return std::nullopt;
    civil.hour = civil.hour % 12 + (*fields.is_afternoon ? 12 : 0);
  }
  // Midnight at the end of a day is written 24:00 by many loggers.
  const bool is_end_of_day = civil.hour == 24 && civil.minute == 0 && civil.second == 0;
  if (is_end_of_day) civil.hour = 0;
  std::optional<Timestamp> local = from_civil(civil);
  if (!local) return std::nullopt;
  if (is_end_of_day) local = *local + Micros::from_hours(24);
  if (fields.day_of_year)
    local = *local + Micros::from_hours(std::int64_t{24} * (*fields.day_of_year - 1));
  return in_range(fields.offset ? *local - *fields.offset : zone_.from_local(*local));
}

}  // namespace ficus::connect
