#pragma once

#include <cstdint>

namespace ficus::app {

// Memory of this process that is in use now, from /proc/self/statm; 0 if that cannot be read.
std::uint64_t resident_bytes();

}  // namespace ficus::app
