#include "history/query.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "history/history_test_support.h"

namespace ficus::history {
namespace {

using Lines = std::vector<std::string>;

// Runs for hours.
constexpr const char* kEndless =
    "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 8";

TEST(Query, CellsOfEveryType) {
  TestCity city;
  const auto is = [&city](const std::string& expression, const std::string& text, CellKind kind,
                          const std::string& type) {
    TextSink sink;
    const auto summary = city.query("SELECT " + expression, sink);
    ASSERT_TRUE(summary) << expression << ": " << summary.error().message;
    EXPECT_EQ(sink.rows, Lines{text}) << expression;
    EXPECT_EQ(cell_kind_name(sink.kinds[0]), std::string(cell_kind_name(kind))) << expression;
    EXPECT_EQ(sink.header[0].type, type) << expression;
  };
  is("NULL", "NULL", CellKind::null, "INTEGER");
  is("true", "true", CellKind::boolean, "BOOLEAN");
  is("-5::TINYINT", "-5", CellKind::integer, "TINYINT");
  is("(-300)::SMALLINT", "-300", CellKind::integer, "SMALLINT");
  is("250::UTINYINT", "250", CellKind::integer, "UTINYINT");
  is("4000000000::UINTEGER", "4000000000", CellKind::integer, "UINTEGER");
  is("7::UHUGEINT", "7", CellKind::integer, "UHUGEINT");
  is("300::USMALLINT", "300", CellKind::integer, "USMALLINT");
  is("sum(1)", "1", CellKind::integer, "HUGEINT");
  is("18446744073709551615::UBIGINT", "18446744073709551615", CellKind::decimal, "UBIGINT");
  is("(-170141183460469231731687303715884105727)::HUGEINT - 1",
     "-170141183460469231731687303715884105728", CellKind::decimal, "HUGEINT");
  is("340282366920938463463374607431768211455::UHUGEINT", "340282366920938463463374607431768211455",
     CellKind::decimal, "UHUGEINT");
  is("1.5::FLOAT", "1.5", CellKind::number, "FLOAT");
  is("0.1::DOUBLE", "0.1", CellKind::number, "DOUBLE");
  is("-0.05::DECIMAL(9,2)", "-0.05", CellKind::decimal, "DECIMAL(9,2)");
  is("12345.678::DECIMAL(30,3)", "12345.678", CellKind::decimal, "DECIMAL(30,3)");
  is("7::DECIMAL(4,0)", "7", CellKind::decimal, "DECIMAL(4,0)");
  is("'榕'", "榕", CellKind::text, "VARCHAR");
  is("'\\x00a\\x5C'::BLOB", "\\x00a\\x5C", CellKind::text, "BLOB");
  is("DATE '0099-02-28'", "0099-02-28", CellKind::text, "DATE");
  is("TIME '01:02:03.5'", "01:02:03.500000", CellKind::text, "TIME");
  is("INTERVAL '14 months 3 days' + INTERVAL '-1 second'", "14 months 3 days -00:00:01",
     CellKind::text, "INTERVAL");
  is("INTERVAL '3 days'", "3 days", CellKind::text, "INTERVAL");
  is("INTERVAL '0 second'", "00:00:00", CellKind::text, "INTERVAL");
  is("TIMESTAMP '2026-11-23 08:15:00.25'", "2026-11-23T08:15:00.250Z", CellKind::time, "TIMESTAMP");
  is("TIMESTAMPTZ '2026-11-23 08:15:00+08'", "2026-11-23T00:15:00Z", CellKind::time,
     "TIMESTAMP WITH TIME ZONE");
  is("TIMESTAMP_S '1969-12-31 23:59:59'", "1969-12-31T23:59:59Z", CellKind::time, "TIMESTAMP_S");
  is("TIMESTAMP_MS '2026-11-23 08:15:00.25'", "2026-11-23T08:15:00.250Z", CellKind::time,
     "TIMESTAMP_MS");
  is("TIMESTAMP_NS '2026-11-23 08:15:00.25'", "2026-11-23T08:15:00.250Z", CellKind::time,
     "TIMESTAMP_NS");
  is("'infinity'::TIMESTAMP", "infinity", CellKind::time, "TIMESTAMP");
  is("'-infinity'::DATE", "-infinity", CellKind::text, "DATE");
  is("'123e4567-e89b-12d3-a456-426614174000'::UUID", "123e4567-e89b-12d3-a456-426614174000",
     CellKind::text, "UUID");
  is("'b'::ENUM('a', 'b')", "b", CellKind::text, "ENUM");
  is("[1, NULL, 3]", "[1,null,3]", CellKind::json, "INTEGER[]");
  is("[1, 2]::INTEGER[2]", "[1,2]", CellKind::json, "INTEGER[2]");
  is("{'a': 'x\"\n', 'b': {'c': 0.5::DOUBLE}}", "{\"a\":\"x\\\"\\u000a\",\"b\":{\"c\":0.5}}",
     CellKind::json, "STRUCT(a VARCHAR, b STRUCT(c DOUBLE))");
  is("MAP {1: [true], 2: []}", "{\"1\":[true],\"2\":[]}", CellKind::json,
     "MAP(INTEGER, BOOLEAN[])");
  is("MAP {'k': DATE '2020-01-01'}", "{\"k\":\"2020-01-01\"}", CellKind::json,
     "MAP(VARCHAR, DATE)");
  is("[{'v': 'NaN'::DOUBLE}]", "[{\"v\":null}]", CellKind::json, "STRUCT(v DOUBLE)[]");
  is("[NULL::STRUCT(a INTEGER)]", "[null]", CellKind::json, "STRUCT(a INTEGER)[]");
  is("[0.5::DECIMAL(3,1), 12]", "[0.5,12.0]", CellKind::json, "DECIMAL(11,1)[]");
  is("['1e3'::DOUBLE, -0.25]", "[1000,-0.25]", CellKind::json, "DOUBLE[]");
  is("[TIMESTAMP '2026-11-24 01:00:00']", "[\"2026-11-24T01:00:00Z\"]", CellKind::json,
     "TIMESTAMP[]");
  is("MAP {'a\"b': NULL, '榕': [[]]}", "{\"a\\\"b\":null,\"榕\":[[]]}", CellKind::json,
     "MAP(VARCHAR, INTEGER[][])");
  is("{'a\"\\': union_value(u := {'x': 'tab\t'})}", "{\"a\\\"\\\\\":{\"x\":\"tab\\u0009\"}}",
     CellKind::json, "STRUCT(a\"\\ UNION(u STRUCT(x VARCHAR)))");
  is("union_value(num := 2)", "2", CellKind::json, "UNION(num INTEGER)");
  is("'{\"a\":[1]}'::JSON", "{\"a\":[1]}", CellKind::text, "VARCHAR");
}

TEST(Query, TypesWithoutAFormAreNamed) {
  TestCity city;
  EXPECT_EQ(city.rows("SELECT 1 AS a, '101'::BIT AS b").at(0),
            "invalid_input: column 'b': cast it to VARCHAR: its type has no form in an answer");
  EXPECT_EQ(city.rows("SELECT '101'::BIT::VARCHAR"), Lines{"101"});
}

TEST(Query, RowLimitAndTheSinksWishTruncate) {
  TestCity city;
  TextSink sink;
  auto summary = city.query("SELECT * FROM range(10000)", sink, {.rows_max = 5000});
  ASSERT_TRUE(summary);
  EXPECT_TRUE(summary->truncated);
  EXPECT_EQ(summary->row_count, 5000U);
  EXPECT_EQ(sink.rows.size(), 5000U);
  TextSink exact;
  summary = city.query("SELECT * FROM range(5000)", exact, {.rows_max = 5000});
  EXPECT_FALSE(summary->truncated);
  TextSink gone;
  gone.stop_after = 3;
  summary = city.query("SELECT * FROM range(100000000)", gone);
  EXPECT_TRUE(summary->truncated);
  EXPECT_EQ(gone.rows.size(), 3U);
  EXPECT_EQ(city.history->query(std::string(200'000, ' '), {}, sink).error().code,
            ErrorCode::invalid_input);
}

TEST(Query, TimeLimitStopsACrossJoin) {
  TestCity city;
  const Micros started = city.clock.monotonic();
  TextSink sink;
  const auto summary = city.query(kEndless, sink, {.time_max = Micros::from_millis(200)});
  const Micros took = city.clock.monotonic() - started;
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, ErrorCode::timed_out);
  EXPECT_TRUE(summary.error().message.contains("time limit of 0.2 s")) << summary.error().message;
  EXPECT_LT(took.count, 2'000'000);
  EXPECT_EQ(city.one("SELECT 1"), "1");
}

TEST(Query, TimeLimitCountsASlowReader) {
  class SlowSink final : public RowSink {
   public:
    void columns(std::span<const ResultColumn>) override {}
    bool row(std::span<const Cell>) override {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      return true;
    }
  } sink;
  TestCity city;
  const auto summary =
      city.history->query("SELECT * FROM range(100000000)",
                          {.time_max = Micros::from_millis(300), .rows_max = UINT64_MAX}, sink);
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, ErrorCode::timed_out);
}

TEST(Query, CancelStopsItAtOnce) {
  TestCity city;
  std::stop_source source;
  TextSink sink;
  std::atomic<bool> ended = false;
  Result<QuerySummary> summary;
  std::thread asker([&] {
    summary = city.history->query(kEndless, {}, sink, source.get_token());
    ended = true;
  });
  while (city.history->figures().queries_active == 0) std::this_thread::yield();
  EXPECT_FALSE(ended);
  source.request_stop();
  asker.join();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().message, "the query was cancelled");
  // Asked to stop before it began.
  EXPECT_EQ(city.history->query(kEndless, {}, sink, source.get_token()).error().message,
            "the query was cancelled");
}

TEST(Query, MemoryLimitsStopIt) {
  DuckHistoryOptions options;
  options.memory_bytes_max = 150'000'000;
  options.spill_bytes_max = 50'000'000;
  TestCity city(options);
  TextSink sink;
  const std::string sql =
      "SELECT sum(len(l)) FROM (SELECT a.range AS x, list(b.range) AS l FROM range(100000) a, "
      "range(2000) "
      "b "
      "GROUP BY x)";
  auto summary = city.query(sql, sink, {.memory_bytes_max = 50'000'000});
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, ErrorCode::overloaded) << summary.error().message;
  EXPECT_TRUE(summary.error().message.contains("more than 50000000")) << summary.error().message;
  // Without a limit of its own it meets the database's.
  summary = city.query(sql, sink);
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, ErrorCode::overloaded) << summary.error().message;
  EXPECT_EQ(city.one("SELECT 1"), "1");
}

