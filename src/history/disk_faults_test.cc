#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "history/history_test_support.h"

namespace ficus::history {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

constexpr Timestamp kLater = Timestamp::from_seconds(1'000'000);
constexpr Micros kDay = Micros::from_hours(24);
const char* const kEverything =
    "SELECT count(*), count(DISTINCT \"observedAt\"), sum(epoch(\"observedAt\"))::BIGINT, "
    "min(speed) FROM Vehicle";

void spoil(const std::string& path, std::uint64_t begin, std::uint64_t end) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  for (std::uint64_t at = begin; at < end; ++at) {
    file.seekp(static_cast<std::streamoff>(at)) << '\x5a';
  }
}

// Two sealed files, a tail, and rows in DuckDB's log.
class DiskFaults : public testing::Test {
 protected:
  DiskFaults() : city(small_tails()) {
    for (int record = 1; record <= 2; ++record) {
      give(record);
      files.push_back(city.maintain(kLater).sealed.at(0));
    }
    city.close();
    city.options.tail_rows_max = 1'000'000;
    city.open();
    give(3);
  }
  static DuckHistoryOptions small_tails() {
    DuckHistoryOptions options;
    options.tail_rows_max = 10;
    options.tail_age_max = Micros::from_hours(1'000'000);
    return options;
  }
  void give(int record) {
    city.append(city.vehicles(record * 100, 100));
    city.commit(static_cast<std::uint64_t>(record));
  }
  std::string directory() const { return city.options.directory; }

  // Opens what lies there with a disk whose calls fail from one of them on, for each call that
  // there is; then, with a disk that is well again, `check`.
  int open_with_each_fault(const std::function<void()>& check) {
    const std::string copy = city.folder.path() + "/copy";
    fs::rename(directory(), copy);
    int failures = 0;
    bool is_past_the_last = false;
    for (std::size_t i = 0; !is_past_the_last; ++i) {
      SCOPED_TRACE(i);
      fs::copy(copy, directory(), fs::copy_options::recursive);
      city.disk.fail_from(i);
      auto opened = city.try_open();
      is_past_the_last = city.disk.calls().size() <= i;
      if (!opened) {
        EXPECT_TRUE(opened.error().message.ends_with("the disk fails")) << opened.error().message;
        ++failures;
      }
      if (opened) opened->reset();
      city.disk.set_fault(nullptr);
      city.open();
      check();
      city.close();
      fs::remove_all(directory());
    }
    return failures;
  }

  TestCity city;
  Lines files;
};

TEST_F(DiskFaults, OpeningWhatIsSoundLosesNothing) {
  const Lines before = city.rows(kEverything);
  city.close();
  fs::create_directories(directory() + "/.answers");
  std::ofstream(directory() + "/.answers/7.parquet") << "left by a crash";
  std::ofstream(directory() + "/Vehicle/orphan.parquet") << "left by a crash";
  const int failures = open_with_each_fault([&] {
    EXPECT_EQ(city.rows(kEverything), before);
    EXPECT_TRUE(city.open_report.set_aside.empty());
    EXPECT_FALSE(fs::exists(directory() + "/Vehicle/orphan.parquet"));
    EXPECT_FALSE(fs::exists(directory() + "/.answers/7.parquet"));
  });
  EXPECT_GE(failures, 3);
}

TEST_F(DiskFaults, AnOrphanThatCannotBeRemovedIsNamed) {
  city.close();
  std::ofstream(directory() + "/Vehicle/orphan.parquet") << "left by a crash";
  city.disk.set_fault([](const std::string& call) { return call.contains("orphan"); });
  city.open();
  ASSERT_EQ(city.open_report.problems.size(), 1U);
  EXPECT_TRUE(city.open_report.problems[0].starts_with(
      "Vehicle/orphan.parquet is not ours and cannot be removed: "));
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "300");
}

