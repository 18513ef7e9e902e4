#include "engine/intake.h"

#include <gtest/gtest.h>

#include <string>

#include "base/memory_disk.h"

namespace ficus {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

class IntakeTest : public ::testing::Test {
 protected:
  IntakeTest() { disk_.set_capacity(100 * kMiB); }
  ~IntakeTest() override { std::fclose(log_); }

  void use(std::uint64_t mib) {
    const auto file = disk_.open("data/filler", OpenMode::create);
    ASSERT_TRUE(file);
    const std::string bytes(mib * kMiB, 'x');
    ASSERT_TRUE((*file)->append(std::as_bytes(std::span(bytes))));
    intake_.look();
  }
  std::size_t lines_logged() {
    std::fflush(log_);
    std::fseek(log_, 0, SEEK_SET);
    std::size_t lines = 0;
    for (int c = 0; (c = std::fgetc(log_)) != EOF;) lines += c == '\n' ? 1 : 0;
    return lines;
  }

  MemoryDisk disk_;
  ManualClock clock_{Timestamp{1'700'000'000'000'000}};
  std::FILE* log_ = std::tmpfile();
  Logger logger_{clock_, log_, LogLevel::info};
  Intake intake_{disk_, clock_, logger_, {.directory = "data", .reserve_bytes = 16 * kMiB}};
};

TEST_F(IntakeTest, ClosesBeforeTheReserveIsTouchedAndOpensWhenRoomIsClearlyBack) {
  use(80);
  EXPECT_TRUE(intake_.is_open());
  EXPECT_FALSE(intake_.refusal());
  use(85);
  EXPECT_FALSE(intake_.is_open());
  ASSERT_TRUE(intake_.refusal());
  EXPECT_EQ(intake_.refusal()->code, ErrorCode::disk_full);
  EXPECT_TRUE(intake_.refusal()->message.contains("data is full: 15 MiB are free, 16 MiB"))
      << intake_.refusal()->message;
  use(83);  // one byte above the reserve is not clearly back
  EXPECT_FALSE(intake_.is_open());
  use(80);
  EXPECT_TRUE(intake_.is_open());
  EXPECT_EQ(intake_.times_closed(), 1U);
  EXPECT_EQ(lines_logged(), 2U);
}

TEST_F(IntakeTest, SwingingIsNotLoggedEachTime) {
  for (int i = 0; i < 20; ++i) {
    use(90);
    use(10);
    clock_.advance(Micros::from_seconds(1));
  }
  EXPECT_EQ(intake_.times_closed(), 20U);
  EXPECT_EQ(lines_logged(), 2U);
  clock_.advance(Micros::from_seconds(30));
  use(90);
  EXPECT_EQ(lines_logged(), 3U);
}

TEST_F(IntakeTest, ALogThatCannotBeWrittenClosesItWhateverTheDiskSays) {
  intake_.look();
  intake_.log_failed("log/shard-0", {ErrorCode::disk_full, "quota"});
  intake_.log_failed("log/broker", {ErrorCode::disk_full, "quota"});
  intake_.look();
  EXPECT_EQ(intake_.refusal()->code, ErrorCode::disk_full);
  intake_.log_works("log/shard-0");
  EXPECT_FALSE(intake_.is_open());
  intake_.log_works("log/broker");
  EXPECT_TRUE(intake_.is_open());
  intake_.log_failed("log/shard-0#sync", {ErrorCode::unavailable, "restart to recover"});
  EXPECT_EQ(intake_.refusal()->code, ErrorCode::unavailable);
  EXPECT_TRUE(intake_.refusal()->message.contains("restart to recover"));
  intake_.log_works("log/shard-0");
  EXPECT_FALSE(intake_.is_open());
}

}  // namespace
}  // namespace ficus
