#include "log/log_writer.h"

#include <gtest/gtest.h>

#include "log/crash_disk.h"
#include "log/log_test_support.h"

namespace ficus::log {
namespace {

constexpr RecordKind kKind{3};
constexpr Timestamp kTime{1'700'000'000'000'000};

TEST(LogWriter, PositionsFollowEachOtherAndReadBack) {
  CrashDisk disk;
  const auto log = open_log(disk);
  ASSERT_TRUE(log);
  const std::span<const std::byte> parts[] = {bytes_of("hello "), {}, bytes_of("city")};
  const auto first = (*log)->append(kKind, kTime, parts);
  ASSERT_EQ(first, Position{0});
  EXPECT_EQ((*log)->end(), Position{50});
  const auto second = (*log)->append(RecordKind{254}, {-5}, std::span<const std::byte>{});
  ASSERT_EQ(second, Position{50});
  EXPECT_EQ((*log)->written_end(), Position{0});
  EXPECT_EQ((*log)->buffered_bytes(), 90U);
  ASSERT_TRUE((*log)->write());
  EXPECT_EQ((*log)->written_end(), Position{90});
  EXPECT_EQ((*log)->durable_end(), Position{0});
  EXPECT_EQ((*log)->acknowledgeable_end(SyncPolicy::each_commit), Position{0});
  EXPECT_EQ((*log)->acknowledgeable_end(SyncPolicy::interval), Position{90});
  EXPECT_EQ((*log)->acknowledgeable_end(SyncPolicy::never), Position{90});
  EXPECT_EQ((*log)->sync(), Position{90});
  EXPECT_EQ((*log)->durable_end(), Position{90});

  std::vector<Kept> found;
  ASSERT_TRUE(read_all(disk, {}, found));
  const std::vector<Kept> expected = {{{0}, {50}, kKind, kTime, "hello city"},
                                      {{50}, {90}, RecordKind{254}, {-5}, ""}};
  EXPECT_TRUE(found == expected);
}

TEST(LogWriter, LimitsRefuseWithoutATrace) {
  CrashDisk disk;
  const auto log = open_log(disk, {.payload_bytes_max = 100, .buffer_bytes_max = 200});
  ASSERT_TRUE(log);
  const std::string large(101, 'x');
  EXPECT_EQ((*log)->append(kKind, kTime, bytes_of(large)).error().code, ErrorCode::invalid_input);
  ASSERT_TRUE((*log)->append(kKind, kTime, bytes_of(large).first(100)));
  EXPECT_EQ((*log)->append(kKind, kTime, bytes_of(large).first(21)).error().code,
            ErrorCode::overloaded);
  EXPECT_EQ((*log)->end(), Position{140});
  ASSERT_TRUE((*log)->append(kKind, kTime, bytes_of(large).first(20)));
  ASSERT_TRUE((*log)->write());
  ASSERT_TRUE((*log)->append(kKind, kTime, bytes_of(large).first(100)));
}

TEST(LogWriter, RollsTruncatesAndKeepsPositionsOverReopening) {
  CrashDisk disk;
  auto log = open_log(disk, {.segment_bytes_max = 100});
  ASSERT_TRUE(log);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE((*log)->append(kKind, kTime, bytes_of("0123456789")));
    ASSERT_TRUE((*log)->write());
  }
  // A roll comes before the first write that finds at least 100 bytes.
  EXPECT_EQ(disk.list(kTestDirectory).value(),
            (std::vector<std::string>{"00000000000000000000.log", "00000000000000000100.log",
                                      "00000000000000000200.log", "00000000000000000300.log",
                                      "00000000000000000400.log"}));
  EXPECT_EQ((*log)->truncate_before({500}), 0U);  // nothing is durable yet
  ASSERT_TRUE((*log)->sync());
  EXPECT_EQ((*log)->truncate_before({99}), 0U);
  EXPECT_EQ((*log)->truncate_before({100}), 1U);
  EXPECT_EQ((*log)->truncate_before({399}), 2U);
  EXPECT_EQ((*log)->begin(), Position{300});
  EXPECT_EQ((*log)->truncate_before(Position::max()), 1U);  // never the newest
  EXPECT_EQ((*log)->begin(), Position{400});

  Recovered report;
  log = open_log(disk, {.segment_bytes_max = 100}, {}, &report);
  ASSERT_TRUE(log);
  EXPECT_EQ(report.begin, Position{400});
  EXPECT_EQ((*log)->append(kKind, kTime, bytes_of("again")), Position{500});
  ASSERT_TRUE((*log)->close(kTime));
  std::vector<Kept> found;
  ASSERT_TRUE(read_all(disk, {400}, found));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found.back().payload, "again");
}

TEST(LogWriter, FullDiskAtEveryByteLeavesTheLogUsable) {
  for (std::uint64_t room = 0; room < 200; ++room) {
    for (const bool retry : {true, false}) {
      CrashDisk disk;
      const auto log = open_log(disk, {.segment_bytes_max = 50});
      ASSERT_TRUE(log);
      ASSERT_TRUE((*log)->append(kKind, kTime, bytes_of("before this roll")));
      ASSERT_TRUE((*log)->write());
      ASSERT_TRUE((*log)->append(kKind, kTime, bytes_of("does not fit, first")));
      ASSERT_TRUE((*log)->append(kKind, kTime, bytes_of("does not fit, second")));
      const std::size_t needed = 40 + (*log)->buffered_bytes();
      disk.set_capacity(disk.used_bytes() + room);
      const Status written = (*log)->write();
      ASSERT_EQ(written.has_value(), room >= needed);
      if (!written) {
        EXPECT_EQ(written.error().code, ErrorCode::disk_full);
        EXPECT_EQ((*log)->written_end(), Position{56});
        ASSERT_EQ((*log)->sync(), Position{56});
      }
      disk.set_capacity(UINT64_MAX);
      if (!written && !retry) (*log)->discard_unwritten();
      ASSERT_TRUE((*log)->append(kKind, kTime, bytes_of("after")));
      ASSERT_TRUE((*log)->write());
      std::vector<Kept> found;
      ASSERT_TRUE(read_all(disk, {}, found));
      ASSERT_EQ(found.size(), written || retry ? 4U : 2U);
      EXPECT_EQ(found.back().payload, "after");
    }
  }
}

TEST(LogWriter, ABrokenTailIsCutBackBeforeAnythingIsAdded) {
  CrashDisk disk;
  const auto log = open_log(disk);
  ASSERT_TRUE(log);
  ASSERT_TRUE((*log)->append(kKind, kTime, bytes_of("payload")));
  disk.set_capacity(disk.used_bytes() + 20);
  disk.fail_truncate(true);
  EXPECT_EQ((*log)->write().error().code, ErrorCode::disk_full);
  disk.set_capacity(UINT64_MAX);
  EXPECT_EQ((*log)->write().error().code, ErrorCode::unavailable);
  disk.fail_truncate(false);
  ASSERT_TRUE((*log)->write());
  std::vector<Kept> found;
  ASSERT_TRUE(read_all(disk, {}, found));
  EXPECT_EQ(found.size(), 1U);
}

TEST(LogWriter, AFailedSyncIsFinal) {
  for (const bool directory : {false, true}) {
    CrashDisk disk;
    const auto log = open_log(disk, {.segment_bytes_max = 40});
    ASSERT_TRUE(log);
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE((*log)->append(kKind, kTime, bytes_of("acknowledged?")));
      ASSERT_TRUE((*log)->write());
    }
    directory ? disk.fail_sync_directory(true) : disk.fail_sync(true);
    const auto failed = (*log)->sync();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::unavailable);
    disk.fail_sync(false);
    disk.fail_sync_directory(false);
    // The device says that all is well again; the pages may be gone all the same.
    EXPECT_EQ((*log)->sync().error(), failed.error());
    EXPECT_EQ((*log)->write().error(), failed.error());
    EXPECT_EQ((*log)->close(kTime).error(), failed.error());
    EXPECT_EQ((*log)->durable_end(), Position{0});
  }
}

