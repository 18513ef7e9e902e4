#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <span>
#include <thread>

#include "history/history_test_support.h"
#include "history/parquet_rows.h"

namespace ficus::history {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

class ParquetQuery : public testing::Test {
 protected:
  ParquetQuery() {
    city.append(city.vehicles(0, 3000));
    city.commit(1);
  }

  std::string answers() const { return city.options.directory + "/.answers"; }
  std::size_t files_left() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(answers()), fs::directory_iterator()));
  }

  Result<FileAnswer> ask(const std::string& sql, const QueryLimits& limits = {},
                         std::stop_token stop = {}) {
    return city.history->query_parquet(sql, limits, stop);
  }
  std::string refusal(const std::string& sql, const QueryLimits& limits = {}) {
    const auto answer = ask(sql, limits);
    EXPECT_FALSE(answer) << sql;
    EXPECT_EQ(files_left(), 0U) << sql;
    if (answer) return "";
    return fmt::format("{}: {}", error_code_name(answer.error().code), answer.error().message);
  }

  // As JSON, read by somebody else's means.
  Lines rows(FileAnswer& answer) {
    std::string bytes(answer.bytes, '\0');
    EXPECT_EQ(answer.file->read_at(0, std::as_writable_bytes(std::span(bytes))).value_or(0),
              answer.bytes);
    const std::string path = city.folder.path() + "/answer.parquet";
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    auto reader = ParquetRows::open(path, 0);
    EXPECT_TRUE(reader) << reader.error().message;
    Lines out;
    for (std::string json; reader && (*reader)->next(json).value_or(false);) out.push_back(json);
    return out;
  }
  Lines rows(const std::string& sql) {
    auto answer = ask(sql);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? rows(*answer) : Lines{};
  }

  TestCity city;
};

TEST_F(ParquetQuery, ValuesComeBackWithTheirTypes) {
  EXPECT_EQ(
      rows("SELECT id, speed, line, \"doorsOpen\", due, location FROM Vehicle ORDER BY "
           "\"observedAt\" LIMIT 2;"),
      (Lines{R"({"id":"urn:ngsi-ld:Vehicle:v0","speed":0.0,"line":"line 0","doorsOpen":true,)"
             R"("due":"1970-01-01 00:10:00","location":{"lon":119.3,"lat":26.08}})",
             R"({"id":"urn:ngsi-ld:Vehicle:v1","speed":0.1,"line":"line 1","doorsOpen":false,)"
             R"("due":null,"location":{"lon":119.300001,"lat":26.080001}})"}));
  EXPECT_EQ(rows("SELECT 'it''s; \"x\" 榕' AS \"a \"\"b\"\" 榕\", NULL AS n, [1, NULL] AS l, "
                 "{'k': DATE '2026-11-24'} AS s -- and no more"),
            Lines{R"({"a \"b\" 榕":"it's; \"x\" 榕","n":null,"l":[1,null],)"
                  R"("s":{"k":"2026-11-24"}})"});
  EXPECT_EQ(rows("WITH w AS (SELECT 1 AS a) SELECT a FROM w UNION ALL SELECT 2 ORDER BY a"),
            (Lines{R"({"a":1})", R"({"a":2})"}));
  EXPECT_EQ(rows("SELECT count(*) AS n FROM Vehicle"), Lines{R"({"n":3000})"});
  EXPECT_EQ(files_left(), 0U) << "an answer has a name still";
}

TEST_F(ParquetQuery, AnEmptyAnswerIsAFileToo) {
  auto answer = ask("SELECT id, speed FROM Vehicle WHERE false");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_GT(answer->bytes, 0U);
  EXPECT_TRUE(rows(*answer).empty());
}

TEST_F(ParquetQuery, ManyAtOnceHaveFilesOfTheirOwn) {
  auto first = ask("SELECT 1 AS a");
  auto second = ask("SELECT 2 AS a");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(rows(*first), Lines{R"({"a":1})"});
  EXPECT_EQ(rows(*second), Lines{R"({"a":2})"});
}

