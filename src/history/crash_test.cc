#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/random.h"
#include "history/history_test_support.h"

namespace ficus::history {
namespace {

constexpr std::uint32_t kShards = 2;
constexpr std::uint64_t kRecords = 4000;  // a shard

// The log: record `n` (position n, from 1) of a shard, always the same. Rows are told apart by
// their time; every third row is a duplicate that history must leave out.
std::uint64_t row_count(std::uint64_t record) { return 1 + record % 17; }
bool is_quarantined(std::uint64_t record) { return record % 10 == 0; }

void append_record(History& history, Schema& schema, std::uint32_t shard, std::uint64_t record) {
  const TypeId type = schema.intern_type(record % 4 == 0 ? "Boat" : "Vehicle").value();
  // Attributes appear in the course of time, so that columns are added between the crashes.
  const std::string name = fmt::format("a{}", record * 12 / kRecords);
  const AttributeId attribute = schema.intern_attribute(type, name, ValueKind::number).value();
  ObservationBatch batch(type);
  Rows rows;
  for (std::uint64_t i = 0; i < row_count(record); ++i) {
    const auto at = static_cast<std::int64_t>((record * 100 + i) * kShards + shard);
    batch.begin_row(fmt::format("urn:{}:{}", shard, i), Timestamp::from_seconds(at));
    batch.set_number(attribute, static_cast<double>(at));
    rows.keep.push_back(i % 3 != 2);
  }
  batch.finish();
  rows.batch = std::make_shared<const ObservationBatch>(std::move(batch));
  rows.source = "log";
  if (!history.append(std::move(rows))) std::abort();
  if (!is_quarantined(record)) return;
  const QuarantinedItem item{fmt::format("{}/{}", shard, record), "why", "bytes"};
  if (!history.append_quarantine("log", {}, {&item, 1})) std::abort();
}

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::abort();
}

void expect_clean(const MaintenanceReport& report) {
  for (const std::string& problem : report.problems) give_up(problem);
  for (const std::string& file : report.set_aside) give_up(file);
}

struct Sums {
  std::uint64_t vehicles = 0;
  std::uint64_t boats = 0;
  std::uint64_t quarantined = 0;
};

// Counted without the history.
Sums expected_sums() {
  Sums sums;
  for (std::uint64_t record = 1; record <= kRecords; ++record) {
    std::uint64_t kept = 0;
    for (std::uint64_t i = 0; i < row_count(record); ++i) kept += i % 3 != 2 ? 1 : 0;
    (record % 4 == 0 ? sums.boats : sums.vehicles) += kept * kShards;
    sums.quarantined += is_quarantined(record) ? kShards : 0;
  }
  return sums;
}

DuckHistoryOptions crash_options(const std::string& folder) {
  DuckHistoryOptions options;
  options.directory = folder + "/history";
  options.shard_count = kShards;
  options.tail_rows_max = 1500;
  // By age, too, in the time of maintain() below: small files, which are merged.
  options.tail_age_max = Micros{150};
  options.compact_files_min = 3;
  options.checkpoint_bytes = 200'000;
  options.memory_bytes_max = std::uint64_t{256} << 20;
  return options;
}

// Replays the log from where the history is. Ends with the process, or when all is in.
void feed_to_the_end(const std::string& folder, std::uint64_t seed) {
  Schema schema;
  PosixDisk disk;
  SystemClock clock;
  MaintenanceReport report;
  auto history = open_duck_history(crash_options(folder), schema, disk, clock, report);
  if (!history) give_up(history.error().message);
  expect_clean(report);
  Random random(seed);
  std::vector<std::uint64_t> positions = (*history)->positions().value();
  while (positions[0] < kRecords || positions[1] < kRecords) {
    const std::uint64_t steps = 1 + random.below(40);
    for (std::uint64_t i = 0; i < steps; ++i) {
      const auto shard = static_cast<std::uint32_t>(random.below(kShards));
      if (positions[shard] < kRecords) {
        append_record(**history, schema, shard, ++positions[shard]);
      }
    }
    const Status status = (*history)->commit(positions);
    if (!status) give_up(status.error().message);
    const auto maintained = (*history)->maintain({static_cast<std::int64_t>(positions[0])});
    if (!maintained) give_up(maintained.error().message);
    expect_clean(*maintained);
  }
}

pid_t start_feeding(const std::string& folder, std::uint64_t seed) {
  const pid_t child = fork();
  if (child == 0) {
    feed_to_the_end(folder, seed);
    _exit(0);
  }
  return child;
}

TEST(HistoryCrash, NothingTwiceNothingMissing) {
  if (kUnderThreadSanitizer) GTEST_SKIP() << "forks, which the thread sanitizer cannot follow";
  const TestFolder folder;
  Random random(20261123);
  int killed = 0;
  for (std::uint64_t round = 0; round < 60; ++round) {
    const pid_t child = start_feeding(folder.path(), round);
    ASSERT_GT(child, 0);
    // Late enough to have opened the database, mostly; sometimes while it opens.
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random.below(200)));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
      ASSERT_EQ(WEXITSTATUS(status), 0);
      break;
    }
    ASSERT_EQ(WTERMSIG(status), SIGKILL) << "round " << round;
    ++killed;
    if (killed == 25) break;
  }
  EXPECT_GE(killed, 3);
  feed_to_the_end(folder.path(), 99);

  Schema schema;
  PosixDisk disk;
  SystemClock clock;
  MaintenanceReport report;
  const auto history =
      open_duck_history(crash_options(folder.path()), schema, disk, clock, report).value();
  EXPECT_TRUE(report.set_aside.empty());
  const Sums sums = expected_sums();
  TextSink sink;
  ASSERT_TRUE(history->query(
      "SELECT count(*), count(DISTINCT \"observedAt\"), sum(epoch(\"observedAt\") - "
      "coalesce(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11)) FROM Vehicle UNION ALL "
      "SELECT count(*), count(DISTINCT \"observedAt\"), 0 FROM Boat UNION ALL "
      "SELECT count(*), count(DISTINCT \"key\"), 0 FROM quarantine",
      {}, sink));
  EXPECT_EQ(sink.rows, (std::vector<std::string>{
                           fmt::format("{0}|{0}|0", sums.vehicles),
                           fmt::format("{0}|{0}|0", sums.boats),
                           fmt::format("{0}|{0}|0", sums.quarantined),
                       }));
  EXPECT_EQ(history->positions().value(), (std::vector<std::uint64_t>{kRecords, kRecords}));
  EXPECT_GT(history->figures().files_sealed, 5U);
  std::size_t on_disk = 0;
  for (const char* const type : {"/history/Vehicle", "/history/Boat"}) {
    on_disk += disk.list(folder.path() + type).value().size();
  }
  EXPECT_EQ(on_disk, history->figures().files_sealed);
}