// One question takes all the memory there is; another, which came later and runs as long, commits
// and small questions go on.
TEST(Query, AGreedyOneEndsAloneWhileOthersAndTheFeedGoOn) {
  if (kUnderThreadSanitizer) GTEST_SKIP() << "its memory counts, too";
  DuckHistoryOptions options;
  options.memory_bytes_max = 300'000'000;
  options.spill_bytes_max = 50'000'000;
  TestCity city(options);
  city.append(city.vehicles(0, 1000));
  city.commit(1);
  const QueryLimits limits{.memory_bytes_max = 150'000'000};
  const std::uint64_t before = city.history->figures().bytes_memory;
  std::atomic<bool> is_over = false;
  Error end;
  std::thread greedy([&] {
    TextSink sink;
    const auto summary = city.query(
        "SELECT sum(len(l)) FROM (SELECT a.range AS x, list(b.range) AS l FROM range(100000) a, "
        "range(2000) b GROUP BY x)",
        sink, limits);
    if (!summary) end = summary.error();
    is_over = true;
  });
  while (!is_over && city.history->figures().bytes_memory < before + 20'000'000) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::thread frugal([&] {
    TextSink sink;
    const auto summary =
        city.query("SELECT count(*) FROM range(60000000) r WHERE hash(r) % 7 = 1", sink, limits);
    EXPECT_TRUE(summary) << summary.error().message;
  });
  std::uint64_t position = 1;
  while (!is_over) {
    EXPECT_EQ(city.one("SELECT count(*) >= 1000 FROM Vehicle"), "true");
    city.append(city.vehicles(static_cast<int>(position) * 1000, 100));
    ++position;
    city.commit(position);
  }
  greedy.join();
  frugal.join();
  EXPECT_EQ(end.code, ErrorCode::overloaded) << end.message;
  EXPECT_TRUE(end.message.contains("narrow it or try again later")) << end.message;
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), std::to_string(900 + position * 100));
}