TEST_F(ParquetQuery, OnlyASelectThatTheGuardTakesIsAnswered) {
  EXPECT_TRUE(refusal("SELECT * FROM read_parquet('/x')").starts_with("denied: "));
  EXPECT_TRUE(refusal("SELECT 1) TO '/x' (FORMAT csv); --").starts_with("invalid_input: "));
  EXPECT_TRUE(refusal("SELECT 1; SELECT 2").starts_with("denied: one statement at a time"));
  EXPECT_TRUE(refusal("DELETE FROM quarantine").starts_with("denied: "));
  EXPECT_TRUE(refusal("SELECT nothing FROM Vehicle").starts_with("invalid_input: "));
  EXPECT_EQ(refusal("EXPLAIN SELECT 1"), "invalid_input: only a SELECT can be answered as a file");
  EXPECT_TRUE(refusal(std::string(200'000, ' ')).contains("more than 100000"));
  const QueryLimits nobody{.readable_types = std::vector<std::string>{}};
  EXPECT_TRUE(refusal("SELECT id FROM Vehicle", nobody).starts_with("denied: "));
}

TEST_F(ParquetQuery, AFileThatGrowsTooLargeIsStopped) {
  // While it is written.
  const std::string large =
      "SELECT hash(i) AS a, hash(i + 1) AS b, hash(i + 2) AS c FROM range(300000000) r(i)";
  EXPECT_EQ(refusal(large, {.file_bytes_max = 1'000'000}),
            "invalid_input: the answer is larger than 1000000 bytes, the most a file may have: "
            "narrow it");
  // Or so soon that nobody has looked in between.
  EXPECT_EQ(refusal("SELECT 1 AS a", {.file_bytes_max = 10}),
            "invalid_input: the answer is larger than 10 bytes, the most a file may have: narrow "
            "it");
  const auto exact = ask("SELECT 1 AS a");
  ASSERT_TRUE(exact);
  EXPECT_TRUE(ask("SELECT 1 AS a", {.file_bytes_max = exact->bytes}));
  EXPECT_FALSE(ask("SELECT 1 AS a", {.file_bytes_max = exact->bytes - 1}));
}

TEST_F(ParquetQuery, TimeAndCancellingStopIt) {
  const std::string endless =
      "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 8";
  EXPECT_TRUE(refusal(endless, {.time_max = Micros::from_millis(100)})
                  .starts_with("timed_out: the query was stopped after its time limit of 0.1 s"));
  std::stop_source source;
  std::atomic<bool> has_ended = false;
  std::string message;
  std::thread asker([&] {
    const auto answer = ask(endless, {}, source.get_token());
    if (!answer) message = answer.error().message;
    has_ended = true;
  });
  while (city.history->figures().queries_active == 0) std::this_thread::yield();
  EXPECT_FALSE(has_ended);
  source.request_stop();
  asker.join();
  EXPECT_EQ(message, "the query was cancelled");
  EXPECT_EQ(files_left(), 0U);
}

// Each call of the disk in turn, and all behind it: an error, or the whole answer.
TEST_F(ParquetQuery, ADiskThatFailsGivesAnErrorAndTheNextStartCleansUp) {
  const std::string sql = "SELECT count(*) AS n FROM Vehicle";
  int failures = 0;
  bool is_whole = false;
  for (std::size_t i = 0; !is_whole; ++i) {
    city.disk.fail_from(i);
    auto answer = ask(sql);
    is_whole = city.disk.calls().size() <= i;
    city.disk.set_fault(nullptr);
    if (answer) {
      EXPECT_EQ(rows(*answer), Lines{R"({"n":3000})"}) << i;
    } else {
      EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
      EXPECT_TRUE(answer.error().message.contains(".answers")) << answer.error().message;
      ++failures;
    }
    EXPECT_EQ(rows(sql), Lines{R"({"n":3000})"}) << "while the disk is well again";
  }
  EXPECT_GE(failures, 3);
  EXPECT_GT(files_left(), 0U);  // removing has failed, too
  city.close();
  city.disk.set_fault([](const std::string& call) { return call.starts_with("remove"); });
  EXPECT_FALSE(city.try_open());
  city.disk.set_fault(nullptr);
  city.open();
  EXPECT_EQ(files_left(), 0U);
  EXPECT_EQ(rows(sql), Lines{R"({"n":3000})"});
}

}  // namespace
}  // namespace ficus::history
