#include "connect/mapping/duration.h"

#include <charconv>
#include <cstdint>
#include <system_error>

namespace ficus::connect {

std::optional<Micros> read_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(read.ptr, text.data() + text.size());
  if (read.ec != std::errc() || count < 0 || count > 1'000'000) return std::nullopt;
  if (unit == "s") return Micros::from_seconds(count);
  if (unit == "m") return Micros::from_seconds(count * 60);
  if (unit == "h") return Micros::from_hours(count);
  if (unit == "d") return Micros::from_hours(count * 24);
  return std::nullopt;
}

}  // namespace ficus::connect
