#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "history/history_test_support.h"
#include "history/retry.h"

namespace ficus::history {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

constexpr Timestamp kLater = Timestamp::from_seconds(1'000'000);
constexpr Micros kMinute = Micros::from_seconds(60);
const char* const kEverything =
    "SELECT md5(string_agg(v::VARCHAR, '|' ORDER BY v::VARCHAR)) FROM (SELECT v FROM Vehicle v)";

TEST(RetryPause, GrowsAndEndsWhenTheClockIsSetBack) {
  RetryPause pause;
  EXPECT_TRUE(pause.is_over(kLater));
  pause.failed(kLater);
  EXPECT_FALSE(pause.is_over(kLater));
  EXPECT_FALSE(pause.is_over(kLater + Micros::from_seconds(59)));
  EXPECT_TRUE(pause.is_over(kLater + kMinute));
  EXPECT_TRUE(pause.is_over(kLater - Micros::from_hours(24 * 365)));
  for (int i = 0; i < 20; ++i) pause.failed(kLater);
  EXPECT_FALSE(pause.is_over(kLater + Micros::from_seconds(3599)));
  EXPECT_TRUE(pause.is_over(kLater + Micros::from_hours(1)));
}

// One file of an older layout, which merging leaves alone, and four that are due to become one.
class FailingMerge : public testing::Test {
 protected:
  FailingMerge() : city(options()) {
    seal();
    const TypeId type = city.schema.find_type("Vehicle").value();
    EXPECT_TRUE(city.schema.intern_attribute(type, "load", ValueKind::number));
    city.close();
    city.open();
    for (int i = 0; i < 4; ++i) seal();
    all = city.one(kEverything);
  }
  static DuckHistoryOptions options() {
    DuckHistoryOptions options;
    options.tail_rows_max = 10'000;
    options.tail_age_max = Micros::from_seconds(1);
    options.compact_files_min = 4;
    return options;
  }
  void seal() {
    const auto made = static_cast<int>(files.size());
    city.append(city.vehicles(made * 100, 100));
    city.commit(files.size() + 1);
    now = now + Micros::from_seconds(10);
    const MaintenanceReport report = city.maintain(now);
    EXPECT_EQ(report.sealed.size(), 1U);
    files.push_back(report.sealed.at(0));
  }
  std::size_t files_on_disk() {
    return city.disk.list(city.options.directory + "/Vehicle").value().size();
  }
  // A second a time, as the feed does; counts the problems that name merging.
  int merge_failures(int seconds) {
    int failures = 0;
    for (int i = 0; i < seconds; ++i) {
      now = now + Micros::from_seconds(1);
      const MaintenanceReport report = city.maintain(now);
      for (const std::string& problem : report.problems) {
        failures += problem.starts_with("merging files of Vehicle failed") ? 1 : 0;
      }
      aside.insert(aside.end(), report.set_aside.begin(), report.set_aside.end());
      merged.insert(merged.end(), report.merged.begin(), report.merged.end());
    }
    return failures;
  }

  TestCity city;
  Timestamp now = kLater;
  Lines files;
  Lines aside;
  Lines merged;
  std::string all;
};

// The new file is complete, but the view, which also names the file that is missing, cannot be
// replaced.
TEST_F(FailingMerge, LeavesNoFileAndMergesLater) {
  const std::string path = city.options.directory + "/" + files[0];
  fs::rename(path, path + ".kept");
  EXPECT_EQ(merge_failures(1), 1);
  EXPECT_EQ(files_on_disk(), 5U) << "the merged file is left behind";
  fs::remove(path + ".kept");
  EXPECT_EQ(merge_failures(50), 0) << "tried again without a pause";
  ASSERT_EQ(aside.size(), 1U);
  EXPECT_TRUE(aside[0].starts_with(files[0]));
  EXPECT_EQ(merge_failures(20), 0);
  EXPECT_EQ(merged.size(), 4U);
  EXPECT_EQ(files_on_disk(), 1U);
  EXPECT_EQ(city.one("SELECT count(*), count(DISTINCT \"observedAt\") FROM Vehicle"), "400|400");
}

TEST_F(FailingMerge, AFullDiskLeavesNoFile) {
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit little{1000, limit.rlim_max};  // no file may grow beyond: to DuckDB a full disk
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &little), 0);
  const int failures = merge_failures(55);
  const int more = merge_failures(110);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, before);
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(more, 1);  // after one minute, not yet after two more
  EXPECT_EQ(files_on_disk(), 5U);
  EXPECT_EQ(city.one(kEverything), all);
  EXPECT_EQ(merge_failures(70), 0);
  EXPECT_EQ(merged.size(), 4U);
  EXPECT_EQ(files_on_disk(), 2U);
  EXPECT_EQ(city.one(kEverything), all);
  city.close();
  city.open();
  EXPECT_TRUE(city.open_report.is_empty());
}

