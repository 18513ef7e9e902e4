#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace ficus::connect {

// "90s", "15m", "24h", "7d"; nothing if it is none of these.
std::optional<Micros> read_duration(std::string_view text);

}  // namespace ficus::connect
