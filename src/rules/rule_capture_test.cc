#include "rules/rule_capture.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "rules/testing/fake_twin.h"

namespace ficus::rules {
namespace {

using testing::FakeTwin;
using testing::Reading;

constexpr const char* kRules =
    "CREATE RULE a AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '60 s');"
    "CREATE RULE b AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE held(x > 5, INTERVAL '5 s') "
    "OR held(x < 0, INTERVAL '9 s') OR held(x > 1000, INTERVAL '9 s');"
    "CREATE RULE c AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE x > 8;"
    "CREATE RULE d AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE x > 1000;"
    "CREATE RULE e AS INSERT INTO Alert (v) SELECT x FROM Other WHERE absent(INTERVAL '20 s') AND "
    "absent(INTERVAL '30 s');";

class RuleCaptureTest : public ::testing::Test {
 protected:
  RuleCaptureTest() : twin_(schema_) {
    for (const char* name : {"Probe", "Other"}) {
      const TypeId type = *schema_.intern_type(name);
      EXPECT_TRUE(schema_.intern_attribute(type, "x", ValueKind::number));
    }
  }
  RuleBook compile(std::string_view text) {
    auto book = RuleBook::compile(text, "r.sql", schema_, zones_);
    EXPECT_TRUE(book) << book.error().message;
    return *std::move(book);
  }
  // Time passes, or something is heard; now and then the clock is set back.
  void step(RuleBook& book, int entities) {
    if (random_.chance(0.02)) now_ -= 1000;
    now_ += static_cast<std::int64_t>(random_.below(8));
    emissions_.clear();
    book.advance(Timestamp::from_seconds(now_), SIZE_MAX, twin_, emissions_);
    const char* const type = random_.chance(0.8) ? "Probe" : "Other";
    std::vector<Reading> readings;
    for (std::uint64_t left = random_.below(5); left > 0; --left) {
      const auto number = random_.below(static_cast<std::uint64_t>(entities));
      readings.push_back({type,
                          fmt::format("{}{}", type, number),
                          Timestamp::from_seconds(now_),
                          {{"x", Value::number(random_.between(-5, 12))}}});
    }
    if (readings.empty()) return;
    twin_.observe(readings, Timestamp::from_seconds(now_), book, emissions_);
  }
  static std::string encoded(const RuleBook& book) {
    std::string bytes;
    book.encode(bytes);
    return bytes;
  }

  Schema schema_;
  ZoneSet zones_;
  FakeTwin twin_;
  Random random_{7};
  std::int64_t now_ = 100'000;
  std::vector<Emission> emissions_;
};

TEST_F(RuleCaptureTest, IsTheStateAtItsBegin) {
  RuleBook book = compile(kRules);
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 20; ++i) step(book, 20 + round * 5);
    const std::string wanted = encoded(book);
    RuleCapture capture(book);
    book.set_capture(&capture);
    for (int i = 0; i < 30 || !capture.is_complete(); ++i) {
      step(book, 40 + round * 5);
      if (i > 20) capture.work(1);
    }
    book.set_capture(nullptr);
    std::string taken;
    capture.encode(taken);
    ASSERT_TRUE(taken == wanted) << "round " << round;
    // And it is one that can be restored.
    RuleBook again = compile(kRules);
    ASSERT_TRUE(again.decode(taken));
    ASSERT_TRUE(encoded(again).size() == wanted.size());
  }
}

// It may outlive the book.
TEST_F(RuleCaptureTest, SharesNothingWhenComplete) {
  std::string wanted;
  std::optional<RuleCapture> capture;
  {
    RuleBook book = compile(kRules);
    for (int i = 0; i < 200; ++i) step(book, 100);
    wanted = encoded(book);
    capture.emplace(book);
    capture->keep_all();
  }
  std::string taken;
  capture->encode(taken);
  EXPECT_TRUE(taken == wanted);
}

TEST_F(RuleCaptureTest, CostsNextToNothingForWhatIsNotTrue) {
  std::string idle;
  for (int i = 0; i < 200; ++i) {
    idle += fmt::format(
        "CREATE RULE r{} AS INSERT INTO Alert (v) SELECT x FROM Probe "
        "WHERE held(x > 1000, INTERVAL '{} s');",
        i, i + 1);
  }
  RuleBook book = compile(idle);
  for (int i = 0; i < 500; ++i) step(book, 500);
  RuleCapture capture(book);
  capture.keep_all();
  EXPECT_LE(capture.memory_bytes(), std::size_t{32} << 10);
  EXPECT_LE(capture.values_done(), 8 * 200U);
}

}  // namespace
}  // namespace ficus::rules
