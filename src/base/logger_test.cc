#include "base/logger.h"

#include <gtest/gtest.h>

namespace ficus {
namespace {

// What was written to a file in memory, by lines.
class LoggerTest : public ::testing::Test {
 protected:
  LoggerTest() : file_(open_memstream(&text_, &size_)) {}
  ~LoggerTest() override {
    std::fclose(file_);
    std::free(text_);
  }
  std::vector<std::string> lines() {
    std::fflush(file_);
    std::vector<std::string> list;
    std::string_view rest(text_, size_);
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      list.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    return list;
  }

  ManualClock clock_{Timestamp::from_seconds(1'790'000'000)};
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* file_;
};

TEST_F(LoggerTest, WritesLogfmtAndJson) {
  Logger logger(clock_, file_, LogLevel::info);
  logger.debug("mqtt", "not wanted");
  logger.info("mqtt", "client connected",
              {{"client", "pump-7"}, {"forged", "a\nlevel=error \"x\""}});
  logger.set_options({.format = LogFormat::json, .interval = Micros::from_seconds(10)});
  logger.warning("log", "slow", {{"bytes", "\x01"}});
  EXPECT_EQ(lines(),
            (std::vector<std::string>{
                R"(time=2026-09-21T14:13:20Z level=info room=mqtt message="client connected" )"
                R"(client=pump-7 forged="a\nlevel=error \"x\"")",
                R"({"time":"2026-09-21T14:13:20Z","level":"warning","room":"log",)"
                R"("message":"slow","bytes":"\u0001"})"}));
}

TEST_F(LoggerTest, NeverWritesWhatItsKeyCallsASecret) {
  Logger logger(clock_, file_, LogLevel::info);
  logger.info("access", "a", {{"userPassword", "hunter2"}, {"access_token", "t"}, {"user", "lin"}});
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_TRUE(lines()[0].ends_with("userPassword=*** access_token=*** user=lin")) << lines()[0];
}

TEST_F(LoggerTest, CountsWhatRepeatsTooOften) {
  Logger logger(clock_, file_, LogLevel::info,
                {.burst_lines = 3, .interval = Micros::from_seconds(10)});
  for (int i = 0; i < 10; ++i) logger.warning("net", "refused");
  logger.info("net", "another");  // has a limit of its own
  EXPECT_EQ(lines().size(), 4U);
  clock_.advance(Micros::from_seconds(10));
  logger.info("main", "something else");
  ASSERT_EQ(lines().size(), 6U);
  EXPECT_NE(lines()[4].find(R"(level=warning room=net message="... repeated 7 times: refused")"),
            std::string::npos)
      << lines()[4];
  logger.warning("net", "refused");
  EXPECT_EQ(lines().size(), 7U);
}

TEST_F(LoggerTest, SaysAtItsEndWhatItHeldBack) {
  {
    Logger logger(clock_, file_, LogLevel::info,
                  {.burst_lines = 1, .interval = Micros::from_seconds(10)});
    for (int i = 0; i < 3; ++i) logger.error("net", "x");
  }
  ASSERT_EQ(lines().size(), 2U);
  EXPECT_NE(lines()[1].find("repeated=2"), std::string::npos);
}

TEST_F(LoggerTest, HasPrioritiesForTheJournal) {
  Logger logger(clock_, file_, LogLevel::debug, {.has_priorities = true});
  logger.error("log", "x");
  logger.debug("log", "y");
  EXPECT_TRUE(lines()[0].starts_with("<3>time="));
  EXPECT_TRUE(lines()[1].starts_with("<7>time="));
}

TEST_F(LoggerTest, RemembersTheNewestWarningsAndErrors) {
  Logger logger(clock_, file_, LogLevel::info, {.burst_lines = 0});
  logger.info("a", "fine");
  for (int i = 0; i < 30; ++i) logger.error("a", "bad", {{"number", std::to_string(i)}});
  const auto recent = logger.recent();
  ASSERT_EQ(recent.size(), 20U);
  EXPECT_TRUE(recent.back().line.ends_with("number=29"));
  EXPECT_EQ(recent.front().level, LogLevel::error);
}

}  // namespace
}  // namespace ficus
