#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace ficus {

// The civil date and time of a Timestamp in UTC (proleptic Gregorian calendar).
struct CivilTime {
  int year = 1970;
  int month = 1;  // 1..12
  int day = 1;    // 1..31
  int hour = 0;
  int minute = 0;
  int second = 0;
  int micros = 0;

  friend bool operator==(const CivilTime&, const CivilTime&) = default;
};

CivilTime to_civil(Timestamp t);
// Nothing if a field is out of range (a 31st of April, hour 24). Second 60 counts as the next
// minute.
std::optional<Timestamp> from_civil(const CivilTime& civil);

// "2026-11-23T08:15:00.250Z": UTC, with 0, 3 or 6 decimals, as few as are exact.
std::string to_iso8601(Timestamp t);
// Appends the same to `out`.
void append_iso8601(Timestamp t, std::string& out);

// ISO 8601 / RFC 3339: date, 'T' or ' ', time with up to nine decimals (cut to microseconds), then
// 'Z',
// "+hh:mm", "+hhmm", "+hh", or nothing, which means `default_offset`. A date alone is midnight.
std::optional<Timestamp> parse_iso8601(std::string_view text, Micros default_offset = {});

}  // namespace ficus
