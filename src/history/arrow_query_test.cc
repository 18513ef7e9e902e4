#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "history/arrow_stream_test_support.h"
#include "history/history_test_support.h"

namespace ficus::history {
namespace {

using Lines = std::vector<std::string>;

class StreamSink final : public ByteSink {
 public:
  bool bytes(std::string_view piece) override {
    all += piece;
    return ++pieces < stop_after;
  }
  std::string all;
  std::size_t pieces = 0;
  std::size_t stop_after = SIZE_MAX;
};

struct Answer {
  ArrowStream stream;
  Lines rows;
  QuerySummary summary;
};

Result<Answer> ask(TestCity& city, const std::string& sql, const QueryLimits& limits = {}) {
  StreamSink sink;
  Answer answer;
  FICUS_TRY(answer.summary, city.history->query_arrow(sql, limits, sink));
  FICUS_TRY(answer.stream, read_arrow_stream(sink.all));
  FICUS_TRY(answer.rows, arrow_rows(answer.stream));
  return answer;
}

std::string refusal(TestCity& city, const std::string& sql, const QueryLimits& limits = {}) {
  const auto answer = ask(city, sql, limits);
  EXPECT_FALSE(answer) << sql;
  return answer
             ? ""
             : fmt::format("{}: {}", error_code_name(answer.error().code), answer.error().message);
}

TEST(ArrowQuery, EveryTypeComesAsItselfAndSoDoesNull) {
  TestCity city;
  const auto is = [&city](const std::string& expression, const std::string& type,
                          const std::string& value) {
    const auto answer = ask(city, "SELECT " + expression +
                                      " AS v UNION ALL SELECT NULL UNION ALL SELECT " + expression);
    ASSERT_TRUE(answer) << expression << ": " << answer.error().message;
    ASSERT_EQ(answer->stream.columns.size(), 1U);
    EXPECT_EQ(answer->stream.columns[0].name, "v");
    EXPECT_EQ(answer->stream.columns[0].type, type) << expression;
    EXPECT_EQ(answer->rows, (Lines{value, "NULL", value})) << expression;
    EXPECT_TRUE(answer->stream.has_end);
    EXPECT_EQ(answer->summary.row_count, 3U);
  };
  is("true", "bool", "true");
  is("(-5)::TINYINT", "int8", "-5");
  is("250::UTINYINT", "uint8", "250");
  is("(-300)::SMALLINT", "int16", "-300");
  is("60000::USMALLINT", "uint16", "60000");
  is("(-70000)::INTEGER", "int32", "-70000");
  is("4000000000::UINTEGER", "uint32", "4000000000");
  is("-9223372036854775808", "int64", "-9223372036854775808");
  is("18446744073709551615::UBIGINT", "uint64", "18446744073709551615");
  is("(-3)::HUGEINT", "decimal 38,0 of 128 bits", "-3");
  is("1.5::FLOAT", "float32", "1.5");
  is("0.1::DOUBLE", "float64", "0.1");
  is("'NaN'::DOUBLE", "float64", "nan");
  is("-0.05::DECIMAL(4,2)", "decimal 4,2 of 128 bits", "-5");
  is("-0.05::DECIMAL(9,2)", "decimal 9,2 of 128 bits", "-5");
  is("12345.678::DECIMAL(18,3)", "decimal 18,3 of 128 bits", "12345678");
  is("12345678901234567890.5::DECIMAL(30,1)", "decimal 30,1 of 128 bits",
     "6:b14e9f812f366c39");  // 123456789012345678905
  is("'榕'", "utf8", "榕");
  is("''", "utf8", "");
  is("'long and longer long and longer long and longer '", "utf8",
     "long and longer long and longer long and longer ");
  is("'\\x00a\\xFF'::BLOB", "binary", std::string("\0a\xFF", 3));
  is("DATE '1969-12-30'", "date day", "-2");
  is("TIME '01:02:03.5'", "time us of 64 bits", "3723500000");
  is("TIMESTAMP '1970-01-01 00:00:01.25'", "timestamp us UTC", "1250000");
  is("TIMESTAMPTZ '1970-01-01 08:00:01+08'", "timestamp us UTC", "1000000");
  is("TIMESTAMP_S '1969-12-31 23:59:59'", "timestamp s UTC", "-1");
  is("TIMESTAMP_MS '1970-01-01 00:00:00.25'", "timestamp ms UTC", "250");
  is("TIMESTAMP_NS '1970-01-01 00:00:00.25'", "timestamp ns UTC", "250000000");
  is("INTERVAL '14 months 3 days' + INTERVAL '-1 second'", "interval 2",
     "14 months 3 days -1000000000 ns");
  is("'123e4567-e89b-12d3-a456-426614174000'::UUID", "utf8",
     "123e4567-e89b-12d3-a456-426614174000");
  is("'{\"a\":[1]}'::JSON", "utf8", "{\"a\":[1]}");
  is("[1, NULL, 3]", "list", "[1,NULL,3]");
  is("[[1], NULL, []]", "list", "[[1],NULL,[]]");
  is("[]::VARCHAR[]", "list", "[]");
  is("[1, 2]::INTEGER[2]", "list of 2", "[1,2]");
  is("{'a': 'x', 'b': {'c': NULL::DOUBLE}}", "struct", "{a:x,b:{c:NULL}}");
  is("MAP {'k': 1, 'l': NULL}", "map", "[{key:k,value:1},{key:l,value:NULL}]");
}

TEST(ArrowQuery, AUnionSaysWhichMemberItIs) {
  TestCity city;
  const auto answer = ask(city,
                          "SELECT union_value(num := i)::UNION(num INTEGER, str VARCHAR) AS v FROM "
                          "range(2) r(i) UNION ALL SELECT union_value(str := 'x')::UNION(num "
                          "INTEGER, str VARCHAR)");
  if (!answer) FAIL() << answer.error().message;
  EXPECT_EQ(answer->rows, (Lines{"num=0", "num=1", "str=x"}));
}

TEST(ArrowQuery, TypesWithoutAFormAreNamed) {
  TestCity city;
  for (const char* const type : {"'b'::ENUM('a', 'b')", "['b'::ENUM('a', 'b')]"}) {
    EXPECT_EQ(refusal(city, std::string("SELECT 1 AS a, ") + type + " AS b"),
              "invalid_input: column 'b': cast it to VARCHAR: its type has no form in an Arrow "
              "answer")
        << type;
  }
}

// Of a map's entries and keys the format says that they are never null; readers check it.
TEST(ArrowQuery, AMapsKeysAreNotNullable) {
  TestCity city;
  const auto answer = ask(city, "SELECT MAP {'k': 1} AS m, [MAP {1: 'x'}] AS l");
  ASSERT_TRUE(answer) << answer.error().message;
  for (const ArrowColumn* map :
       {&answer->stream.columns.at(0), &answer->stream.columns.at(1).children.at(0)}) {
    ASSERT_EQ(map->type, "map");
    EXPECT_TRUE(map->is_nullable);
    EXPECT_FALSE(map->children.at(0).is_nullable);
    EXPECT_FALSE(map->children[0].children.at(0).is_nullable);
    EXPECT_TRUE(map->children[0].children.at(1).is_nullable);
  }
}

TEST(ArrowQuery, RowsOfTheHistoryAreTheSameAsCells) {
  DuckHistoryOptions options;
  options.tail_rows_max = 3000;
  TestCity city(options);
  city.append(city.vehicles(0, 5000));
  city.commit(1);
  ASSERT_EQ(city.maintain(Timestamp::from_seconds(9000)).sealed.size(), 1U);
  city.append(city.vehicles(5000, 100));
  city.commit(2);
  const std::string cells =
      " FROM (SELECT id, epoch_us(\"observedAt\") AS t, speed::DOUBLE AS speed, "
      "location.lon::DOUBLE AS lon, line, \"doorsOpen\", epoch_us(due) AS due FROM Vehicle ORDER "
      "BY ALL)";
  const auto answer = ask(city, "SELECT *" + cells);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->rows.size(), 5100U);
  EXPECT_GE(answer->stream.batches.size(), 3U);
  EXPECT_EQ(answer->rows, city.rows("SELECT *" + cells));
}

TEST(ArrowQuery, EmptyAnswersHaveTheirColumns) {
  TestCity city;
  const auto answer = ask(city, "SELECT 1 AS \"a \"\"b\"\" '榕\", 'x' AS c WHERE false");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->rows.empty());
  EXPECT_TRUE(answer->stream.has_end);
  ASSERT_EQ(answer->stream.columns.size(), 2U);
  EXPECT_EQ(answer->stream.columns[0].name, "a \"b\" '榕");
  EXPECT_EQ(answer->summary.row_count, 0U);
  EXPECT_FALSE(answer->summary.truncated);
}