TEST_F(FailingMerge, IsTriedAtOnceWhenTheClockIsSetBack) {
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit little{1000, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &little), 0);
  EXPECT_EQ(merge_failures(1), 1);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, before);
  now = now - Micros::from_seconds(500'000);
  EXPECT_EQ(merge_failures(2), 0);
  EXPECT_EQ(merged.size(), 4U);
}

// A type that cannot be sealed, since its folder is a file, does not keep others from it.
TEST(Upkeep, ATypeThatCannotBeSealedDoesNotStopTheOthers) {
  DuckHistoryOptions options;
  options.tail_rows_max = 10;
  TestCity city(options);
  city.options.seal_in_background = true;
  city.close();
  city.open();
  const TypeId type = city.schema.intern_type("Aardvark").value();
  ObservationBatch batch(type);
  for (int i = 0; i < 20; ++i) {
    batch.begin_row("urn:a", Timestamp::from_seconds(i));
    batch.set_number(city.schema.intern_attribute(type, "speed", ValueKind::number).value(), i);
  }
  batch.finish();
  city.append(std::make_shared<const ObservationBatch>(std::move(batch)));
  city.append(city.vehicles(0, 100));
  city.commit(1);
  ASSERT_TRUE(
      city.disk.open(city.options.directory + "/Aardvark", OpenMode::create).value()->sync());
  Lines sealed;
  Lines problems;
  const Micros end = city.clock.monotonic() + Micros::from_seconds(20);
  while (sealed.empty() && city.clock.monotonic() < end) {
    const MaintenanceReport report = city.maintain(kLater);
    sealed.insert(sealed.end(), report.sealed.begin(), report.sealed.end());
    problems.insert(problems.end(), report.problems.begin(), report.problems.end());
  }
  ASSERT_EQ(sealed.size(), 1U);
  EXPECT_TRUE(sealed[0].starts_with("Vehicle/"));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_TRUE(problems[0].starts_with("sealing Aardvark failed")) << problems[0];
  EXPECT_EQ(city.one("SELECT (SELECT count(*) FROM Vehicle), (SELECT count(*) FROM Aardvark)"),
            "100|20");
}

// A clock that ran far ahead made the tail; it is sealed by its age all the same.
TEST(Upkeep, AClockThatIsSetBackDoesNotKeepTailsFromSealing) {
  DuckHistoryOptions options;
  options.tail_age_max = Micros::from_hours(24);
  TestCity city(options);
  city.append(city.vehicles(2'000'000'000, 10));  // received in 2033, and then not
  city.commit(1);
  EXPECT_TRUE(city.maintain(Timestamp::from_seconds(1'999'999'000)).sealed.empty());
  EXPECT_EQ(city.maintain(Timestamp::from_seconds(1'800'000'000)).sealed.size(), 1U);
}

// A commit of more than a row group goes past DuckDB's log, straight into its file: what tails that
// were sealed since leave free is written again all the same.
TEST(Upkeep, LargeCommitsDoNotGrowTheDatabaseWithoutEnd) {
  constexpr int kRows = 125'000;  // DuckDB's row group: 122,880
  DuckHistoryOptions options;
  options.tail_rows_max = kRows;
  options.checkpoint_bytes = std::uint64_t{4} << 20;
  TestCity city(options);
  const std::string database = city.options.directory + "/history.duckdb";
  std::uintmax_t first = 0;
  for (int round = 0; round < 6; ++round) {
    city.append(city.vehicles(round * kRows, kRows));
    city.commit(static_cast<std::uint64_t>(round) + 1);
    EXPECT_LT(fs::file_size(database + ".wal"), options.checkpoint_bytes) << "they go into the log";
    city.maintain(kLater);
    city.history->maintain(kLater).value();
    if (round == 0) first = fs::file_size(database);
  }
  EXPECT_LT(fs::file_size(database), 3 * first);
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), fmt::format("{}", 6 * kRows));
}

// What is written between two checkpoints is bounded by the file's free blocks, which a checkpoint
// would multiply: a file that grew a little before each of them would grow for ever.
TEST(Upkeep, TheDatabaseDoesNotGrowForWantOfACheckpoint) {
  constexpr int kRows = 125'000;
  DuckHistoryOptions options;
  options.tail_rows_max = kRows;
  options.checkpoint_bytes = std::uint64_t{32} << 20;
  TestCity city(options);
  const std::string database = city.options.directory + "/history.duckdb";
  std::uintmax_t largest_of_first = 0, largest = 0;
  for (int round = 0; round < 24; ++round) {
    city.append(city.vehicles(round * kRows, kRows));
    city.commit(static_cast<std::uint64_t>(round) + 1);
    city.maintain(kLater);
    city.history->maintain(kLater).value();
    largest = std::max(largest, fs::file_size(database));
    if (round == 8) largest_of_first = largest;
  }
  EXPECT_GT(largest_of_first, options.checkpoint_bytes) << "there was no need to free anything";
  EXPECT_LT(largest, largest_of_first + (options.checkpoint_bytes / 4));
}

}  // namespace
}  // namespace ficus::history
