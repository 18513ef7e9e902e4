#include "history/parquet_rows.h"

#include <duckdb.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ficus::history {
namespace {

class ParquetRowsTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Writes the answer of a SELECT as Parquet.
  std::string write(const std::string& select) {
    const std::string path = (folder_ / "a.parquet").string();
    duckdb_database database = nullptr;
    duckdb_connection connection = nullptr;
    EXPECT_EQ(duckdb_open(nullptr, &database), DuckDBSuccess);
    EXPECT_EQ(duckdb_connect(database, &connection), DuckDBSuccess);
    const std::string sql = "COPY (" + select + ") TO '" + path + "' (FORMAT parquet)";
    EXPECT_EQ(duckdb_query(connection, sql.c_str(), nullptr), DuckDBSuccess);
    duckdb_disconnect(&connection);
    duckdb_close(&database);
    return path;
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("ficus-parquet-" + std::to_string(getpid()));
};

TEST_F(ParquetRowsTest, RowsAsJsonFromAnyRow) {
  const std::string path = write(
      "SELECT i AS n, 'x' || i AS name, i / 2 AS half, TIMESTAMP '2026-11-23 08:00:00' AS t, "
      "{lon: 119.5, lat: 26.0} AS place FROM range(5000) r(i) ORDER BY i");
  auto rows = ParquetRows::open(path, 0);
  ASSERT_TRUE(rows) << rows.error().message;
  std::string json;
  ASSERT_TRUE(*(*rows)->next(json));
  EXPECT_EQ(json, R"({"n":0,"name":"x0","half":0.0,"t":"2026-11-23 08:00:00",)"
                  R"("place":{"lon":119.5,"lat":26.0}})");
  int count = 1;
  while (*(*rows)->next(json)) ++count;
  EXPECT_EQ(count, 5000);
  const auto again = (*rows)->next(json);  // the end stays the end
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);

  auto later = ParquetRows::open(path, 4999);
  ASSERT_TRUE(later);
  ASSERT_TRUE(*(*later)->next(json));
  EXPECT_EQ(json.substr(0, 9), "{\"n\":4999");
  EXPECT_FALSE(*(*later)->next(json));
  auto behind = ParquetRows::open(path, 5000);
  ASSERT_TRUE(behind);
  EXPECT_FALSE(*(*behind)->next(json));
}

TEST_F(ParquetRowsTest, WhatIsNoParquetOrCutShortIsRefused) {
  const std::string path = write("SELECT i FROM range(1000) r(i)");
  EXPECT_FALSE(ParquetRows::open((folder_ / "none.parquet").string(), 0));
  const auto size = std::filesystem::file_size(path);
  for (const auto part : {size - 1, size / 2, std::uintmax_t{4}, std::uintmax_t{0}}) {
    std::filesystem::resize_file(path, part);
    auto rows = ParquetRows::open(path, 0);
    EXPECT_FALSE(rows) << part;
  }
  std::ofstream(path) << "PAR1 this is no Parquet file PAR1";
  EXPECT_FALSE(ParquetRows::open(path, 0));
}

}  // namespace
}  // namespace ficus::history