TEST(Query, MistakesAreShownInTheStatementAsItWasGiven) {
  TestCity city;
  city.append(city.vehicles(0, 10));
  city.commit(1);
  for (const char* const sql :
       {"SELECT speeed FROM Vehicle", "SELECT abs('x', 3) FROM Vehicle",
        "SELECT sum(line::INTEGER) FROM Vehicle", "SELECT 1 FROM Vehicle ORDER BY nothing"}) {
    const std::string message = city.rows(sql).at(0);
    EXPECT_FALSE(message.contains("ficus_unplanned")) << message;
    const std::size_t line = message.find("LINE 1: ");
    if (line != std::string::npos) {
      EXPECT_EQ(message.substr(line + 8, std::string_view(sql).size()), sql);
      const std::size_t caret = message.find('^', line) - message.find('\n', line) - 1;
      EXPECT_LT(caret, 8 + std::string_view(sql).size()) << message;
    }
  }
  EXPECT_EQ(city.refusal("SELECT * FROM ficus_unplanned"), ErrorCode::denied);
  EXPECT_EQ(city.rows("\n select id FROM Vehicle ORDER BY id LIMIT 1;").at(0),
            "urn:ngsi-ld:Vehicle:v0");
  EXPECT_EQ(city.rows("SELECT 1 AS a UNION ALL SELECT 2 ORDER BY a DESC"),
            (std::vector<std::string>{"2", "1"}));
}

