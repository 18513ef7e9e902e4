#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "history/query.h"

// Handles of DuckDB's C API.
struct _duckdb_data_chunk;
struct _duckdb_logical_type;

namespace ficus::history {

// The shape of a column, as far as its values must be told apart.
struct CellType {
  int id = 0;       // duckdb_type
  int storage = 0;  // duckdb_type of DECIMAL's and ENUM's numbers
  int scale = 0;    // DECIMAL
  std::size_t array_size = 0;
  std::vector<std::string> names;  // STRUCT and UNION members; ENUM words
  std::vector<CellType> children;  // STRUCT, UNION, LIST, ARRAY, MAP (key, value)
  std::string text;                // as SQL writes it
};

// Fails for types that have no neutral form yet (BIT, TIMETZ, ...): the caller says "cast it".
Result<CellType> cell_type(_duckdb_logical_type* type);

// Turns the chunks of an answer into rows of cells. Not thread-safe.
class CellReader {
 public:
  explicit CellReader(std::vector<CellType> types);
  // The row of the chunk; valid until the next call.
  std::span<const Cell> row(_duckdb_data_chunk* chunk, std::size_t row);

 private:
  std::vector<CellType> types_;
  std::vector<Cell> cells_;
  std::vector<std::string> texts_;
};

}  // namespace ficus::history