// The database is damaged: it is set aside, whatever fails on the way, and made anew from the
// sealed files.
TEST_F(DiskFaults, SettingADamagedDatabaseAsideIsTriedAgain) {
  city.close();
  std::ofstream(directory() + "/history.duckdb") << std::string(20'000, 'x');
  const int failures = open_with_each_fault([&] {
    EXPECT_EQ(city.one("SELECT count(*), count(DISTINCT \"observedAt\") FROM Vehicle"), "200|200");
    EXPECT_EQ(city.history->figures().files_sealed, 2U);
    bool is_kept = false;
    for (const auto& entry : fs::directory_iterator(directory() + "/damaged")) {
      is_kept = is_kept || entry.path().extension() == ".duckdb";
    }
    EXPECT_TRUE(is_kept);
  });
  EXPECT_GE(failures, 5);
}

// As a power loss leaves it: the last commit is torn.
TEST_F(DiskFaults, CuttingATornLogIsTriedAgain) {
  give(4);
  const std::string saved = city.folder.path() + "/saved";
  fs::copy(directory(), saved, fs::copy_options::recursive);  // closing would empty the log
  city.close();
  fs::remove_all(directory());
  fs::rename(saved, directory());
  const std::string log = directory() + "/history.duckdb.wal";
  spoil(log, fs::file_size(log) - 3, fs::file_size(log) - 2);
  const int failures = open_with_each_fault([&] {
    EXPECT_EQ(city.one("SELECT count(*), count(DISTINCT \"observedAt\") FROM Vehicle"), "300|300");
    EXPECT_EQ(city.history->positions().value(), std::vector<std::uint64_t>{3});
    EXPECT_TRUE(city.open_report.set_aside.empty());
  });
  EXPECT_GE(failures, 8);
}

// A file is damaged: that it cannot be moved aside does not lose the others.
TEST_F(DiskFaults, SettingADamagedFileAsideIsTriedAgain) {
  city.close();
  fs::resize_file(directory() + "/" + files[0], 100);
  const int failures = open_with_each_fault([&] {
    EXPECT_EQ(city.one("SELECT count(*), count(DISTINCT \"observedAt\") FROM Vehicle"), "200|200");
    EXPECT_EQ(city.one("SELECT file, \"rows\" FROM ficus_damaged"), files[0] + "|100");
    EXPECT_EQ(city.history->wanted().size(), 1U);
    EXPECT_TRUE(fs::exists(directory() + "/damaged/" + [&] {
      std::string name = files[0];
      name[name.find('/')] = '-';
      return name;
    }()));
  });
  EXPECT_GE(failures, 3);
}

// Rows arrive, are sealed, merged and their old files removed; in every round one more call of the
// disk goes well before the first that fails.
TEST_F(DiskFaults, SealingAndMergingGoOnAfterEachFailure) {
  city.close();
  city.options.tail_age_max = Micros::from_seconds(1);
  city.options.compact_files_min = 3;
  city.open();
  Timestamp now = kLater;
  int record = 4;
  int failures = 0;
  bool is_past_the_last = false;
  std::size_t merged = 0;
  for (std::size_t i = 0; !is_past_the_last; i += i < 12 ? 1 : 3, ++record) {
    SCOPED_TRACE(i);
    give(record);
    now = now + kDay;
    // Sealing, then merging, then removing what was merged.
    city.disk.fail_from(i);
    for (int step = 0; step < 3; ++step) {
      const MaintenanceReport report = city.maintain(now);
      failures += report.problems.empty() ? 0 : 1;
      merged += report.merged.size();
    }
    is_past_the_last = city.disk.calls().size() <= i;
    city.disk.set_fault(nullptr);
    ASSERT_EQ(city.one("SELECT count(*), count(DISTINCT \"observedAt\") FROM Vehicle"),
              fmt::format("{0}|{0}", record * 100));
    now = now + kDay;
    for (int step = 0; step < 3; ++step) merged += city.maintain(now).merged.size();
    EXPECT_EQ(city.history->figures().rows_tail, 0U) << "not sealed when the disk was well again";
  }
  EXPECT_GE(failures, 8);
  EXPECT_GE(merged, 3U);
  city.close();
  city.open();
  EXPECT_TRUE(city.open_report.set_aside.empty());
  EXPECT_EQ(city.one("SELECT count(*), count(DISTINCT \"observedAt\") FROM Vehicle"),
            fmt::format("{0}|{0}", (record - 1) * 100));
  EXPECT_EQ(city.disk.list(directory() + "/Vehicle").value().size(),
            city.history->figures().files_sealed);
}

TEST_F(DiskFaults, AnExpiredFileThatCannotBeRemovedIsNamedAndGoesLater) {
  city.close();
  city.options.retention_days = 1;
  city.open();
  city.disk.set_fault([](const std::string& call) { return call.starts_with("remove"); });
  const MaintenanceReport report = city.maintain(kLater + kDay);
  EXPECT_EQ(report.expired, files);
  ASSERT_EQ(report.problems.size(), 2U);
  EXPECT_TRUE(report.problems[0].starts_with("removing " + files[0] +
                                             " failed (it goes at the next start): "));
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "100");
  city.close();
  city.disk.set_fault(nullptr);
  city.open();
  EXPECT_EQ(city.open_report.orphans_removed.size(), 2U);
}

