#pragma once

#include <duckdb.h>

#include <optional>
#include <string>
#include <vector>

#include "base/check.h"

namespace ficus::rules::testing {

// A database in memory that says what SQL means. For tests only.
class DuckOracle {
 public:
  DuckOracle() {
    FICUS_CHECK(duckdb_open(nullptr, &database_) == DuckDBSuccess);
    FICUS_CHECK(duckdb_connect(database_, &connection_) == DuckDBSuccess);
    run("SET threads = 1");
  }
  ~DuckOracle() {
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }
  DuckOracle(const DuckOracle&) = delete;
  DuckOracle& operator=(const DuckOracle&) = delete;

  void run(const std::string& sql) {
    duckdb_result result;
    const bool good = duckdb_query(connection_, sql.c_str(), &result) == DuckDBSuccess;
    if (!good) error_ = duckdb_result_error(&result);
    duckdb_destroy_result(&result);
    FICUS_CHECK(good);
  }

  // The first column of the answer; each value cast to VARCHAR by DuckDB, nothing for NULL.
  // Nothing at all if the query fails: error() says why.
  std::optional<std::vector<std::optional<std::string>>> column(const std::string& sql) {
    duckdb_result result;
    std::optional<std::vector<std::optional<std::string>>> answer;
    if (duckdb_query(connection_, sql.c_str(), &result) == DuckDBSuccess) {
      answer.emplace();
      read(result, *answer);
    } else {
      error_ = duckdb_result_error(&result);
    }
    duckdb_destroy_result(&result);
    return answer;
  }
  const std::string& error() const { return error_; }
  duckdb_connection connection() const { return connection_; }

 private:
  // REQUIRES: the column is VARCHAR.
  static void read(duckdb_result& result, std::vector<std::optional<std::string>>& out) {
    while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result)) {
      duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, 0);
      auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
      std::uint64_t* validity = duckdb_vector_get_validity(vector);
      const idx_t count = duckdb_data_chunk_get_size(chunk);
      for (idx_t row = 0; row < count; ++row) {
        if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) {
          out.emplace_back();
        } else {
          out.emplace_back(
              std::string(duckdb_string_t_data(&texts[row]), duckdb_string_t_length(texts[row])));
        }
      }
      duckdb_destroy_data_chunk(&chunk);
    }
  }

  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
  std::string error_;
};

}  // namespace ficus::rules::testing