// No file may grow beyond `bytes`: to DuckDB a full disk.
void limit_files(rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) std::abort();
}

// In a child, since the limit holds for the process. Exit code: the step that went wrong.
int survive_full_disk(const std::string& folder) {
  signal(SIGXFSZ, SIG_IGN);
  Schema schema;
  PosixDisk disk;
  SystemClock clock;
  MaintenanceReport report;
  auto opened = open_duck_history(crash_options(folder), schema, disk, clock, report);
  if (!opened) return 1;
  History& history = **opened;
  std::vector<std::uint64_t> positions = {0, 0};
  Random random(7);
  int failures = 0;
  for (int round = 0; round < 12; ++round) {
    limit_files(1'000 + random.below(400'000));
    for (int i = 0; i < 100; ++i) {
      const std::uint32_t shard = i % kShards;
      append_record(history, schema, shard, ++positions[shard]);
    }
    if (!history.commit(positions)) ++failures;
    (void)history.maintain({round});
    if (!history.commit(positions)) ++failures;
    limit_files(RLIM_INFINITY);
    if (const Status status = history.commit(positions); !status) {
      fmt::print(stderr, "round {}: {}\n", round, status.error().message);
      return 2;
    }
  }
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    while (positions[shard] < kRecords) append_record(history, schema, shard, ++positions[shard]);
  }
  if (!history.commit(positions)) return 3;
  const Sums sums = expected_sums();
  TextSink sink;
  if (!history.query("SELECT (SELECT count(*) FROM Vehicle), (SELECT count(DISTINCT "
                     "\"observedAt\") FROM Vehicle), (SELECT count(*) FROM Boat), (SELECT count(*) "
                     "FROM quarantine)",
                     {}, sink)) {
    return 4;
  }
  const std::string expected =
      fmt::format("{0}|{0}|{1}|{2}", sums.vehicles, sums.boats, sums.quarantined);
  if (sink.rows.at(0) != expected) {
    fmt::print(stderr, "{} instead of {}\n", sink.rows[0], expected);
    return 5;
  }
  return failures > 0 ? 0 : 6;
}

TEST(HistoryCrash, AFullDiskLosesNothing) {
  if (kUnderThreadSanitizer) GTEST_SKIP() << "forks, which the thread sanitizer cannot follow";
  const TestFolder folder;
  const pid_t child = fork();
  if (child == 0) _exit(survive_full_disk(folder.path()));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace ficus::history