TEST(Query, TooManyAtOnceAreOverloaded) {
  DuckHistoryOptions options;
  options.queries_max = 1;
  TestCity city(options);
  std::stop_source source;
  std::thread asker([&] {
    TextSink sink;
    (void)city.history->query(kEndless, {}, sink, source.get_token());
  });
  while (city.history->figures().queries_active == 0) std::this_thread::yield();
  EXPECT_EQ(city.refusal("SELECT 1"), ErrorCode::overloaded);
  source.request_stop();
  asker.join();
  EXPECT_EQ(city.one("SELECT 1"), "1");
}

SeriesRequest speeds(Timestamp from, Timestamp to, std::size_t points_max) {
  SeriesRequest request;
  request.type = "Vehicle";
  request.id = "urn:ngsi-ld:Vehicle:v3";
  request.attributes = {"speed", "line"};
  request.from = from;
  request.to = to;
  request.points_max = points_max;
  return request;
}

TEST(Series, GivesReadingsOrBuckets) {
  DuckHistoryOptions options;
  options.tail_rows_max = 400;
  TestCity city(options);
  for (int i = 0; i < 3; ++i) {  // three files
    city.append(city.vehicles(i * 500, 500));
    city.commit(static_cast<std::uint64_t>(i + 1));
    const std::size_t sealed = city.maintain(Timestamp::from_seconds(9000)).sealed.size();
    ASSERT_EQ(sealed, 1U);
  }
  TextSink sink;
  auto summary = city.history->series(
      speeds(Timestamp::from_seconds(490), Timestamp::from_seconds(520), 10), sink);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_FALSE(summary->downsampled);
  EXPECT_EQ(sink.rows,
            (Lines{"1970-01-01T00:08:13Z|49.3|line 1", "1970-01-01T00:08:23Z|50.3|line 2",
                   "1970-01-01T00:08:33Z|51.3|line 0"}));
  EXPECT_EQ(sink.header[1], (ResultColumn{"speed", "DOUBLE"}));

  TextSink buckets;
  summary = city.history->series(speeds(Timestamp::min(), {INT64_MAX}, 7), buckets);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_TRUE(summary->downsampled);
  EXPECT_EQ(summary->reading_count, 150U);
  EXPECT_LE(buckets.rows.size(), 7U);
  EXPECT_EQ(buckets.header.size(), 5U);
  EXPECT_EQ(buckets.header[2].name, "speed_min");
  EXPECT_EQ(buckets.rows[0], "1970-01-01T00:00:03Z|10.800000000000002|0.3|21.3|line 0");
}