TEST(ArrowQuery, RowLimitCutsWithinABatchAndSaysSo) {
  TestCity city;
  const std::string sql = "SELECT i::VARCHAR FROM range(10000) r(i)";
  for (const std::uint64_t rows_max : {0, 1, 2047, 2048, 2049, 5000}) {
    const auto answer = ask(city, sql, {.rows_max = rows_max});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_TRUE(answer->summary.truncated) << rows_max;
    EXPECT_EQ(answer->summary.row_count, rows_max);
    ASSERT_EQ(answer->rows.size(), rows_max);
    if (rows_max > 0) {
      EXPECT_EQ(answer->rows.back(), std::to_string(rows_max - 1));
    }
    EXPECT_TRUE(answer->stream.has_end);
  }
  const auto all = ask(city, sql, {.rows_max = 10000});
  ASSERT_TRUE(all);
  EXPECT_FALSE(all->summary.truncated);
  EXPECT_EQ(all->rows.size(), 10000U);
}

TEST(ArrowQuery, AReaderThatHasGoneEndsIt) {
  TestCity city;
  for (const std::size_t pieces : {1, 2, 3}) {
    StreamSink sink;
    sink.stop_after = pieces;
    const auto summary =
        city.history->query_arrow("SELECT * FROM range(100000000)", {.rows_max = UINT64_MAX}, sink);
    ASSERT_TRUE(summary) << summary.error().message;
    EXPECT_TRUE(summary->truncated);
    EXPECT_LE(sink.pieces, pieces + 1);  // the end mark
    EXPECT_EQ(read_arrow_stream(sink.all).value().batches.size(), pieces - 1);
  }
}

