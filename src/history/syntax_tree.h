#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ficus::history {

// The syntax tree of a statement, as DuckDB's json_serialize_sql writes it: plain JSON. The guard
// walks it. Only what the guard needs is kept: objects, arrays and strings; numbers, true, false
// and null are scalars without content.
struct SyntaxNode {
  enum class Kind : unsigned char { scalar, null, text, array, object };

  Kind kind = Kind::scalar;
  std::string text;
  std::vector<SyntaxNode> children;  // of an object or array
  std::vector<std::string> names;    // of an object's children

  const SyntaxNode* find(std::string_view name) const;  // null if there is none
  // The text of the member, or "" if it is absent or something else.
  std::string_view text_of(std::string_view name) const;
  bool is_null() const { return kind == Kind::null; }
};

// Reads one JSON document. Depth and size are bounded; anything unexpected is an error.
Result<SyntaxNode> read_syntax_tree(std::string_view json);

}  // namespace ficus::history
