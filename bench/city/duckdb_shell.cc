// Plain DuckDB, the library we link, for bench/city/compare: the floor below our own history. In a
// process of its own, with its defaults except for one thread.
//
//   city_duckdb DATABASE
//
// Reads one statement a line; answers each with a line "milliseconds<TAB>rows" and a line for each
// row, its cells set apart by tabs.
#include <duckdb.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "city_duckdb: {}\n", why);
  std::exit(1);
}

void answer(duckdb_connection connection, const std::string& statement) {
  duckdb_result result{};
  const auto begin = std::chrono::steady_clock::now();
  if (duckdb_query(connection, statement.c_str(), &result) != DuckDBSuccess) {
    give_up(duckdb_result_error(&result));
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  const idx_t rows = duckdb_row_count(&result);
  fmt::print("{:.4f}\t{}\n", took.count(), rows);
  for (idx_t row = 0; row < rows; ++row) {
    for (idx_t column = 0; column < duckdb_column_count(&result); ++column) {
      char* const text = duckdb_value_varchar(&result, column, row);
      fmt::print("{}{}", column == 0 ? "" : "\t", text == nullptr ? "" : text);
      duckdb_free(text);
    }
    fmt::print("\n");
  }
  std::fflush(stdout);
  duckdb_destroy_result(&result);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    fmt::print(stderr, "usage: city_duckdb DATABASE\n");
    return 2;
  }
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  if (duckdb_open(words[1], &database) != DuckDBSuccess ||
      duckdb_connect(database, &connection) != DuckDBSuccess) {
    give_up(std::string("cannot open ") + words[1]);
  }
  for (std::string statement; std::getline(std::cin, statement);) answer(connection, statement);
  duckdb_disconnect(&connection);
  duckdb_close(&database);
  return 0;
}
