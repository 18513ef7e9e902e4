// The writer thread, a sync thread, a truncating thread and a reader at once, on the machine's own
// disk.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <thread>

#include "log/log_check.h"
#include "log/log_reader.h"
#include "log/log_writer.h"
#include "log/segments.h"
#include "log/snapshot.h"

namespace ficus::log {
namespace {

constexpr RecordKind kKind{4};
constexpr std::uint64_t kRecords = 3000;

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/ficus_log_XXXXXX";
    EXPECT_NE(mkdtemp(name), nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string log() const { return path_ + "/shard-0/log"; }

 private:
  std::string path_;
};

std::span<const std::byte> bytes_of(const std::uint64_t& number) {
  return std::as_bytes(std::span(&number, 1));
}

TEST(LogThreads, SyncTruncateAndReadBesideTheWriter) {
  const Folder folder;
  PosixDisk disk;
  const auto recovered = recover(disk, folder.log());
  ASSERT_TRUE(recovered);
  auto log =
      LogWriter::open(disk, folder.log(), *recovered, {.segment_bytes_max = 4096, .salt = 12345})
          .value();
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> seen = 0;
  std::atomic<std::uint64_t> read_position = 0;

  std::thread sync_thread([&] {
    Position last;
    while (!done) {
      const auto synced = log->sync();
      ASSERT_TRUE(synced);
      ASSERT_GE(*synced, last);
      last = *synced;
      std::this_thread::yield();
    }
  });
  std::thread read_thread([&] {
    const auto reader = LogReader::open(disk, folder.log(), {}, {}).value();
    while (seen < kRecords) {
      reader->extend(log->durable_end());
      const auto record = reader->next();
      ASSERT_TRUE(record) << record.error().message;
      if (*record == nullptr) {
        std::this_thread::yield();
        continue;
      }
      std::uint64_t number = 0;
      ASSERT_EQ((*record)->payload.size(), sizeof number);
      std::memcpy(&number, (*record)->payload.data(), sizeof number);
      ASSERT_EQ(number, seen);
      read_position = reader->position().offset;
      ++seen;
    }
  });
  std::thread truncate_thread([&] {
    while (!done) {
      ASSERT_TRUE(log->truncate_before({read_position.load()}));
      ASSERT_LE(log->begin(), log->durable_end());
      std::this_thread::yield();
    }
  });
  for (std::uint64_t i = 0; i < kRecords; ++i) {
    ASSERT_TRUE(log->append(kKind, {}, bytes_of(i)));
    if (i % 7 == 0) {
      ASSERT_TRUE(log->write());
    }
  }
  ASSERT_TRUE(log->close({}));
  read_thread.join();
  done = true;
  sync_thread.join();
  truncate_thread.join();
  EXPECT_EQ(seen, kRecords);
  EXPECT_EQ(log->durable_end(), log->end());
  ASSERT_TRUE(log->truncate_before(log->end()));
  const Position end = log->end();
  log.reset();
  const CheckReport report = check(disk, folder.log());
  EXPECT_TRUE(report.sound());
  EXPECT_EQ(report.end, end);
  EXPECT_LE(report.segments, 2U);
}

TEST(LogThreads, ARealDiskRecoversAndKeepsSnapshots) {
  const Folder folder;
  PosixDisk disk;
  Position end;
  for (std::uint64_t round = 0; round < 3; ++round) {
    const auto recovered = recover(disk, folder.log(), {.known_durable = end});
    ASSERT_TRUE(recovered) << recovered.error().message;
    EXPECT_EQ(recovered->end, end);
    const auto log = LogWriter::open(disk, folder.log(), *recovered, {.segment_bytes_max = 200});
    ASSERT_TRUE(log);
    for (std::uint64_t i = 0; i < 10; ++i) {
      ASSERT_TRUE((*log)->append(kKind, {}, bytes_of(i)));
      ASSERT_TRUE((*log)->write());
    }
    ASSERT_TRUE((*log)->sync());
    end = (*log)->durable_end();
    const auto snapshot = SnapshotWriter::create(disk, folder.log(), end);
    ASSERT_TRUE(snapshot);
    ASSERT_TRUE((*snapshot)->begin_section("round"));
    ASSERT_TRUE((*snapshot)->append(bytes_of(round)));
    ASSERT_TRUE((*snapshot)->finish());
    ASSERT_TRUE((*log)->append(kKind, {}, bytes_of(round)));
    ASSERT_TRUE((*log)->write());
    end = (*log)->written_end();  // what a kill -9 leaves
  }
  // A tail torn by hand.
  const auto last = recover(disk, folder.log())->segments.back();
  const auto file = disk.open(segment_path(folder.log(), last), OpenMode::append);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->append(bytes_of(std::uint64_t{7})));
  EXPECT_EQ(check(disk, folder.log()).torn_bytes, 8U);
  const auto recovered = recover(disk, folder.log());
  ASSERT_TRUE(recovered);
  EXPECT_EQ(recovered->bytes_cut, 8U);
  EXPECT_EQ(recovered->end, end);
  const auto kept = remove_old_snapshots(disk, folder.log());
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->removed, 1U);
  EXPECT_NE(find_newest_snapshot(disk, folder.log())->newest, nullptr);
  EXPECT_FALSE(check(disk, folder.log() + "/missing").sound());
}

}  // namespace
}  // namespace ficus::log
