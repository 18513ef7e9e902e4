#pragma once

#include "base/result.h"
#include "history/syntax_tree.h"

namespace ficus::history {

// Refuses statements whose cost no limit of time or memory could bound, since DuckDB looks at those
// limits only between chunks of 2048 rows, and not at all while it plans:
//  - names of the SELECT list used in each other (a + a AS b, b + b AS c ...): each use is a copy;
//  - texts that grow by a factor again and again (regexp_replace, hex, to_json of to_json ...);
//  - lambdas that give every element of a list a large value from outside;
//  - lists in lists in lists ..., whose types are compared with each other.
// The limits are far beyond what questions about a city look like. `statement`: what
// check_statement looks at.
Status check_cost(const SyntaxNode& statement);

}  // namespace ficus::history
