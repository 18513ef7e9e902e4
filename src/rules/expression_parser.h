#pragma once

#include "rules/ast.h"
#include "rules/problem.h"
#include "rules/token_cursor.h"

namespace ficus::rules {

// Reads one expression at the cursor and leaves the cursor behind it. Precedence and associativity
// are those of DuckDB (the grammar of PostgreSQL): from weak to strong OR, AND, NOT, IS,
// comparison, BETWEEN IN LIKE, ||, + -, * / // %, sign, ::. Expressions nested more than
// `nesting_max` deep are a problem.
Parsed<ExprPtr> parse_expression(TokenCursor& cursor, std::size_t nesting_max);

}  // namespace ficus::rules
