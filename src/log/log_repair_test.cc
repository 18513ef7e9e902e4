#include "log/log_repair.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "log/crash_disk.h"
#include "log/format.h"
#include "log/log_check.h"
#include "log/log_test_support.h"
#include "log/segments.h"
#include "log/snapshot.h"

namespace ficus::log {
namespace {

constexpr RecordKind kKind{7};

class LogRepair : public ::testing::Test {
 protected:
  // `count` records in segments of about 300 bytes, closed; `written_` remembers them.
  void write_log(int count, int snapshot_after = -1) {
    const auto log = open_log(disk_, {.segment_bytes_max = 300});
    ASSERT_TRUE(log);
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE((*log)->append(kKind, {i}, bytes_of(fmt::format("fact {} of some length", i))));
      ASSERT_TRUE((*log)->write());
      ASSERT_TRUE((*log)->sync());
      if (i == snapshot_after) write_snapshot((*log)->durable_end());
    }
    ASSERT_TRUE((*log)->close({count}));
    end_ = (*log)->end();
    ASSERT_TRUE(read_all(disk_, {}, written_));
    segments_ = *list_segments(disk_, kTestDirectory);
    const auto names = disk_.list(kTestDirectory);
    for (const std::string& name : *names) {
      files_[name] = disk_.content(path(name));
    }
  }
  void write_snapshot(Position at) {
    const auto snapshot = SnapshotWriter::create(disk_, kTestDirectory, at);
    ASSERT_TRUE(snapshot);
    ASSERT_TRUE((*snapshot)->begin_section("s"));
    ASSERT_TRUE((*snapshot)->append(bytes_of("state")));
    ASSERT_TRUE((*snapshot)->finish());
    snapshot_ = at;
  }
  static std::string path(const std::string& name) {
    return std::string(kTestDirectory) + "/" + name;
  }
  // As the log was written, without what repairs have left.
  void reset() {
    const auto names = disk_.list(kTestDirectory);
    for (const std::string& name : *names) {
      ASSERT_TRUE(disk_.remove(path(name)));
    }
    for (const auto& [name, content] : files_) {
      {
        ASSERT_TRUE(disk_.open(path(name), OpenMode::create));
      }
      disk_.set_content(path(name), content);
    }
  }
  Result<RepairReport> repair(RepairOptions options = {}) {
    lost_.records.clear();
    return log::repair(disk_, kTestDirectory, options, lost_);
  }
  // It can be recovered, written and read; every record read was written there, and only those in
  // lost ranges are missing.
  void expect_good(const RepairReport& report) {
    const RecoverOptions known{.known_durable = snapshot_};
    const auto log = open_log(disk_, {}, known);
    ASSERT_TRUE(log) << log.error().message;
    EXPECT_GE((*log)->end(), snapshot_);
    std::vector<Kept> found;
    ASSERT_TRUE(read_all(disk_, report.begin, found));
    std::vector<Kept> wanted;
    for (const Kept& kept : written_) {
      const bool is_lost =
          std::any_of(report.lost.begin(), report.lost.end(), [&](const LostRange& range) {
            return kept.position < range.end && range.begin < kept.end;
          });
      if (!is_lost && kept.position >= report.begin && kept.end <= report.end)
        wanted.push_back(kept);
    }
    EXPECT_EQ(found, wanted);
    ASSERT_TRUE((*log)->append(kKind, {1}, bytes_of("after")));
    ASSERT_TRUE((*log)->close({2}));
    EXPECT_TRUE(check(disk_, kTestDirectory).sound());
  }