// The first rows have gone out by then: no end mark must make a whole answer of them.
TEST(ArrowQuery, AFailureInTheMiddleIsAnErrorWithoutAnEnd) {
  TestCity city;
  StreamSink sink;
  const auto summary = city.history->query_arrow(
      "SELECT CASE WHEN i < 50000 THEN '1' ELSE 'x' END::INTEGER FROM range(100000) r(i)", {},
      sink);
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, ErrorCode::invalid_input) << summary.error().message;
  const auto stream = read_arrow_stream(sink.all);
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_FALSE(stream->has_end);
  TextSink cells;
  EXPECT_FALSE(city.query(
      "SELECT CASE WHEN i < 50000 THEN '1' ELSE 'x' END::INTEGER FROM range(100000) r(i)", cells));
}

TEST(ArrowQuery, RefusedAndMistakenStatementsSayWhyAndSendNothing) {
  TestCity city;
  for (const char* const sql :
       {"SELECT nothing FROM Vehicle", "DELETE FROM quarantine", "SELECT 1; SELECT 2", "",
        "COPY (SELECT 1) TO '/x'", "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT 'a'::INTEGER"}) {
    StreamSink sink;
    const auto summary = city.history->query_arrow(sql, {}, sink);
    ASSERT_FALSE(summary) << sql;
    EXPECT_TRUE(sink.all.size() < 1000 && !sink.all.contains(std::string(8, '\0') + "\xFF"));
    EXPECT_FALSE(summary.error().message.empty()) << sql;
  }
  EXPECT_TRUE(refusal(city, std::string(200'000, ' ')).contains("more than 100000"));
}

TEST(ArrowQuery, LimitsOfTimeAndCancellingHold) {
  TestCity city;
  const std::string endless =
      "SELECT i + j FROM range(1000000) a(i), range(1000000) b(j) WHERE i * j % 7 = 8";
  EXPECT_TRUE(refusal(city, endless, {.time_max = Micros::from_millis(100)})
                  .starts_with("timed_out: the query was stopped after its time limit of 0.1 s"));
  std::stop_source source;
  StreamSink sink;
  Result<QuerySummary> summary;
  std::thread asker(
      [&] { summary = city.history->query_arrow(endless, {}, sink, source.get_token()); });
  while (city.history->figures().queries_active == 0) std::this_thread::yield();
  source.request_stop();
  asker.join();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().message, "the query was cancelled");
}

// As deep as a statement of the greatest length can say.
TEST(ArrowQuery, TypesNestedWithoutEndAreRefusedNotCrashed) {
  TestCity city;
  const auto nested = [](int depth) {
    std::string sql = "SELECT NULL::INTEGER";
    for (int i = 0; i < depth; ++i) sql += "[]";
    return sql;
  };
  const auto hundred = ask(city, nested(100));
  ASSERT_TRUE(hundred) << hundred.error().message;
  EXPECT_EQ(hundred->rows, Lines{"NULL"});
  EXPECT_EQ(city.rows(nested(100)), Lines{"NULL"});
  for (const int depth : {5000, 45'000}) {
    EXPECT_TRUE(refusal(city, nested(depth)).starts_with("invalid_input: ")) << depth;
    EXPECT_EQ(city.refusal(nested(depth)), ErrorCode::invalid_input);
  }
  EXPECT_EQ(city.one("SELECT 1"), "1");
}

}  // namespace
}  // namespace ficus::history
