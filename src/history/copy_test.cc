#include <gtest/gtest.h>

#include <filesystem>

#include "history/history_test_support.h"
#include "history/history_testing.h"

namespace ficus::history {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

constexpr Timestamp kLater = Timestamp::from_seconds(1'000'000);
const char* const kEverything =
    "SELECT md5(string_agg(v::VARCHAR, '|' ORDER BY v::VARCHAR)), count(*) FROM (SELECT v FROM "
    "Vehicle v)";

// One sealed file, rows in the database, and rows that only its log has.
class Copy : public testing::Test {
 protected:
  Copy() {
    city.close();
    city.options.tail_rows_max = 10;
    city.open();
    give(1);
    sealed = city.maintain(kLater).sealed;
    city.close();
    city.options.tail_rows_max = 1'000'000;
    city.open();
    give(2);
    city.close();
    city.open();
    give(3);
    before = city.rows(kEverything);
    fs::create_directories(target);
  }
  void give(int record) {
    city.append(city.vehicles(record * 100, 100));
    city.commit(static_cast<std::uint64_t>(record));
  }
  // What the copy answers when it is opened.
  Lines answer_of_copy(const std::vector<FinishedFile>& files) {
    for (const FinishedFile& file : files) {
      fs::create_directories(fs::path(target + "/" + file.file).parent_path());
      fs::copy(city.options.directory + "/" + file.file, target + "/" + file.file);
      EXPECT_EQ(fs::file_size(target + "/" + file.file), file.bytes);
    }
    TestCity restored;
    restored.close();
    fs::remove_all(restored.options.directory);
    fs::copy(target, restored.options.directory, fs::copy_options::recursive);
    restored.open();
    EXPECT_TRUE(restored.open_report.is_empty());
    EXPECT_EQ(restored.history->positions().value(), std::vector<std::uint64_t>{3});
    return restored.rows(kEverything);
  }

  TestCity city;
  Lines sealed;
  Lines before;
  const std::string target = city.folder.path() + "/copy";
};

TEST_F(Copy, HasEverythingThatWasCommitted) {
  const auto files = city.history->copy_database(target);
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 1U);
  EXPECT_EQ(files->at(0).file, sealed.at(0));
  EXPECT_TRUE(fs::exists(target + "/history.duckdb.wal"));
  give(4);  // the one that is copied goes on
  EXPECT_EQ(answer_of_copy(*files), before);
  EXPECT_NE(city.rows(kEverything), before);
  // Once more, into another folder.
  const std::string again = city.folder.path() + "/again";
  fs::create_directories(again);
  EXPECT_TRUE(city.history->copy_database(again));
}

TEST_F(Copy, WithoutALogIsWholeToo) {
  city.close();
  city.options.checkpoint_bytes = 1;
  city.options.tail_age_max = Micros::from_hours(1'000'000);
  city.open();
  city.maintain(kLater);  // writes the log into the database
  ASSERT_FALSE(fs::exists(city.options.directory + "/history.duckdb.wal"));
  const auto files = city.history->copy_database(target);
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_FALSE(fs::exists(target + "/history.duckdb.wal"));
  EXPECT_EQ(answer_of_copy(*files), before);
}

TEST_F(Copy, ADiskThatFailsIsAnErrorAndHarmsNothing) {
  int failures = 0;
  for (std::size_t i = 0;; ++i) {
    city.disk.fail_from(i);
    const auto files = city.history->copy_database(target);
    const bool has_failed = city.disk.calls().size() > i;
    city.disk.set_fault(nullptr);
    EXPECT_EQ(files.has_value(), !has_failed) << i;
    if (!has_failed) {
      EXPECT_EQ(answer_of_copy(*files), before);
      break;
    }
    EXPECT_TRUE(files.error().message.ends_with("the disk fails")) << files.error().message;
    ++failures;
  }
  EXPECT_GE(failures, 8);
  EXPECT_EQ(city.rows(kEverything), before);
  EXPECT_FALSE(city.history->copy_database(city.folder.path() + "/there/is/none"));
}

TEST(HistoryWithoutFiles, CannotBeCopied) {
  class Empty final : public UnaskedHistory {
   public:
    Result<std::vector<std::uint64_t>> positions() override { return {}; }
    Status append(Rows) override { return {}; }
    Status append_quarantine(std::string_view, Timestamp,
                             std::span<const QuarantinedItem>) override {
      return {};
    }
    Status commit(std::span<const std::uint64_t>) override { return {}; }
  } history;
  EXPECT_EQ(history.copy_database("/x").error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace ficus::history
