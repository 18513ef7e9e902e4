#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.h"
#include "history/duck.h"

namespace ficus::history {

using TableNames = std::unordered_set<std::string>;

// The tables and views there are, for one asker. Names folded (names.h).
struct TableScope {
  TableNames readable;
  TableNames hidden;  // they exist, but not for this asker
  bool is_restricted = false;
};

// Says whether a statement only reads our views. It must be a single SELECT (also WITH, VALUES,
// TABLE, FROM first, DESCRIBE, SUMMARIZE, SHOW TABLES) or EXPLAIN [ANALYZE] of one. DuckDB parses
// it, and every node of the tree must be of a kind we know, every table in `scope.readable` or a
// WITH name in scope, every function in our list. A WITH name may not be that of a hidden table:
// where SQL does not see the one yet, it would find the other. What we do not know is refused, so
// that a newer DuckDB cannot open a door by itself.
//
// This is one of four walls: a read-only transaction, file access limited to our folder and a
// locked configuration (duck.h) stand behind it.
// `connection` is used for parsing only.
Status check_statement(DuckConnection& connection, std::string_view sql, const TableScope& scope);

// The statement as text anew, from its syntax tree: without comments and semicolon, fit to stand
// in brackets. REQUIRES: check_statement let it through. Refuses EXPLAIN and DESCRIBE.
Result<std::string> written_out(DuckConnection& connection, std::string_view sql);

// Functions usable in expressions (scalar, aggregate, window), and in FROM. Names folded.
bool is_allowed_function(std::string_view name);
bool is_allowed_table_function(std::string_view name);

}  // namespace ficus::history
