#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "connect/mapping/time_zone.h"

namespace ficus::connect {

struct RawValue;

// How a source writes its times. A value.
class TimeFormat {
 public:
  enum class Kind : std::uint8_t { iso8601, unix_s, unix_ms, unix_us, unix_ns, pattern };

  TimeFormat() = default;  // ISO 8601, UTC where no zone is written
  static TimeFormat of_kind(Kind kind, TimeZone zone);
  // A pattern in the manner of strptime: %Y %m %d %H %M %S and so on, see docs/SOURCES.md. The
  // error says what was expected.
  static Result<TimeFormat> of_pattern(std::string_view pattern, TimeZone zone);
  // The kind of that name ("unix_ms"), if it is one that needs no pattern.
  static std::optional<Kind> kind_from_name(std::string_view name);

  // "an ISO 8601 time", "unix time in milliseconds", "a time like %Y-%m-%d"
  std::string expectation() const;

  // The time a scalar stands for: a text, or for the unix formats a number or a text of one.
  // Nothing if it is none, or lies before the year 0 or after 9999.
  std::optional<Timestamp> parse(const RawValue& value) const;

 private:
  std::optional<Timestamp> parse_unix(const RawValue& value) const;
  std::optional<Timestamp> parse_iso(std::string_view text) const;
  std::optional<Timestamp> parse_pattern(std::string_view text) const;

  Kind kind_ = Kind::iso8601;
  TimeZone zone_;
  std::string pattern_;
};

}  // namespace ficus::connect
