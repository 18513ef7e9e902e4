#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.h"
#include "history/duck.h"

namespace ficus::history {

// The tables and views a user may name, folded (names.h).
using TableNames = std::unordered_set<std::string>;

// Says whether a statement only reads our views. It must be a single SELECT (also WITH, VALUES,
// TABLE, FROM first, DESCRIBE, SUMMARIZE, SHOW TABLES) or EXPLAIN [ANALYZE] of one. DuckDB parses
// it, and every node of the tree must be of a kind we know, every table in `tables` or a WITH name
// in scope, every function in our list. What we do not know is refused, so that a newer DuckDB
// cannot open a door by itself.
//
// This is one of four walls: a read-only transaction, file access limited to our folder and a
// locked configuration (duck.h) stand behind it.
// `connection` is used for parsing only.
Status check_statement(DuckConnection& connection, std::string_view sql, const TableNames& tables);

// Functions usable in expressions (scalar, aggregate, window), and in FROM. Names folded.
bool is_allowed_function(std::string_view name);
bool is_allowed_table_function(std::string_view name);

}  // namespace ficus::history
