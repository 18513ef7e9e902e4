#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "world.h"

namespace ficus::sim {

// The faults of the seed's plan, by number, without any of which it no longer fails (Zeller and
// Hildebrandt 2002, ddmin). REQUIRES: `failed` is the run with all of them, and it failed.
std::vector<std::size_t> shrink(std::uint64_t seed, const RunResult& failed);

}  // namespace ficus::sim
