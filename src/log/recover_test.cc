#include "log/recover.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "log/crash_disk.h"
#include "log/format.h"
#include "log/log_check.h"
#include "log/log_test_support.h"
#include "log/segments.h"

namespace ficus::log {
namespace {

constexpr RecordKind kKind{9};

std::string path_of(std::uint64_t first) { return segment_path(kTestDirectory, {first}); }

std::string record(Position position, Position durable, std::string_view payload,
                   std::uint32_t salt = kTestSalt) {
  std::vector<std::byte> bytes(kRecordHeaderBytes);
  for (const char c : payload) bytes.push_back(static_cast<std::byte>(c));
  seal_record({.payload_bytes = static_cast<std::uint32_t>(payload.size()),
               .position = position,
               .durable = durable,
               .time = {},
               .salt = salt,
               .kind = kKind},
              bytes);
  return text_of(bytes);
}

// Writes records of `payload_bytes`, one a write, and syncs after each as long as i < synced.
void fill(Disk& disk, int count, int synced, std::size_t payload_bytes,
          std::uint64_t segment_bytes_max, bool close) {
  const auto log = open_log(disk, {.segment_bytes_max = segment_bytes_max});
  ASSERT_TRUE(log);
  for (int i = 0; i < count; ++i) {
    const std::string payload(payload_bytes, static_cast<char>('a' + i));
    ASSERT_TRUE((*log)->append(kKind, Timestamp::from_seconds(i), bytes_of(payload)));
    ASSERT_TRUE((*log)->write());
    if (i < synced) {
      ASSERT_TRUE((*log)->sync());
    }
  }
  if (close) {
    ASSERT_TRUE((*log)->close({}));
  }
}

using Files = std::vector<std::pair<std::string, std::string>>;

Files files_of(CrashDisk& disk) {
  Files files;
  const std::vector<std::string> names = disk.list(kTestDirectory).value();
  for (const std::string& name : names) {
    const std::string path = std::string(kTestDirectory) + "/" + name;
    files.emplace_back(path, disk.content(path));
  }
  return files;
}

std::unique_ptr<CrashDisk> disk_of(const Files& files) {
  auto disk = std::make_unique<CrashDisk>();
  for (const auto& [path, content] : files) disk->set_content(path, content);
  return disk;
}

// The records that are left after recovery must be the first ones that were written, in full.
void expect_prefix(Disk& disk, const std::vector<Kept>& all, const Recovered& recovered) {
  std::vector<Kept> left;
  ASSERT_TRUE(read_all(disk, recovered.begin, left));
  ASSERT_LE(left.size(), all.size());
  EXPECT_TRUE(std::equal(left.begin(), left.end(), all.begin()));
}

TEST(Recover, ANewLogIsEmpty) {
  CrashDisk disk;
  const auto recovered = recover(disk, kTestDirectory);
  ASSERT_TRUE(recovered);
  EXPECT_EQ(recovered->end, Position{});
  EXPECT_TRUE(recovered->segments.empty());
  EXPECT_EQ(recovered->bytes_cut, 0U);
}

TEST(Recover, ATailTornAtEveryByteIsCutToWholeRecords) {
  CrashDisk whole;
  fill(whole, 6, 2, 7, 60, false);
  const Files files = files_of(whole);
  ASSERT_EQ(files.size(), 3U);  // two records of 47 bytes each
  std::vector<Kept> all;
  ASSERT_TRUE(read_all(whole, {}, all));
  for (std::size_t last = 1; last < files.size(); ++last) {
    for (std::size_t length = 0; length <= files[last].second.size(); ++length) {
      Files torn(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(last + 1));
      torn.back().second.resize(length);
      const auto disk = disk_of(torn);
      const auto recovered = recover(*disk, kTestDirectory);
      ASSERT_TRUE(recovered) << recovered.error().message;
      const std::size_t whole_records = length < 40 ? 0 : (length - 40) / 47;
      EXPECT_EQ(recovered->end, Position{94 * last + 47 * whole_records});
      EXPECT_EQ(recovered->bytes_cut, length < 40 ? length : length - 40 - 47 * whole_records);
      EXPECT_EQ(recovered->cut_reason.empty(), length >= 40 && recovered->bytes_cut == 0);
      expect_prefix(*disk, all, *recovered);
      const auto again = recover(*disk, kTestDirectory);
      ASSERT_TRUE(again);
      EXPECT_EQ(again->bytes_cut, 0U);
      EXPECT_EQ(again->end, recovered->end);
    }
  }
}

TEST(Recover, EveryBitFlippedInAClosedLogIsFound) {
  CrashDisk whole;
  fill(whole, 5, 5, 9, 90, true);
  const Files files = files_of(whole);
  ASSERT_EQ(files.size(), 3U);
  std::vector<Kept> all;
  ASSERT_TRUE(read_all(whole, {}, all));
  for (std::size_t f = 0; f < files.size(); ++f) {
    for (std::size_t bit = 0; bit < files[f].second.size() * 8; ++bit) {
      Files flipped = files;
      char& byte = flipped[f].second[bit / 8];
      byte = static_cast<char>(byte ^ (1 << (bit % 8)));
      const auto disk = disk_of(flipped);
      // Only the mark at the very end may be taken for torn: nobody wrote it, nobody misses it.
      const bool in_mark = f == 2 && bit / 8 >= files[f].second.size() - kRecordHeaderBytes;
      const CheckReport report = check(*disk, kTestDirectory);
      EXPECT_EQ(report.sound(), in_mark);
      std::vector<Kept> seen;
      EXPECT_FALSE(read_all(*disk, {}, seen));  // a reader stops before it
      EXPECT_TRUE(seen.size() <= all.size() && std::equal(seen.begin(), seen.end(), all.begin()));
      const auto recovered = recover(*disk, kTestDirectory);
      ASSERT_EQ(recovered.has_value(), in_mark) << f << " " << bit;
      if (in_mark) {
        expect_prefix(*disk, all, *recovered);
        EXPECT_EQ(recovered->end, all.back().end);
      } else {
        EXPECT_EQ(recovered.error().code, ErrorCode::corrupt);
        EXPECT_TRUE(recovered.error().message.contains(flipped[f].first));
        EXPECT_TRUE(files_of(*disk) == flipped);  // nothing was touched
      }
    }
  }
}

TEST(Recover, EveryBitFlippedInAnUnsyncedLogIsFoundOrCut) {
  CrashDisk whole;
  fill(whole, 5, 2, 9, 90, false);
  const Files files = files_of(whole);
  std::vector<Kept> all;
  ASSERT_TRUE(read_all(whole, {}, all));
  for (std::size_t f = 0; f < files.size(); ++f) {
    for (std::size_t bit = 0; bit < files[f].second.size() * 8; ++bit) {
      Files flipped = files;
      char& byte = flipped[f].second[bit / 8];
      byte = static_cast<char>(byte ^ (1 << (bit % 8)));
      const auto disk = disk_of(flipped);
      const auto recovered = recover(*disk, kTestDirectory);
      if (!recovered) {
        EXPECT_EQ(recovered.error().code, ErrorCode::corrupt);
        continue;
      }
      EXPECT_GE(recovered->end, Position{98});  // the two synced records
      EXPECT_GT(recovered->bytes_cut, 0U);
      expect_prefix(*disk, all, *recovered);
    }
  }
}

TEST(Recover, GarbageBehindTheLastRecordIsCut) {
  CrashDisk whole;
  fill(whole, 2, 2, 10, 1000, false);
  const std::string sound = whole.content(path_of(0));
  const std::string first = sound.substr(40, 50);
  const Position end{100};
  const std::vector<std::pair<const char*, std::string>> tails = {
      {"zeros", std::string(5000, '\0')},
      {"an old record of this log", first},
      {"a record of another log", record(end, end, "x", kTestSalt + 1)},
      {"a record that claims the future", record(end, end + 1, "x")},
      {"a record without its end", record(end, end, "0123456789").substr(0, 45)},
      {"zeros, then a record written before a sync",
       std::string(50, '\0') + record({150}, end, "x")},
      {"a record in the wrong place", std::string(50, '\0') + record({151}, {151}, "x")},
      {"a look-alike without salt", std::string(50, '\0') + record({150}, {150}, "x", 0)},
  };
  for (const auto& [what, tail] : tails) {
    CrashDisk disk;
    disk.set_content(path_of(0), sound + tail);
    const CheckReport report = check(disk, kTestDirectory);
    EXPECT_TRUE(report.sound()) << what;
    EXPECT_EQ(report.torn_bytes, tail.size()) << what;
    const auto recovered = recover(disk, kTestDirectory);
    ASSERT_TRUE(recovered) << what << recovered.error().message;
    EXPECT_EQ(recovered->end, end) << what;
    EXPECT_EQ(recovered->bytes_cut, tail.size()) << what;
    EXPECT_EQ(disk.content(path_of(0)), sound) << what;
  }
}

TEST(Recover, AWitnessBehindTheDamageMakesItCorruption) {
  CrashDisk whole;
  fill(whole, 2, 2, 10, 1000, false);
  const std::string sound = whole.content(path_of(0));
  CrashDisk disk;
  // A megabyte and more of nothing between the damage and the record that knows better.
  const std::size_t gap = 3'000'001;
  disk.set_content(path_of(0), sound + std::string(gap, '\0') + record({100 + gap}, {101}, "x"));
  const auto recovered = recover(disk, kTestDirectory);
  ASSERT_FALSE(recovered);
  EXPECT_EQ(recovered.error().code, ErrorCode::corrupt);
  EXPECT_EQ(
      recovered.error().message,
      "the log is damaged in the middle: /data/log/00000000000000000000.log at offset 140 "
      "(position 100): position in the record: expected 100, found 0; the sound bytes at position "
      "3000101 in /data/log/00000000000000000000.log say that the log had been synced up to 101: "
      "restore the file from a copy, or the device may be failing");
}

TEST(Recover, WhatOthersKnowToBeDurableMustBeThere) {
  CrashDisk disk;
  fill(disk, 3, 3, 10, 1000, false);
  EXPECT_TRUE(recover(disk, kTestDirectory, {.known_durable = {150}}));
  EXPECT_EQ(recover(disk, kTestDirectory, {.known_durable = {151}}).error().code,
            ErrorCode::corrupt);
  std::string bytes = disk.content(path_of(0));
  bytes[60] = 'X';  // in the first record: the third is a witness only up to 100
  bytes.resize(90);
  disk.set_content(path_of(0), bytes);
  EXPECT_EQ(recover(disk, kTestDirectory, {.known_durable = {1}}).error().code, ErrorCode::corrupt);
  EXPECT_EQ(recover(disk, kTestDirectory)->end, Position{0});
  CrashDisk empty;
  EXPECT_EQ(recover(empty, kTestDirectory, {.known_durable = {1}}).error().code,
            ErrorCode::corrupt);
}

TEST(Recover, MissingSegments) {
  CrashDisk whole;
  fill(whole, 6, 6, 10, 60, false);  // segments of two records: 0, 100, 200
  const Files files = files_of(whole);
  ASSERT_EQ(files.size(), 3U);
  // The first ones may have been truncated.
  const auto truncated = disk_of({files[1], files[2]});
  EXPECT_EQ(recover(*truncated, kTestDirectory)->begin, Position{100});
  // From the middle none can be missed: the header of the next says that it had been synced.
  const auto gap = disk_of({files[0], files[2]});
  const auto refused = recover(*gap, kTestDirectory);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
  std::vector<Kept> seen;
  EXPECT_EQ(read_all(*gap, {}, seen).error().code, ErrorCode::corrupt);
  EXPECT_EQ(seen.size(), 2U);
  // The header alone is enough, without a record behind it.
  const auto header_only = disk_of({files[0], {files[2].first, files[2].second.substr(0, 40)}});
  EXPECT_EQ(recover(*header_only, kTestDirectory).error().code, ErrorCode::corrupt);
  // Without any sync it can be the work of a crash.
  CrashDisk unsynced;
  fill(unsynced, 6, 0, 10, 60, false);
  ASSERT_TRUE(unsynced.remove(path_of(100)));
  const auto cut = recover(unsynced, kTestDirectory);
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->end, Position{100});
  EXPECT_EQ(cut->segments_removed, 1U);
  EXPECT_FALSE(unsynced.exists(path_of(200)));
}

TEST(Recover, EmptyAndHalfMadeLastSegments) {
  CrashDisk whole;
  fill(whole, 2, 2, 10, 60, false);
  for (const std::size_t length : {0U, 1U, 39U, 40U, 500U}) {
    CrashDisk disk;
    disk.set_content(path_of(0), whole.content(path_of(0)));
    disk.set_content(path_of(100), std::string(length, '\0'));
    auto log = open_log(disk, {.segment_bytes_max = 60});
    ASSERT_TRUE(log);
    EXPECT_EQ((*log)->append(kKind, {}, bytes_of("next")), Position{100});
    ASSERT_TRUE((*log)->write());
    std::vector<Kept> found;
    ASSERT_TRUE(read_all(disk, {}, found));
    EXPECT_EQ(found.size(), 3U);
  }
  // The only segment: a crash of a new log at 0, impossible behind it.
  CrashDisk at_start;
  at_start.set_content(path_of(0), "FICUS");
  EXPECT_EQ(recover(at_start, kTestDirectory)->end, Position{0});
  EXPECT_TRUE(at_start.list(kTestDirectory)->empty());
  CrashDisk later;
  later.set_content(path_of(700), "FICUS");
  EXPECT_EQ(recover(later, kTestDirectory).error().code, ErrorCode::corrupt);
}

TEST(Recover, AHeaderOfAnotherVersionOrLogIsNeverCut) {
  CrashDisk whole;
  fill(whole, 3, 0, 10, 60, false);
  const auto with_header = [&](const SegmentHeader& header) {
    auto disk = std::make_unique<CrashDisk>();
    std::array<std::byte, kSegmentHeaderBytes> bytes{};
    encode_segment_header(header, bytes);
    disk->set_content(path_of(0), whole.content(path_of(0)));
    disk->set_content(path_of(100), text_of(bytes));
    return disk;
  };
  EXPECT_TRUE(recover(*with_header({{100}, {}, kTestSalt}), kTestDirectory));
  for (const SegmentHeader& header : {SegmentHeader{{101}, {}, kTestSalt},
                                      {{100}, {101}, kTestSalt},
                                      {{100}, {}, kTestSalt + 1}}) {
    EXPECT_EQ(recover(*with_header(header), kTestDirectory).error().code, ErrorCode::corrupt);
  }
}

TEST(Recover, ABadHeaderBeforeASoundRecordIsNotTheWorkOfACrash) {
  CrashDisk disk;
  fill(disk, 3, 0, 10, 60, false);
  std::string bytes = disk.content(path_of(100));
  bytes[20] = 'X';
  disk.set_content(path_of(100), bytes);
  EXPECT_EQ(recover(disk, kTestDirectory).error().code, ErrorCode::corrupt);
}

TEST(Recover, APayloadIsNoWitnessEvenIfTheSaltIsLost) {
  CrashDisk disk;
  fill(disk, 1, 0, 10, 1000, false);
  std::string bytes = disk.content(path_of(0));
  bytes.replace(0, 90, 90, '\0');
  disk.set_content(path_of(0), bytes + record({50}, {0}, record({90}, {90}, "forged", 0)));
  const auto cut = recover(disk, kTestDirectory);
  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_EQ(cut->end, Position{});
  EXPECT_TRUE(cut->segments.empty());
  // The same record by itself is one.
  disk.set_content(path_of(0), bytes + record({50}, {50}, "not forged"));
  EXPECT_EQ(recover(disk, kTestDirectory).error().code, ErrorCode::corrupt);
}

TEST(Recover, ASegmentThatIsTooLongIsDamage) {
  CrashDisk disk;
  fill(disk, 4, 1, 10, 60, false);
  disk.set_content(path_of(0), disk.content(path_of(0)) + "surplus");
  const auto cut = recover(disk, kTestDirectory);  // all behind position 50 was never synced
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->end, Position{100});
  EXPECT_EQ(cut->segments_removed, 1U);
  CrashDisk synced;
  fill(synced, 4, 4, 10, 60, false);
  synced.set_content(path_of(0), synced.content(path_of(0)) + "surplus");
  EXPECT_EQ(recover(synced, kTestDirectory).error().code, ErrorCode::corrupt);
}

