#include "base/disk.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/memory_disk.h"

namespace ficus {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

void exercise(Disk& disk, const std::string& root) {
  ASSERT_TRUE(disk.make_directories(root + "/a/b"));
  const std::string path = root + "/a/b/file";
  auto file = disk.open(path, OpenMode::append);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->append(bytes_of("hello ")));
  ASSERT_TRUE((*file)->append(bytes_of("world")));
  ASSERT_TRUE((*file)->sync());
  ASSERT_TRUE((*file)->truncate(8));
  ASSERT_TRUE((*file)->append(bytes_of("!")));
  EXPECT_EQ(read_file(disk, path, 100), "hello wo!");
  EXPECT_EQ(read_file(disk, path, 3).error().code, ErrorCode::invalid_input);
  ASSERT_TRUE(write_file_atomically(disk, path, bytes_of("new")));
  EXPECT_EQ(read_file(disk, path, 100), "new");
  EXPECT_EQ(disk.list(root + "/a/b"), std::vector<std::string>{"file"});
  ASSERT_TRUE(disk.remove(path));
  EXPECT_FALSE(disk.exists(path));
  EXPECT_EQ(disk.open(path, OpenMode::read).error().code, ErrorCode::not_found);
}

TEST(Disk, Posix) {
  char root[] = "/tmp/ficus_disk_XXXXXX";
  ASSERT_NE(mkdtemp(root), nullptr);
  PosixDisk disk;
  exercise(disk, root);
  const std::string file = root + std::string("/file");
  ASSERT_TRUE(write_file_atomically(disk, file, bytes_of("x")));
  EXPECT_EQ(disk.list(file).error().code, ErrorCode::not_found);
  EXPECT_EQ(disk.list(file + "/none").error().code, ErrorCode::not_found);
}

TEST(Disk, Memory) {
  MemoryDisk disk;
  exercise(disk, "/root");
}

TEST(MemoryDisk, ForgetsWhatWasNotSynced) {
  MemoryDisk disk;
  auto file = disk.open("/f", OpenMode::append);
  ASSERT_TRUE((*file)->append(bytes_of("kept")));
  ASSERT_TRUE((*file)->sync());
  ASSERT_TRUE((*file)->append(bytes_of("lost")));
  disk.lose_unsynced(1);
  EXPECT_EQ(disk.content("/f"), "keptl");
  disk.set_capacity(6);
  EXPECT_EQ((*file)->append(bytes_of("xyz")).error().code, ErrorCode::disk_full);
}

}  // namespace
}  // namespace ficus
