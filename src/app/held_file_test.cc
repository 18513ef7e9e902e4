#include "app/held_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/disk.h"

namespace ficus::app {
namespace {

class HeldFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "ficus-held-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { (void)std::system(("rm -rf '" + folder_ + "'").c_str()); }

  std::string put(const std::string& name, const std::string& text) {
    std::string path = folder_ + "/" + name;
    EXPECT_TRUE(write_file_atomically(disk_, path, std::as_bytes(std::span(text))));
    return path;
  }
  // What is read, or why it is not.
  std::string read(const std::string& name) {
    connect::FilesSource declared;
    declared.folder = folder_;
    declared.names = name;
    connect::FolderReader reader(disk_, declared, {}, hold_file);
    const auto asked = reader.next(Micros{});
    if (!asked || !*asked) return "nothing";
    reader.know((*asked)->file, std::nullopt);
    const auto chunk = reader.next(Micros{});
    std::string text;
    if (chunk && *chunk) {
      for (const auto& item : (*chunk)->items) text += item.bytes;
    }
    for (const std::string& problem : reader.take_problems()) text += problem;
    return text;
  }

  PosixDisk disk_;
  std::string folder_;
};

TEST_F(HeldFileTest, ReadsFilesWhateverTheirName) {
  put("a.csv", "id\n1\n");
  EXPECT_EQ(read("a.csv"), R"({"id":1})");
  put("[ab]*?.csv", "id\n2\n");
  EXPECT_EQ(read("[ab]*?.csv"), R"({"id":2})");
}

TEST_F(HeldFileTest, RefusesWhatIsNoFileOfTheFolder) {
  ASSERT_EQ(::symlink("/etc/passwd", (folder_ + "/link.csv").c_str()), 0);
  EXPECT_EQ(read("link.csv"),
            "link.csv: it is a symbolic link, which is not followed: put the file itself there");
  ASSERT_EQ(::mkfifo((folder_ + "/pipe.csv").c_str(), 0600), 0);
  EXPECT_EQ(read("pipe.csv"), "pipe.csv: it is a pipe: expected a regular file");
  ASSERT_EQ(::mkdir((folder_ + "/folder.csv").c_str(), 0700), 0);
  EXPECT_EQ(read("folder.csv"), "folder.csv: it is a folder: expected a regular file");
  EXPECT_EQ(hold_file("/dev/null").error().message, "it is a device: expected a regular file");
  EXPECT_EQ(hold_file(folder_ + "/missing").error().code, ErrorCode::not_found);
}

TEST_F(HeldFileTest, StaysTheSameFileWhenItsNameIsGivenToAnother) {
  const std::string path = put("a.csv", "first");
  const auto held = hold_file(path);
  ASSERT_TRUE(held) << held.error().message;
  put("a.csv", "second");
  EXPECT_EQ(*read_file(disk_, (*held)->path(), 100), "first");
}

}  // namespace
}  // namespace ficus::app
