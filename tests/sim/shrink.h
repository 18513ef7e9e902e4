#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "world.h"

namespace ficus::sim {

// Which of `count` things, by their place, are needed for `fails` to hold: none of those that are
// given back can be left out alone (Zeller and Hildebrandt's ddmin). REQUIRES: it fails with all.
std::vector<std::size_t> smallest(
    std::size_t count, const std::function<bool(const std::vector<std::size_t>&)>& fails);

// Which of the faults of a run that failed are needed to make the seed fail.
std::vector<std::size_t> shrink(std::uint64_t seed, const RunResult& failed);

}  // namespace ficus::sim