TEST(Series, GivesAsManyReadingsAsThereMayBe) {
  TestCity city;
  city.append(city.vehicles(0, 500));
  city.commit(1);
  const auto ask = [&](std::size_t points_max, TextSink& sink) {
    auto summary = city.history->series(
        speeds(Timestamp::from_seconds(490), Timestamp::from_seconds(520), points_max), sink);
    EXPECT_TRUE(summary.has_value());
    return summary.value_or(SeriesSummary{});
  };
  TextSink all;
  SeriesSummary summary = ask(1, all);
  EXPECT_FALSE(summary.downsampled);
  EXPECT_EQ(summary.reading_count, 1U);
  EXPECT_EQ(all.rows, Lines{"1970-01-01T00:08:13Z|49.3|line 1"});
  EXPECT_EQ(all.header.size(), 3U);

  city.append(city.vehicles(500, 500));  // two more
  city.commit(2);
  TextSink buckets;
  summary = ask(2, buckets);
  EXPECT_TRUE(summary.downsampled);
  EXPECT_EQ(summary.reading_count, 3U);
  EXPECT_EQ(buckets.rows.size(), 2U);
  EXPECT_EQ(buckets.header.size(), 5U);

  TextSink none;
  const auto empty = city.history->series(speeds(Timestamp::min(), {0}, 1), none);
  ASSERT_TRUE(empty) << empty.error().message;
  EXPECT_EQ(empty->reading_count, 0U);
  EXPECT_TRUE(none.rows.empty());
  EXPECT_EQ(none.header.size(), 3U);  // who asks is told the columns all the same
}

TEST(Series, RefusesWhatIsUnknownOrTooMuch) {
  TestCity city;
  city.append(city.vehicles(0, 10));
  city.commit(1);
  TextSink sink;
  const auto code = [&](const SeriesRequest& request) {
    const auto summary = city.history->series(request, sink);
    return summary ? ErrorCode::internal : summary.error().code;
  };
  const SeriesRequest good = speeds({0}, {1}, 1);
  SeriesRequest request = good;
  request.type = "Nothing' OR 1=1";
  EXPECT_EQ(code(request), ErrorCode::not_found);
  request = good;
  request.attributes = {"speed\" FROM x"};
  EXPECT_EQ(code(request), ErrorCode::not_found);
  request.attributes = {};
  EXPECT_EQ(code(request), ErrorCode::invalid_input);
  request = good;
  request.points_max = 0;
  EXPECT_EQ(code(request), ErrorCode::invalid_input);
  request = good;
  request.to = request.from;
  EXPECT_EQ(code(request), ErrorCode::invalid_input);
  request = good;
  request.id = "x' OR '1'='1";
  ASSERT_TRUE(city.history->series(request, sink));
  EXPECT_TRUE(sink.rows.empty());
}

TEST(Query, SeesWholeCommitsWhileTheFeedGoesOn) {
  DuckHistoryOptions options;
  options.tail_rows_max = 3000;
  TestCity city(options);
  city.append(city.vehicles(0, 100));
  city.commit(1);
  std::atomic<bool> done = false;
  std::atomic<int> answers = 0;
  std::vector<std::thread> askers;
  for (int i = 0; i < 2; ++i) {
    askers.emplace_back([&] {
      std::int64_t last = 0;
      while (!done) {
        TextSink sink;
        const auto summary =
            city.query("SELECT count(*), count(DISTINCT \"observedAt\") FROM Vehicle", sink);
        ASSERT_TRUE(summary) << summary.error().message;
        const std::int64_t count = std::stoll(sink.rows.at(0));
        EXPECT_EQ(count % 100, 0);
        EXPECT_GE(count, last);
        EXPECT_TRUE(sink.rows[0].ends_with("|" + std::to_string(count)));
        last = count;
        ++answers;
      }
    });
  }
  for (int i = 1; i < 100 || answers < 20; ++i) {
    city.append(city.vehicles(i * 100, 100));
    city.commit(static_cast<std::uint64_t>(i + 1));
    const auto report = city.history->maintain(Timestamp::from_seconds(i));
    ASSERT_TRUE(report && report->problems.empty());
  }
  done = true;
  for (std::thread& thread : askers) thread.join();
}

}  // namespace
}  // namespace ficus::history
