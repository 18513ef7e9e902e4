#include "shrink.h"

#include <algorithm>

namespace ficus::sim {
namespace {

// All but the part-th of `parts` pieces.
std::vector<std::size_t> without(const std::vector<std::size_t>& all, std::size_t part,
                                 std::size_t parts) {
  std::vector<std::size_t> rest;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i * parts / all.size() != part) rest.push_back(all[i]);
  }
  return rest;
}

}  // namespace

std::vector<std::size_t> smallest(
    std::size_t count, const std::function<bool(const std::vector<std::size_t>&)>& fails) {
  std::vector<std::size_t> needed;
  for (std::size_t i = 0; i < count; ++i) needed.push_back(i);
  std::size_t parts = 2;
  while (!needed.empty()) {
    bool is_smaller = false;
    parts = std::min(parts, needed.size());
    for (std::size_t part = 0; part < parts && !is_smaller; ++part) {
      std::vector<std::size_t> rest = without(needed, part, parts);
      if (!fails(rest)) continue;
      needed = std::move(rest);
      parts = std::max<std::size_t>(2, parts - 1);
      is_smaller = true;
    }
    if (is_smaller) continue;
    if (parts >= needed.size()) break;
    parts *= 2;
  }
  return needed;
}

std::vector<std::size_t> shrink(std::uint64_t seed, const RunResult& failed) {
  return smallest(failed.plan.size(), [&](const std::vector<std::size_t>& faults) {
    return !World({.seed = seed, .only = faults}).run().report.is_sound();
  });
}

}  // namespace ficus::sim
