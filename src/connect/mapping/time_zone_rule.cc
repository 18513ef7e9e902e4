#include <array>

#include "base/time_text.h"
#include "connect/mapping/time_zone.h"

namespace ficus::connect {
namespace {

constexpr std::int64_t kDay = 86'400;

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // "EST" or "<+0330>": at least three characters.
  bool name() {
    std::size_t length = 0;
    if (take('<')) {
      length = rest_.find('>');
      if (length == std::string_view::npos) return false;
      rest_.remove_prefix(length + 1);
    } else {
      while (length < rest_.size() && is_letter(rest_[length])) ++length;
      rest_.remove_prefix(length);
    }
    return length >= 3;
  }
  bool number(int max, int& out) {
    int value = 0;
    std::size_t length = 0;
    while (length < rest_.size() && length < 4 && rest_[length] >= '0' && rest_[length] <= '9') {
      value = value * 10 + (rest_[length++] - '0');
    }
    if (length == 0 || value > max) return false;
    rest_.remove_prefix(length);
    out = value;
    return true;
  }
  // [+-]hh[:mm[:ss]]; hours up to 167 (RFC 8536, 3.3.1).
  bool time(std::int64_t& out) {
    const bool negative = take('-');
    if (!negative) take('+');
    int hours = 0;
    int minutes = 0;
    int seconds = 0;
    if (!number(167, hours)) return false;
    if (take(':')) {
      if (!number(59, minutes)) return false;
      if (take(':') && !number(59, seconds)) return false;
    }
    out = hours * std::int64_t{3600} + minutes * std::int64_t{60} + seconds;
    if (negative) out = -out;
    return true;
  }
  bool day(ZoneRule::Day& out) {
    using Kind = ZoneRule::Day::Kind;
    if (take('M')) {
      out.kind = Kind::month_week_day;
      if (!number(12, out.month) || out.month < 1 || !take('.')) return false;
      if (!number(5, out.week) || out.week < 1 || !take('.')) return false;
      if (!number(6, out.day)) return false;
    } else if (take('J')) {
      out.kind = Kind::julian_without_leap_day;
      if (!number(365, out.day) || out.day < 1) return false;
    } else {
      out.kind = Kind::day_of_year;
      if (!number(365, out.day)) return false;
    }
    return !take('/') || time(out.time);
  }

 private:
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

  std::string_view rest_;
};

std::int64_t seconds_of_date(int year, int month, int day) {
  CivilTime civil;
  civil.year = year;
  civil.month = month;
  civil.day = day;
  const auto t = from_civil(civil);
  return t ? t->micros / 1'000'000 : 0;
}

bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

// Local seconds at which the day's change happens in that year.
std::int64_t change_in(const ZoneRule::Day& rule, int year) {
  const std::int64_t new_year = seconds_of_date(year, 1, 1);
  switch (rule.kind) {
    case ZoneRule::Day::Kind::day_of_year:
      return new_year + rule.day * kDay + rule.time;
    case ZoneRule::Day::Kind::julian_without_leap_day: {
      const int leap = is_leap(year) && rule.day >= 60 ? 1 : 0;
      return new_year + (rule.day - 1 + leap) * kDay + rule.time;
    }
    case ZoneRule::Day::Kind::month_week_day:
      break;
  }
  constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const std::int64_t first = seconds_of_date(year, rule.month, 1);
  const std::int64_t days = first / kDay;
  const auto weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);  // 1970-01-01 was a Thursday
  int day = (rule.day - weekday + 7) % 7 + (rule.week - 1) * 7;
  const int length =
      kDays[static_cast<std::size_t>(rule.month - 1)] + (rule.month == 2 && is_leap(year) ? 1 : 0);
  while (day >= length) day -= 7;  // week 5 means the last
  return first + day * kDay + rule.time;
}

}  // namespace

std::optional<ZoneRule> ZoneRule::parse(std::string_view text) {
  ZoneRule rule;
  Reader in(text);
  // The sign is the other way round: "CST-8" is eight hours east.
  if (!in.name() || !in.time(rule.standard_)) return std::nullopt;
  rule.standard_ = -rule.standard_;
  if (in.done()) return rule;
  rule.has_summer_ = true;
  rule.summer_ = rule.standard_ + 3600;
  if (!in.name()) return std::nullopt;
  if (!in.take(',')) {
    if (!in.time(rule.summer_) || !in.take(',')) return std::nullopt;
    rule.summer_ = -rule.summer_;
  }
  if (!in.day(rule.start_) || !in.take(',') || !in.day(rule.end_) || !in.done()) {
    return std::nullopt;
  }
  return rule;
}

std::int64_t ZoneRule::offset_at(std::int64_t utc_seconds) const {
  if (!has_summer_) return standard_;
  const Timestamp local{(utc_seconds + standard_) * 1'000'000};
  const int year = to_civil(local).year;
  const std::int64_t start = change_in(start_, year) - standard_;
  const std::int64_t end = change_in(end_, year) - summer_;
  // South of the equator summer spans the new year.
  const bool is_summer = start < end ? utc_seconds >= start && utc_seconds < end
                                     : utc_seconds >= start || utc_seconds < end;
  return is_summer ? summer_ : standard_;
}

}  // namespace ficus::connect
