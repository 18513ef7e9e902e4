#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ficus::rules {

// Microseconds of one unit ("second", "seconds", "sec", "s", "ms", ...), as DuckDB names them.
// Months and years have no fixed length and are not units here.
std::optional<std::int64_t> unit_micros(std::string_view unit);

// The text of an INTERVAL literal: "10 seconds", "1 hour 30 minutes", "1.5h", "01:30:00". A number
// alone counts in `bare_unit` microseconds. Nothing if it is none or out of range.
std::optional<std::int64_t> parse_interval(std::string_view text,
                                           std::int64_t bare_unit = 1'000'000);

// The text of a TIMESTAMP literal, in UTC: "2026-01-31", "2026-01-31 08:15:00.25". An offset other
// than Z is refused: DuckDB drops it silently.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace ficus::rules
