#include "log/log_reader.h"

#include <gtest/gtest.h>

#include "log/crash_disk.h"
#include "log/log_test_support.h"

namespace ficus::log {
namespace {

constexpr RecordKind kKind{1};

// Six records of 50 bytes in segments of two.
std::unique_ptr<LogWriter> six(Disk& disk) {
  auto log = open_log(disk, {.segment_bytes_max = 60}).value();
  for (int i = 0; i < 6; ++i) {
    const std::string payload(10, static_cast<char>('0' + i));
    EXPECT_TRUE(log->append(kKind, Timestamp::from_seconds(i), bytes_of(payload)));
    EXPECT_TRUE(log->write());
  }
  return log;
}

TEST(LogReader, StartsAndStopsAtAnyRecord) {
  CrashDisk disk;
  const auto log = six(disk);
  for (std::uint64_t from = 0; from <= 300; from += 50) {
    for (std::uint64_t until = from; until <= 300; until += 50) {
      Collector collector;
      EXPECT_EQ(replay(disk, kTestDirectory, {from}, {until}, collector), Position{until});
      ASSERT_EQ(collector.records.size(), (until - from) / 50);
      for (const Kept& kept : collector.records) {
        EXPECT_EQ(kept.payload[0], static_cast<char>('0' + kept.position.offset / 50));
      }
    }
  }
}

TEST(LogReader, RefusesPlacesThatAreNotThere) {
  CrashDisk disk;
  const auto log = six(disk);
  ASSERT_TRUE(log->sync());
  ASSERT_TRUE(log->truncate_before({100}));
  Collector collector;
  EXPECT_EQ(replay(disk, kTestDirectory, {50}, {300}, collector).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(replay(disk, kTestDirectory, {301}, {400}, collector).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(replay(disk, kTestDirectory, {110}, {300}, collector).error().code, ErrorCode::corrupt);
  CrashDisk empty;
  EXPECT_EQ(replay(empty, kTestDirectory, {}, {300}, collector), Position{});
  EXPECT_EQ(replay(empty, kTestDirectory, {1}, {300}, collector).error().code,
            ErrorCode::not_found);
}

TEST(LogReader, FollowsAWriterOverRolls) {
  CrashDisk disk;
  const auto log = open_log(disk, {.segment_bytes_max = 100}).value();
  const auto reader = LogReader::open(disk, kTestDirectory, {}, {}).value();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(reader->next().value(), nullptr);
    ASSERT_TRUE(log->append(kKind, {}, bytes_of(std::to_string(i))));
    ASSERT_TRUE(log->append_durable_mark({}));
    ASSERT_TRUE(log->write());
    ASSERT_TRUE(log->sync());
    reader->extend(log->durable_end());
    const Record* const record = reader->next().value();
    ASSERT_NE(record, nullptr);
    EXPECT_EQ(text_of(record->payload), std::to_string(i));
  }
}

TEST(LogReader, LargeRecordsPassThroughTheSlidingBuffer) {
  CrashDisk disk;
  const auto log = open_log(disk).value();
  const std::string large(3'000'000, 'L');
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(log->append(kKind, {}, bytes_of("small")));
    ASSERT_TRUE(log->append(kKind, {}, bytes_of(large)));
  }
  ASSERT_TRUE(log->write());
  std::vector<Kept> found;
  ASSERT_TRUE(read_all(disk, {}, found));
  ASSERT_EQ(found.size(), 6U);
  EXPECT_TRUE(found[5].payload == large);
}

TEST(LogReader, AnErrorOfTheVisitorEndsTheReplay) {
  class Refuses final : public RecordVisitor {
    Status visit(const Record&) override { return invalid("enough"); }
  };
  CrashDisk disk;
  const auto log = six(disk);
  Refuses visitor;
  EXPECT_EQ(replay(disk, kTestDirectory, {}, {300}, visitor).error().message, "enough");
  disk.fail_read(true);
  EXPECT_EQ(replay(disk, kTestDirectory, {}, {300}, visitor).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace ficus::log