  CrashDisk disk_;
  std::vector<Kept> written_;
  std::vector<Position> segments_;
  std::map<std::string, std::string> files_;
  Position end_;
  Position snapshot_;
  Collector lost_;
};

TEST_F(LogRepair, ASoundLogStaysAsItIs) {
  write_log(20, 10);
  const auto report = repair();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_FALSE(report->changes_anything());
  EXPECT_EQ(report->end, end_);
  for (const auto& [name, content] : files_) EXPECT_EQ(disk_.content(path(name)), content);
}

TEST_F(LogRepair, AFlippedByteAnywhereCostsOneRecordAtMost) {
  write_log(20, 10);
  const auto files = files_;
  for (const auto& [name, content] : files) {
    for (std::size_t at = 0; at < content.size(); ++at) {
      reset();
      std::string bad = content;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
      disk_.set_content(path(name), bad);
      ASSERT_FALSE(check(disk_, kTestDirectory).sound() &&
                   check(disk_, kTestDirectory).torn_bytes == 0)
          << name << " " << at;
      const auto report = repair();
      ASSERT_TRUE(report) << name << " " << at << ": " << report.error().message;
      ASSERT_LE(report->lost.size(), 1U) << name << " " << at;
      const bool is_last = name == segment_path("", segments_.back()).substr(1);
      if (!is_last) {
        ASSERT_EQ(report->set_aside.size(), 1U) << name << " " << at;
        ASSERT_EQ(disk_.content(path(name) + ".damaged"), bad);
      }
      if (!report->lost.empty()) {
        ASSERT_LE(report->lost[0].end - report->lost[0].begin, 80U) << name << " " << at;
      }
      expect_good(*report);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(LogRepair, SaysWhatIsLost) {
  write_log(20, 3);
  const Kept& victim = written_[9];
  const auto segment = std::upper_bound(segments_.begin(), segments_.end(), victim.position) - 1;
  const std::string file = segment_path(kTestDirectory, *segment);
  std::string bad = disk_.content(file);
  bad[segment_file_bytes(*segment, victim.position) + 45] ^= 1;  // in the payload
  disk_.set_content(file, bad);
  ASSERT_FALSE(recover(disk_, kTestDirectory));
  const auto dry = repair({.dry_run = true});
  ASSERT_TRUE(dry);
  EXPECT_EQ(dry->lost.size(), 1U);
  EXPECT_EQ(disk_.content(file), bad);
  const auto report = repair();
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->lost.size(), 1U);
  const LostRange& lost = report->lost[0];
  EXPECT_EQ(lost.begin, victim.position);
  EXPECT_EQ(lost.end, victim.end);
  EXPECT_EQ(lost.records, 1U);
  EXPECT_EQ(lost.before, Timestamp{8});
  EXPECT_EQ(lost.after, Timestamp{10});
  EXPECT_TRUE(lost.reason.starts_with("checksum of the record")) << lost.reason;
  EXPECT_FALSE(lost.is_covered);
  ASSERT_EQ(lost_.records.size(), 1U);
  EXPECT_EQ(lost_.records[0].time, Timestamp{9});
  expect_good(*report);
  EXPECT_EQ(check(disk_, kTestDirectory).records_by_kind[255], 1U);
}

TEST_F(LogRepair, MissingFilesAreBridged) {
  write_log(30, 6);
  const auto segments = segments_;
  for (const Position missing : segments) {
    reset();
    ASSERT_TRUE(disk_.remove(segment_path(kTestDirectory, missing)));
    const auto report = repair();
    const bool is_first = missing == Position{};
    ASSERT_TRUE(report) << report.error().message;
    if (missing == segments.back()) {
      // Nothing speaks for what was in it but who remembers.
      EXPECT_TRUE(report->lost.empty());
      const auto known = repair({.known_durable = end_});
      ASSERT_TRUE(known);
      EXPECT_EQ(known->end, end_);
      ASSERT_EQ(known->lost.size(), 1U);
      continue;
    }
    if (!is_first) {
      ASSERT_EQ(report->lost.size(), 1U);
      EXPECT_EQ(report->lost[0].begin, missing);
    } else {
      EXPECT_TRUE(report->lost.empty());  // the snapshot stands behind it
      EXPECT_EQ(report->begin, segments[1]);
    }
    expect_good(*report);
  }
  // All of them: what is known keeps its positions.
  reset();
  for (const Position first : segments)
    ASSERT_TRUE(disk_.remove(segment_path(kTestDirectory, first)));
  const auto report = repair({.known_durable = end_});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->end, end_);
  expect_good(*report);
}

// The salt that every record's checksum knows stands in the headers only.
TEST_F(LogRepair, WithoutAnyHeaderTheFirstRecordsTellTheSalt) {
  write_log(20, 3);
  for (const Position first : segments_) {
    std::string bad = disk_.content(segment_path(kTestDirectory, first));
    bad[0] ^= 1;
    disk_.set_content(segment_path(kTestDirectory, first), bad);
  }
  ASSERT_FALSE(recover(disk_, kTestDirectory));
  const auto report = repair();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->lost.empty());
  EXPECT_EQ(report->end, end_);
  expect_good(*report);
}

TEST_F(LogRepair, WithoutAnyHeaderOrFirstRecordNothingIsBelieved) {
  write_log(20, 3);
  std::map<std::string, std::string> damaged;
  for (const Position first : segments_) {
    const std::string file = segment_path(kTestDirectory, first);
    std::string bad = disk_.content(file);
    bad[0] ^= 1;
    bad[kSegmentHeaderBytes] ^= 1;
    disk_.set_content(file, bad);
    damaged[file] = bad;
  }
  const auto report = repair();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::corrupt);
  EXPECT_TRUE(report.error().message.contains("restore a backup")) << report.error().message;
  for (const auto& [file, content] : damaged) EXPECT_EQ(disk_.content(file), content);
}