TEST(Recover, VerifyFromPassesOverWhatASnapshotCovers) {
  CrashDisk disk;
  fill(disk, 6, 6, 10, 60, false);
  EXPECT_EQ(recover(disk, kTestDirectory)->records_verified, 6U);
  EXPECT_EQ(recover(disk, kTestDirectory, {.verify_from = {250}})->records_verified, 2U);
  EXPECT_EQ(recover(disk, kTestDirectory, {.verify_from = {199}})->records_verified, 4U);
  std::string short_by_one = disk.content(path_of(0));
  short_by_one.pop_back();
  disk.set_content(path_of(0), short_by_one);
  EXPECT_EQ(recover(disk, kTestDirectory, {.verify_from = {250}}).error().code, ErrorCode::corrupt);
}

TEST(Recover, ADeviceThatFailsIsNotATornTail) {
  CrashDisk disk;
  fill(disk, 3, 3, 10, 60, false);
  const Files files = files_of(disk);
  disk.fail_read(true);
  EXPECT_EQ(recover(disk, kTestDirectory).error().code, ErrorCode::unavailable);
  EXPECT_FALSE(check(disk, kTestDirectory).sound());
  disk.fail_read(false);
  disk.fail_sync(true);
  EXPECT_EQ(recover(disk, kTestDirectory).error().code, ErrorCode::unavailable);
  disk.fail_sync(false);
  EXPECT_TRUE(files_of(disk) == files);
}

TEST(Recover, OtherFilesAreNotOurs) {
  CrashDisk disk;
  fill(disk, 1, 1, 10, 60, false);
  for (const char* name :
       {"notes.txt", "0000000000000000000.log", "0000000000000000x000.log",
        "99999999999999999999.log", "18446744073709551615.log", "00000000000000000050.snap"}) {
    disk.set_content(std::string(kTestDirectory) + "/" + name, "not a segment");
  }
  const auto recovered = recover(disk, kTestDirectory);
  ASSERT_TRUE(recovered);
  EXPECT_EQ(recovered->segments.size(), 1U);
}

}  // namespace
}  // namespace ficus::log
