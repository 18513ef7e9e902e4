#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "base/time.h"

namespace ficus::connect {

// The rule behind the last transition of a zone file: a POSIX TZ string such as
// "CET-1CEST,M3.5.0,M10.5.0/3" (RFC 8536, 3.3). A value.
class ZoneRule {
 public:
  static std::optional<ZoneRule> parse(std::string_view text);

  // Seconds east of UTC at that time.
  std::int64_t offset_at(std::int64_t utc_seconds) const;

  struct Day {
    enum class Kind : std::uint8_t { julian_without_leap_day, day_of_year, month_week_day };
    Kind kind = Kind::month_week_day;
    int month = 0;
    int week = 0;
    int day = 0;                   // of the week (Sunday is 0) or of the year
    std::int64_t time = 2 * 3600;  // seconds after midnight, local time
  };

 private:
  std::int64_t standard_ = 0;
  std::int64_t summer_ = 0;
  bool has_summer_ = false;
  Day start_;
  Day end_;
};

// A time zone, with its past and future rules, read from the system's database; the process's own
// zone plays no part. A value.
class TimeZone {
 public:
  TimeZone() = default;  // UTC
  static TimeZone fixed(Micros east_of_utc);
  // A compiled zone file (TZif, RFC 8536), versions 1 to 4.
  static Result<TimeZone> parse(std::string_view bytes);
  // `name` is "UTC", an offset such as "+08:00", or a zone of the database such as "Asia/Shanghai",
  // read from `directory`.
  static Result<TimeZone> load(std::string_view name, Disk& disk, const std::string& directory);

  bool is_utc() const;
  Micros offset_at(Timestamp utc) const;
  // `local` is a local date and time as if it were UTC. A time that occurs twice (clocks go back)
  // is the first; one that does not occur (clocks go forward) is read with the offset before.
  Timestamp from_local(Timestamp local) const;

 private:
  struct Transition {
    std::int64_t at = 0;      // UTC seconds
    std::int64_t offset = 0;  // from then on
  };

  std::int64_t first_offset_ = 0;  // before the first transition
  std::vector<Transition> transitions_;
  std::optional<ZoneRule> rule_;  // after the last transition
};

}  // namespace ficus::connect
