#include "history/duck.h"

#include <duckdb.h>
#include <gtest/gtest.h>

#include "history/history_test_support.h"

namespace ficus::history {
namespace {

class Duck : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = DuckDatabase::open(settings());
    ASSERT_TRUE(opened) << opened.error().message;
    database = std::move(*opened);
    connection = *DuckConnection::open(*database);
  }
  DuckSettings settings() const {
    return {.path = ":memory:",
            .directory = folder.path(),
            .spill_directory = folder.path() + "/it's",
            .memory_bytes_max = 1 << 30};
  }

  TestFolder folder;
  std::unique_ptr<DuckDatabase> database;
  std::unique_ptr<DuckConnection> connection;
};

TEST_F(Duck, ParametersOfEveryKindComeBack) {
  const std::string text("榕\0'; --", 9);
  const auto rows = connection->select(
      "SELECT CAST($1 AS BIGINT), CAST($2 AS DOUBLE), CAST($3 AS VARCHAR), CAST($4 AS BIGINT)",
      {Datum{std::int64_t{-7}}, Datum{0.5}, Datum{text}, Datum{}});
  ASSERT_TRUE(rows) << rows.error().message;
  const DatumRow& row = rows->at(0);
  EXPECT_EQ(integer_of(row[0]), -7);
  EXPECT_EQ(std::get<double>(row[1]), 0.5);
  EXPECT_EQ(text_of(row[2]), text);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(row[3]));
  EXPECT_EQ(integer_of(row[3]), 0);
  EXPECT_EQ(text_of(row[3]), "");
}

TEST_F(Duck, MistakesAreErrorsWithTheirOwnWords) {
  const DatumRow one = {Datum{std::int64_t{1}}};
  const auto code = [&](const std::string& sql, const DatumRow& parameters) {
    const auto rows = connection->select(sql, parameters);
    EXPECT_FALSE(rows) << sql;
    return rows ? ErrorCode::internal : rows.error().code;
  };
  EXPECT_EQ(code("SELECT nothing", {}), ErrorCode::invalid_input);
  EXPECT_EQ(code("SELECT nothing WHERE $1 = 1", one), ErrorCode::invalid_input);
  EXPECT_EQ(code("SELECT 1::BIGINT", one), ErrorCode::invalid_input) << "one parameter too many";
  EXPECT_EQ(code("SELECT CAST('x' || $1 AS BIGINT)", one), ErrorCode::invalid_input);
  const auto odd = connection->select("SELECT true");
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().code, ErrorCode::internal);
  EXPECT_TRUE(odd.error().message.starts_with("unexpected column type"));
}

TEST_F(Duck, ATransactionThatIsNotCommittedLeavesNothing) {
  ASSERT_TRUE(connection->run("CREATE TABLE t (a BIGINT)"));
  {
    DuckTransaction transaction(*connection);
    ASSERT_TRUE(transaction.begin());
    ASSERT_TRUE(connection->run("INSERT INTO t VALUES (1)"));
    EXPECT_FALSE(transaction.begin()) << "within another one";
  }
  EXPECT_EQ(integer_of(connection->select("SELECT count(*) FROM t").value()[0][0]), 0);
  DuckTransaction reading(*connection);
  ASSERT_TRUE(reading.begin(true));
  EXPECT_FALSE(connection->run("INSERT INTO t VALUES (1)"));
}

TEST_F(Duck, SettingsThatItRefusesAreNamed) {
  DuckSettings wrong = settings();
  wrong.threads = 0;
  const auto opened = DuckDatabase::open(wrong);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unavailable);
  wrong = settings();
  wrong.path = folder.path() + "/there/is/none";
  EXPECT_EQ(DuckDatabase::open(wrong).error().code, ErrorCode::unavailable);
}

TEST(DuckError, SaysWhatTheCallerCanDo) {
  const auto code = [](duckdb_error_type type, const char* message) {
    return duck_error(static_cast<int>(type), message).code;
  };
  EXPECT_EQ(code(DUCKDB_ERROR_OUT_OF_MEMORY, "m"), ErrorCode::overloaded);
  EXPECT_EQ(code(DUCKDB_ERROR_INTERRUPT, "m"), ErrorCode::timed_out);
  EXPECT_EQ(code(DUCKDB_ERROR_IO, "m"), ErrorCode::unavailable);
  EXPECT_EQ(code(DUCKDB_ERROR_FATAL, "m"), ErrorCode::unavailable);
  EXPECT_EQ(code(DUCKDB_ERROR_TRANSACTION, "m"), ErrorCode::unavailable);
  EXPECT_EQ(code(DUCKDB_ERROR_PERMISSION, "m"), ErrorCode::denied);
  EXPECT_EQ(code(DUCKDB_ERROR_INTERNAL, "m"), ErrorCode::internal);
  EXPECT_EQ(code(DUCKDB_ERROR_INVALID, "m"), ErrorCode::internal);
  EXPECT_EQ(code(DUCKDB_ERROR_PARSER, "m"), ErrorCode::invalid_input);
  EXPECT_EQ(code(DUCKDB_ERROR_PARSER, "Invalid Error: thrown by zstd"), ErrorCode::internal);
  EXPECT_EQ(duck_error(DUCKDB_ERROR_PARSER, nullptr).message, "no message from DuckDB");
  EXPECT_TRUE(needs_reopening({ErrorCode::unavailable, "FATAL Error: x"}));
  EXPECT_TRUE(needs_reopening({ErrorCode::internal, "the database has been invalidated because"}));
  EXPECT_FALSE(needs_reopening({ErrorCode::unavailable, "IO Error: no FATAL one"}));
}

}  // namespace
}  // namespace ficus::history
