#include "base/time_text.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace ficus {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

// Days since 1970-01-01 of a Gregorian date, and back: Howard Hinnant, "chrono-compatible low-level
// date algorithms" (years begin on 1 March, so that the leap day is the last).
constexpr std::int64_t days_from_date(std::int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

void date_from_days(std::int64_t days, CivilTime& out) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t doe = days - era * 146'097;
  const std::int64_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  out.day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  out.month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  out.year = static_cast<int>(yoe + era * 400 + (out.month <= 2 ? 1 : 0));
}

int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// Reads text from the front; every step says whether it fitted.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool digits(std::size_t count, int& out) {
    if (rest_.size() < count) return false;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = rest_[i];
      if (c < '0' || c > '9') return false;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    out = value;
    return true;
  }
  // One to nine digits as a decimal fraction of a second, cut to microseconds.
  bool fraction(int& micros) {
    int value = 0;
    int count = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      if (++count > 9) return false;
      if (count <= 6) value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    if (count == 0) return false;
    for (; count < 6; ++count) value *= 10;
    micros = value;
    return true;
  }

 private:
  std::string_view rest_;
};

// The zone at the end of the text: its offset east of UTC.
bool read_zone(Scanner& in, Micros default_offset, Micros& offset) {
  if (in.done()) {
    offset = default_offset;
    return true;
  }
  if (in.take('Z') || in.take('z')) {
    offset = {};
    return in.done();
  }
  const bool east = in.take('+');
  if (!east && !in.take('-')) return false;
  int hours = 0;
  int minutes = 0;
  if (!in.digits(2, hours) || hours > 18) return false;
  if (!in.done()) {
    in.take(':');
    if (!in.digits(2, minutes) || minutes > 59 || !in.done()) return false;
  }
  const std::int64_t seconds = hours * 3600 + minutes * 60;
  offset = Micros::from_seconds(east ? seconds : -seconds);
  return true;
}

// With leading zeros. Answers of thousands of rows spend a tenth of their time in writing times.
void append_digits(int number, int count, std::string& out) {
  char digits[6] = {};
  for (int i = count; i-- > 0; number /= 10) digits[i] = static_cast<char>('0' + number % 10);
  out.append(digits, static_cast<std::size_t>(count));
}

}  // namespace

CivilTime to_civil(Timestamp t) {
  std::int64_t days = t.micros / kMicrosPerDay;
  std::int64_t rest = t.micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  CivilTime civil;
  date_from_days(days, civil);
  civil.micros = static_cast<int>(rest % 1'000'000);
  const auto seconds = static_cast<int>(rest / 1'000'000);
  civil.hour = seconds / 3600;
  civil.minute = seconds / 60 % 60;
  civil.second = seconds % 60;
  return civil;
}

std::optional<Timestamp> from_civil(const CivilTime& c) {
  const bool in_range = c.year >= 0 && c.year <= 9999 && c.month >= 1 && c.month <= 12 &&
                        c.day >= 1 && c.day <= days_in_month(c.year, c.month) && c.hour >= 0 &&
                        c.hour <= 23 && c.minute >= 0 && c.minute <= 59 && c.second >= 0 &&
                        c.second <= 60 && c.micros >= 0 && c.micros <= 999'999;
  if (!in_range) return std::nullopt;
  const std::int64_t days = days_from_date(c.year, c.month, c.day);
  const std::int64_t seconds = days * 86'400 + c.hour * 3600 + c.minute * 60 + c.second;
  return Timestamp{seconds * 1'000'000 + c.micros};
}

void append_iso8601(Timestamp t, std::string& out) {
  const CivilTime c = to_civil(t);
  if (c.year < 0 || c.year > 9999) {
    fmt::format_to(std::back_inserter(out), "{:04}", c.year);
  } else {
    append_digits(c.year, 4, out);
  }
  for (const auto& [mark, number] :
       {std::pair('-', c.month), std::pair('-', c.day), std::pair('T', c.hour),
        std::pair(':', c.minute), std::pair(':', c.second)}) {
    out.push_back(mark);
    append_digits(number, 2, out);
  }
  if (c.micros != 0) {
    out.push_back('.');
    c.micros % 1000 != 0 ? append_digits(c.micros, 6, out) : append_digits(c.micros / 1000, 3, out);
  }
  out.push_back('Z');
}

std::string to_iso8601(Timestamp t) {
  std::string out;
  append_iso8601(t, out);
  return out;
}

std::optional<Timestamp> parse_iso8601(std::string_view text, Micros default_offset) {
  Scanner in(text);
  CivilTime c;
  if (!in.digits(4, c.year) || !in.take('-') || !in.digits(2, c.month) || !in.take('-') ||
      !in.digits(2, c.day)) {
    return std::nullopt;
  }
  Micros offset = default_offset;
  if (!in.done()) {
    if (!in.take('T') && !in.take(' ') && !in.take('t')) return std::nullopt;
    if (!in.digits(2, c.hour) || !in.take(':') || !in.digits(2, c.minute)) return std::nullopt;
    if (in.take(':') && !in.digits(2, c.second)) return std::nullopt;
    if ((in.take('.') || in.take(',')) && !in.fraction(c.micros)) return std::nullopt;
    if (!read_zone(in, default_offset, offset)) return std::nullopt;
  }
  const std::optional<Timestamp> utc = from_civil(c);
  if (!utc) return std::nullopt;
  return *utc - offset;
}

}  // namespace ficus
