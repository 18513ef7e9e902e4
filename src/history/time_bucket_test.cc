#include "history/time_bucket.h"

#include <duckdb.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "history/history_test_support.h"

namespace ficus::history {
namespace {

// DuckDB's own function, in a database of its own, is the oracle.
class Oracle {
 public:
  Oracle() {
    EXPECT_EQ(duckdb_open(nullptr, &database_), DuckDBSuccess);
    EXPECT_EQ(duckdb_connect(database_, &connection_), DuckDBSuccess);
  }
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;
  ~Oracle() {
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }
  std::string one(const std::string& sql) {
    duckdb_result result;
    std::string text = "error";
    if (duckdb_query(connection_, sql.c_str(), &result) == DuckDBSuccess) {
      char* value = duckdb_value_varchar(&result, 0, 0);
      text = value == nullptr ? "NULL" : value;
      duckdb_free(value);
    }
    duckdb_destroy_result(&result);
    return text;
  }

 private:
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

TEST(TimeBucket, AnswersAsDuckDbDoes) {
  TestCity city;
  Oracle oracle;
  for (const char* const width :
       {"1 microsecond", "7 microseconds", "1 second", "5 minutes", "1 hour", "36 hours", "1 day",
        "1 week", "1 day 7 hours", "1 month", "3 months", "1 year", "7 months", "10 years"}) {
    // Over 1900 to 2100, before and behind both origins, in and out of order; with NULLs between.
    for (const char* const time :
         {"make_timestamp((n * 7919 % 4001 - 1400) * 1577836800000 + n * 123457)",
          "make_timestamp(946684800000000 + (n - 2000) * 60000000)",
          "CASE WHEN n % 3 = 0 THEN NULL ELSE make_timestamp(946857600000000 + n) END"}) {
      const std::string sql = fmt::format(
          "SELECT md5(string_agg(coalesce(time_bucket(INTERVAL '{}', {})::VARCHAR, '-'), ',' ORDER "
          "BY n)) FROM range(4000) r(n)",
          width, time);
      EXPECT_EQ(city.one(sql), oracle.one(sql)) << sql;
    }
  }
  for (const char* const expression :
       {"time_bucket(INTERVAL '1 hour', 'infinity'::TIMESTAMP)",
        "time_bucket(INTERVAL '1 hour', '-infinity'::TIMESTAMP)",
        "time_bucket(INTERVAL '1 month', 'infinity'::TIMESTAMP)",
        "time_bucket(NULL::INTERVAL, TIMESTAMP '2026-01-01')",
        "time_bucket(INTERVAL '1 hour', NULL::TIMESTAMP)",
        "time_bucket(INTERVAL '1 hour', DATE '2026-01-01')",
        "time_bucket(INTERVAL '1 hour', TIMESTAMP '2026-01-01 10:31:00', INTERVAL '20 minutes')"}) {
    const std::string sql = fmt::format("SELECT ({})::VARCHAR", expression);
    EXPECT_EQ(city.one(sql), oracle.one(sql)) << sql;
  }
  // A width a row.
  const std::string sql =
      "SELECT md5(string_agg(time_bucket(to_seconds(1 + n % 7), make_timestamp(n * "
      "100000007))::VARCHAR, ',' ORDER BY n)) FROM range(5000) r(n)";
  EXPECT_EQ(city.one(sql), oracle.one(sql));
}

TEST(TimeBucket, RefusesWhatHasNoBucket) {
  TestCity city;
  for (const char* const expression :
       {"INTERVAL '0 seconds', TIMESTAMP '2026-01-01'",
        "INTERVAL '-1 hour', TIMESTAMP '2026-01-01'", "INTERVAL '-1 month', TIMESTAMP '2026-01-01'",
        "INTERVAL '1 month 1 day', TIMESTAMP '2026-01-01'",
        "INTERVAL '1 hour', make_timestamp(-9223372022400000000)"}) {
    const auto rows = city.rows(fmt::format("SELECT time_bucket({})", expression));
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_TRUE(rows[0].contains("time_bucket: ")) << rows[0];
  }
}

}  // namespace
}  // namespace ficus::history
