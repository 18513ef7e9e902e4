#include "app/backup_set.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/disk.h"
#include "log/log_writer.h"
#include "log/recover.h"
#include "log/snapshot.h"

namespace ficus::app {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

class BackupSetTest : public ::testing::Test {
 protected:
  BackupSetTest() {
    root_ = std::filesystem::path(::testing::TempDir()) /
            ("backup_set_" +
             std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  ~BackupSetTest() override { std::filesystem::remove_all(root_); }
  std::string path(const char* name) const { return (root_ / name).string(); }
  void write(const std::string& file, std::string_view text) {
    ASSERT_TRUE(disk_.make_directories(parent_directory(file)));
    ASSERT_TRUE(write_file_atomically(disk_, file, bytes_of(text)));
  }
  // A log of several segments with a snapshot in the middle, backed up to where it then ends.
  void make_backup() {
    const std::string directory = path("data/log/shard-0");
    const auto recovered = log::recover(disk_, directory);
    ASSERT_TRUE(recovered);
    const auto log = log::LogWriter::open(disk_, directory, *recovered, {.segment_bytes_max = 300});
    ASSERT_TRUE(log);
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE((*log)->append(log::RecordKind{1}, {i}, bytes_of("a fact of some length")));
      ASSERT_TRUE((*log)->write());
      ASSERT_TRUE((*log)->sync());
      if (i != 20) continue;
      const auto snapshot = log::SnapshotWriter::create(disk_, directory, (*log)->durable_end());
      ASSERT_TRUE(snapshot);
      ASSERT_TRUE((*snapshot)->begin_section("s"));
      ASSERT_TRUE((*snapshot)->append(bytes_of("state")));
      ASSERT_TRUE((*snapshot)->finish());
    }
    const std::uint64_t position = (*log)->durable_end().offset;
    ASSERT_TRUE((*log)->append(log::RecordKind{1}, {99}, bytes_of("after the backup began")));
    ASSERT_TRUE((*log)->write());
    write(path("data/shards"), "1\n");
    BackupCopy copy(disk_, path("copy"), progress_);
    ASSERT_TRUE(copy.copy(path("data/shards"), "shards"));
    ASSERT_TRUE(copy.copy_log(directory, "log/shard-0", position));
    manifest_ = {
        .version = "1", .began_at = {5}, .logs = {{"shard-0", position}}, .files = copy.files()};
    write(path("copy/backup.json"), manifest_.encode());
  }

  std::filesystem::path root_;
  PosixDisk disk_;
  CopyProgress progress_;
  BackupManifest manifest_;
};

TEST_F(BackupSetTest, RestoresWhatWasDurable) {
  make_backup();
  const auto verified = verify_backup(disk_, path("copy"), progress_);
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(*verified, manifest_);
  const auto restored = restore_backup(disk_, path("copy"), path("new"), progress_);
  ASSERT_TRUE(restored) << restored.error().message;
  const auto recovered = log::recover(disk_, path("new/log/shard-0"));
  ASSERT_TRUE(recovered);
  EXPECT_EQ(recovered->end.offset, manifest_.logs[0].position);
  EXPECT_GT(recovered->segments.size(), 3U);
  EXPECT_EQ(restore_backup(disk_, path("copy"), path("new"), progress_).error().code,
            ErrorCode::conflict);
}

TEST_F(BackupSetTest, EveryDamagedFileIsNamed) {
  make_backup();
  for (const BackupFile& file : manifest_.files) {
    const std::string damaged = path("copy/") + file.file;
    const std::string good = *read_file(disk_, damaged, 1 << 20);
    std::string bad = good;
    bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 4);
    write(damaged, bad);
    const auto verified = verify_backup(disk_, path("copy"), progress_);
    ASSERT_FALSE(verified) << file.file;
    EXPECT_TRUE(verified.error().message.contains(file.file)) << verified.error().message;
    EXPECT_FALSE(restore_backup(disk_, path("copy"), path("new"), progress_));
    EXPECT_FALSE(disk_.exists(path("new")));
    std::filesystem::remove_all(path("new.restoring"));
    write(damaged, good);
  }
  EXPECT_TRUE(verify_backup(disk_, path("copy"), progress_));
  progress_.stop = true;
  EXPECT_FALSE(verify_backup(disk_, path("copy"), progress_));
}

TEST_F(BackupSetTest, ManifestsAreReadWithCare) {
  make_backup();
  const std::string text = manifest_.encode();
  EXPECT_EQ(*BackupManifest::decode(text), manifest_);
  for (std::size_t length = 0; length < text.size(); ++length) {
    ASSERT_FALSE(BackupManifest::decode(text.substr(0, length)));
  }
  for (const char* file :
       {"../shards", "/etc/passwd", "a//b", "a/./b", "", "backup.json", "a/.."}) {
    BackupManifest hostile = manifest_;
    hostile.files.push_back({.file = file});
    EXPECT_FALSE(BackupManifest::decode(hostile.encode())) << file;
  }
  BackupManifest hostile = manifest_;
  hostile.logs[0].log = "../x";
  EXPECT_FALSE(BackupManifest::decode(hostile.encode()));
}

}  // namespace
}  // namespace ficus::app