TEST(LogWriter, AFailedRemovalCanBeTriedAgain) {
  CrashDisk disk;
  const auto log = open_log(disk, {.segment_bytes_max = 40});
  ASSERT_TRUE(log);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE((*log)->append(kKind, kTime, bytes_of("x")));
    ASSERT_TRUE((*log)->write());
  }
  ASSERT_TRUE((*log)->sync());
  disk.fail_remove(true);
  EXPECT_FALSE((*log)->truncate_before({123}));
  disk.fail_remove(false);
  disk.fail_sync_directory(true);
  EXPECT_FALSE((*log)->truncate_before({123}));
  disk.fail_sync_directory(false);
  EXPECT_EQ((*log)->begin(), Position{0});
  EXPECT_EQ((*log)->truncate_before({123}), 3U);
  EXPECT_EQ((*log)->begin(), Position{123});
}

TEST(LogWriter, OpenRefusesAFileThatChangedSinceRecovery) {
  CrashDisk disk;
  ASSERT_TRUE((*open_log(disk))->close(kTime));
  const auto recovered = recover(disk, kTestDirectory);
  ASSERT_TRUE(recovered);
  const std::string path = std::string(kTestDirectory) + "/00000000000000000000.log";
  disk.set_content(path, disk.content(path) + "more");
  EXPECT_EQ(LogWriter::open(disk, kTestDirectory, *recovered, {}).error().code,
            ErrorCode::conflict);
}

TEST(LogWriterDeathTest, KindZeroBelongsToTheLog) {
  CrashDisk disk;
  const auto log = open_log(disk);
  ASSERT_TRUE(log);
  EXPECT_DEATH(static_cast<void>((*log)->append(kDurableMark, kTime, bytes_of("x"))), "invariant");
}

}  // namespace
}  // namespace ficus::log
