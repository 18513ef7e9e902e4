#pragma once

#include "rules/bound.h"
#include "rules/problem.h"

namespace ficus::rules {

// Replaces an expression over constants by its value. A value that cannot be computed is a problem
// at load instead of a failure on every row.
Parsed<void> fold_constants(BoundPtr& bound);

}  // namespace ficus::rules
