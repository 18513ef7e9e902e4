#pragma once

#include <span>

#include "rules/bound.h"
#include "rules/program.h"

namespace ficus::rules {

// Turns checked expressions into instructions. A condition of a rule only asks whether it is true:
// `only_truth_counts` lets the program skip what cannot make a row true.
Program plan(std::span<const Bound* const> expressions, bool only_truth_counts);

}  // namespace ficus::rules
