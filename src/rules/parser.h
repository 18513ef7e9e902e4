#pragma once

#include <string_view>
#include <vector>

#include "rules/ast.h"
#include "rules/problem.h"

namespace ficus::rules {

struct ParsedFile {
  std::vector<Statement> statements;
  std::vector<Problem> problems;  // at most one a statement; empty if the file is right
};

// Reads every CREATE RULE statement of a file. After a problem it goes on behind the next ';'.
// Limits: text_bytes_max, statements_max and nesting_max are problems when exceeded.
struct ParseLimits {
  std::size_t text_bytes_max = 8 << 20;
  std::size_t statements_max = 20'000;
  std::size_t nesting_max = 100;
  std::size_t columns_max = 64;
};
ParsedFile parse_file(std::string_view text, const ParseLimits& limits);

}  // namespace ficus::rules