TEST_F(LogRepair, FromSnapshotGivesUpWhatFollows) {
  write_log(20, 10);
  const auto report = repair({.from_snapshot = true});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->end, end_);
  EXPECT_EQ(lost_.records.size(), 9U);
  expect_good(*report);
}

TEST_F(LogRepair, WithoutASnapshotTheBeginningCannotBeMissing) {
  write_log(20);
  ASSERT_TRUE(disk_.remove(segment_path(kTestDirectory, {})));
  const auto report = repair();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::corrupt);
  EXPECT_TRUE(report.error().message.contains("restore a backup"));
}

TEST_F(LogRepair, AnInterruptedRepairIsFinished) {
  write_log(20, 3);
  std::string file = segment_path(kTestDirectory, segments_[2]);
  std::string bad = disk_.content(file);
  bad[100] ^= 1;
  // At every number of file operations that still work.
  for (int remove_first = 0; remove_first < 2; ++remove_first) {
    reset();
    disk_.set_content(file, bad);
    ASSERT_TRUE(repair());
    const std::string good = disk_.content(file);
    reset();
    disk_.set_content(file, bad);
    {
      ASSERT_TRUE(disk_.open(file + ".repaired", OpenMode::create));
    }
    disk_.set_content(file + ".repaired", good);
    if (remove_first == 1) {
      ASSERT_TRUE(disk_.rename(file, file + ".damaged"));
    }
    const auto refused = recover(disk_, kTestDirectory);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message.contains("repair was interrupted"));
    EXPECT_FALSE(repair({.dry_run = true}));
    ASSERT_TRUE(repair());
    EXPECT_EQ(disk_.content(file), good);
    EXPECT_TRUE(check(disk_, kTestDirectory).sound());
  }
}

TEST_F(LogRepair, AFullDiskLeavesTheLogAsItWas) {
  write_log(20, 3);
  const std::string file = segment_path(kTestDirectory, segments_[2]);
  std::string bad = disk_.content(file);
  bad[100] ^= 1;
  disk_.set_content(file, bad);
  disk_.set_capacity(disk_.used_bytes() + 50);
  const auto report = repair();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::disk_full);
  EXPECT_EQ(disk_.content(file), bad);
  disk_.set_capacity(UINT64_MAX);
  ASSERT_TRUE(repair());
  EXPECT_TRUE(check(disk_, kTestDirectory).sound());
}

}  // namespace
}  // namespace ficus::log