// As long as a question may have the file open it stays.
TEST_F(DiskFaults, AnExpiredFileStaysWhileAQuestionRuns) {
  city.close();
  city.options.retention_days = 1;
  city.open();
  std::stop_source source;
  std::thread asker([&] {
    TextSink sink;
    (void)city.history->query(
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 8",
        {}, sink, source.get_token());
  });
  while (city.history->figures().queries_active == 0) std::this_thread::yield();
  EXPECT_EQ(city.maintain(kLater + kDay).expired, files);
  EXPECT_TRUE(fs::exists(directory() + "/" + files[0]));
  source.request_stop();
  asker.join();
  city.maintain(kLater + kDay);
  EXPECT_FALSE(fs::exists(directory() + "/" + files[0]));
  EXPECT_FALSE(fs::exists(directory() + "/" + files[1]));
}

// No file may grow beyond so many bytes: to DuckDB a full disk.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &limit_), 0);
    const rlimit little{bytes, limit_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &little), 0);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;
  ~FileLimit() {
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit_), 0);
    std::signal(SIGXFSZ, before_);
  }

 private:
  void (*before_)(int);
  rlimit limit_{};
};

TEST_F(DiskFaults, WhatAFullDiskDidNotTakeIsCommittedLater) {
  city.append(city.vehicles(400, 5000));
  const std::uint64_t position = 4;
  {
    const FileLimit full(1000);
    for (int i = 0; i < 2; ++i) {
      const Status status = city.history->commit({&position, 1});
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().code, ErrorCode::unavailable) << status.error().message;
    }
    EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "300") << "questions are answered";
  }
  city.commit(4);
  EXPECT_EQ(city.one("SELECT count(*), count(DISTINCT \"observedAt\") FROM Vehicle"), "5300|5300");
  EXPECT_EQ(city.history->positions().value(), std::vector<std::uint64_t>{4});
  EXPECT_TRUE(city.maintain(kLater).problems.empty());
}

// Everything is due and nothing can be written: each says so once, and happens afterwards.
TEST_F(DiskFaults, EveryUpkeepThatFailsIsNamedAndDoneLater) {
  city.close();
  city.options.retention_days = 1;
  city.options.tail_age_max = Micros::from_seconds(1);
  city.options.checkpoint_bytes = 1;
  city.options.quarantine_age_max = kDay;
  city.open();
  const QuarantinedItem item{"key", "reason", "bytes"};
  ASSERT_TRUE(city.history->append_quarantine("test", Timestamp::from_seconds(1), {&item, 1}));
  give(4);
  MaintenanceReport report;
  {
    const FileLimit full(1000);
    report = city.maintain(kLater + kDay);
  }
  std::string problems;
  for (const std::string& problem : report.problems) problems += problem + "\n";
  for (const char* const task : {"rotating Vehicle failed, tried again later: ",
                                 "retention of Vehicle failed, tried again later: "}) {
    EXPECT_TRUE(problems.contains(task)) << problems;
  }
  EXPECT_TRUE(report.expired.empty());
  EXPECT_TRUE(report.sealed.empty());
  const std::string copy = city.folder.path() + "/copy";
  fs::create_directories(copy);
  EXPECT_TRUE(city.history->copy_database(copy)) << "opens the database again if it has to";
  city.commit(4);
  EXPECT_EQ(city.one("SELECT count(*) FROM Vehicle"), "400");
  Lines expired;
  for (int i = 1; i <= 4; ++i) {
    report = city.maintain(kLater + kDay + Micros::from_hours(i));
    expired.insert(expired.end(), report.expired.begin(), report.expired.end());
    EXPECT_TRUE(report.problems.empty()) << report.problems[0];
  }
  EXPECT_GE(expired.size(), 2U);
  EXPECT_EQ(city.one("SELECT count(*) FROM quarantine"), "0");
}

}  // namespace
}  // namespace ficus::history
