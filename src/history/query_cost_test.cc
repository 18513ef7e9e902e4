#include "history/query_cost.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "history/history_test_support.h"

namespace ficus::history {
namespace {

std::string nested(int count, std::string_view begin, std::string_view end, std::string inner) {
  for (int i = 0; i < count; ++i) inner = fmt::format("{}{}{}", begin, inner, end);
  return inner;
}

std::string doubling_names(int count, std::string_view operation) {
  std::string sql = "SELECT x AS a0";
  for (int i = 0; i < count; ++i)
    sql += fmt::format(", a{0} {1} a{0} AS a{2}", i, operation, i + 1);
  return sql + " FROM (VALUES (7)) t(x)";
}

class QueryCost : public testing::Test {
 protected:
  std::string refusal(const std::string& sql, Micros time_max = Micros::from_seconds(10)) {
    TextSink sink;
    const auto summary = city.query(sql, sink, {.time_max = time_max});
    EXPECT_FALSE(summary) << sql.substr(0, 200);
    return summary ? "" : summary.error().message;
  }
  TestCity city;
};

TEST_F(QueryCost, WhatGrowsWithoutBoundIsRefusedBeforeItBegins) {
  const Micros begin = city.clock.monotonic();
  EXPECT_TRUE(refusal(doubling_names(60, "+")).contains("used in each other"));
  EXPECT_TRUE(refusal(doubling_names(60, "||")).contains("used in each other"));
  EXPECT_TRUE(refusal("SELECT '" + std::string(2001, 'x') + "'").contains("at most 2000"));
  EXPECT_TRUE(refusal("SELECT " + nested(500, "[", "]", "1")).contains("nested deeper than 32"));
  EXPECT_TRUE(refusal("SELECT " + nested(5, "hex(", ")", "'x'")).contains("make texts longer"));
  EXPECT_TRUE(
      refusal("SELECT " + nested(9, "to_json(", ")", "'\"'")).contains("make texts longer"));
  EXPECT_TRUE(refusal("SELECT regexp_replace('x', 'x', '" + std::string(21, 'y') + "', 'g')")
                  .contains("regexp_replace: at most 2"));
  EXPECT_TRUE(refusal("SELECT regexp_replace('x', 'x', 'a' || 'b')").contains("regexp_replace"));
  EXPECT_TRUE(refusal("SELECT " + nested(3, "regexp_replace(", ", 'x', 'xx', 'g')", "'x'"))
                  .contains("regexp_replace"));
  EXPECT_TRUE(refusal("SELECT list_transform(l, lambda x: l) FROM (SELECT list(range) AS l FROM "
                      "range(100000))")
                  .contains("own parameters only, not l"));
  EXPECT_TRUE(refusal("SELECT list_transform([[1]], lambda x: list_transform(x, lambda y: x))")
                  .contains("own parameters only, not x"));
  for (const char* const sql :
       {"SELECT bin('x')", "SELECT to_binary('x')", "SELECT levenshtein('a', 'b')",
        "SELECT list_reduce([1], lambda a, b: a + b)", "SELECT getenv('HOME')"}) {
    EXPECT_TRUE(refusal(sql).contains("is not allowed")) << sql;
  }
  EXPECT_LT((city.clock.monotonic() - begin).seconds(), 5);
}

TEST_F(QueryCost, OrdinaryQuestionsAreNot) {
  EXPECT_EQ(city.one(doubling_names(6, "+")), "7|14|28|56|112|224|448");
  EXPECT_EQ(city.one("SELECT [[1], [2, 3]], {'a': {'b': [1]}}"), "[[1],[2,3]]|{\"a\":{\"b\":[1]}}");
  EXPECT_EQ(city.one("SELECT list_transform([1, 2], lambda x: x * 2)"), "[2,4]");
  EXPECT_EQ(city.one("SELECT '{\"a\": {\"b\": 3}}'::JSON -> '$.a' ->> '$.b'"), "3");
  EXPECT_EQ(city.one("SELECT regexp_replace('a-b', '-', '_'), hex('a'), url_encode('ä')"),
            "a_b|61|%C3%A4");
}

TEST_F(QueryCost, ReplaceIsAsBeforeAndBounded) {
  EXPECT_EQ(city.one("SELECT replace('banana', 'an', '-'), replace('banana', '', 'x'), "
                     "replace('', 'a', 'b'), replace('aaa', 'aa', 'b'), replace('榕树榕', '榕', "
                     "'ab'), replace(NULL, 'a', 'b'), replace('a', NULL, 'b')"),
            "b--a|banana||ba|ab树ab|NULL|NULL");
  EXPECT_EQ(city.one("SELECT count(*), sum(length(replace(n::VARCHAR, '1', ''))) FROM (SELECT CASE "
                     "WHEN range % 3 = 0 THEN NULL ELSE range END AS n FROM range(5000))"),
            "5000|10925");
  if (kUnderThreadSanitizer) GTEST_SKIP() << "the time limit comes first";
  const std::string grown =
      nested(6, "replace(", ", 'x', '" + std::string(1000, 'x') + "')", "'x'");
  // However slow the machine is.
  const std::string why = refusal("SELECT length(" + grown + ")", Micros::from_seconds(600));
  EXPECT_TRUE(why.contains("larger than 64 MiB")) << why;
}

// What only a running query shows is stopped by its limits.
TEST_F(QueryCost, WhatGrowsWhileItRunsIsStopped) {
  const QueryLimits limits{.time_max = Micros::from_seconds(2), .memory_bytes_max = 100'000'000};
  for (const char* const sql :
       {"WITH RECURSIVE t(s, n) AS (SELECT 'xxxxxxxxxxxxxxxx', 0 UNION ALL SELECT s || s, n + 1 "
        "FROM "
        "t WHERE n < 40) SELECT max(length(s)) FROM t",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t, range(10)) SELECT count(*) "
        "FROM t",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
        "SELECT count(*) FROM generate_series(1, 9000000000000000000)",
        "SELECT length(string_agg(range::VARCHAR, ',')) FROM range(100000000000)",
        "SELECT list(range) FROM range(1000000000000)",
        "SELECT a.range FROM range(100000) a, range(100000) b ORDER BY a.range * b.range"}) {
    TextSink sink;
    const auto summary = city.query(sql, sink, limits);
    ASSERT_FALSE(summary) << sql;
    EXPECT_TRUE(summary.error().code == ErrorCode::overloaded ||
                summary.error().code == ErrorCode::timed_out)
        << summary.error().message;
  }
  EXPECT_EQ(city.one("SELECT 1"), "1");
}

}  // namespace
}  // namespace ficus::history
