// What a shard does when there is very much of something at once: no step or turn without bound, no
// record that the log refuses, nothing lost or told twice.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/district_testing.h"

namespace ficus {
namespace {

constexpr const char* kSilent =
    "CREATE RULE silent AS INSERT INTO Alert (severity) SELECT 'low' FROM Vehicle "
    "WHERE absent(INTERVAL '1 minute');";
constexpr const char* kThree =
    "CREATE RULE one AS INSERT INTO Alert (severity) SELECT 'low' FROM Vehicle WHERE speed > 0;"
    "CREATE RULE two AS INSERT INTO Alert (severity) SELECT 'low' FROM Vehicle WHERE speed > 1;"
    "CREATE RULE three AS INSERT INTO Alert (severity) SELECT 'low' FROM Vehicle WHERE speed > 2;";

std::multiset<std::string> ids(int count) {
  std::multiset<std::string> list;
  for (int i = 0; i < count; ++i) list.insert(District::id(i));
  return list;
}

// One record of all these alerts would be above what the log takes.
TEST(ShardBounds, AWholeCityThatFallsSilentAtOnce) {
  constexpr int kCount = 300'000;
  District district(kSilent);
  district.open();
  district.hear(0, kCount);  // all of them at the same moment
  district.work_off();
  EXPECT_EQ(district.acknowledged, 1);
  EXPECT_EQ(district.alert_count(), 0U);
  district.clock.advance(Micros::from_seconds(61));
  district.turn_bytes_max = 0;
  district.turns = 0;
  EXPECT_TRUE(district.turn());
  // What comes in meanwhile has its turn, questions too.
  district.hear(kCount, kCount + 10);
  bool answered = false;
  EXPECT_TRUE(district.shard().ask([&](const ShardState&, const Shard&) { answered = true; }));
  EXPECT_TRUE(district.turn());
  EXPECT_EQ(district.acknowledged, 2);
  EXPECT_TRUE(answered);
  EXPECT_LT(district.alert_count(), 20'000U);
  district.work_off();
  EXPECT_GT(district.turns, kCount / 16'384);
  EXPECT_LT(district.turn_bytes_max, std::uint64_t{16} << 20);
  EXPECT_TRUE(district.about("raised") == ids(kCount));
  const std::string before = district.encoded();
  district.lose_power_and_open();
  EXPECT_TRUE(district.encoded() == before);
  district.work_off();
  EXPECT_EQ(district.alert_count(), static_cast<std::size_t>(kCount));
}

TEST(ShardBounds, ACrashBetweenTwoStepsGoesOnWhereItWas) {
  constexpr int kCount = 3000;
  const auto live = [](int turns_until_crash) {
    District district(kSilent, 500);
    district.open();
    district.hear(0, kCount);
    district.work_off();
    district.clock.advance(Micros::from_seconds(61));
    for (int i = 0; i < turns_until_crash; ++i) (void)district.turn();
    district.lose_power_and_open();
    // A step tells as much of one moment as there is: never fewer, at most a moment more.
    EXPECT_GE(district.alert_count(), 500U * static_cast<unsigned>(turns_until_crash));
    EXPECT_LE(district.alert_count(), 564U * static_cast<unsigned>(turns_until_crash));
    district.work_off();
    EXPECT_TRUE(district.about("raised") == ids(kCount));
    return district.encoded();
  };
  const std::string whole = live(0);
  for (int turns = 1; turns < 5; ++turns) EXPECT_TRUE(live(turns) == whole) << turns;
}

// Whoever speaks before its silence was told: it is told first, and ends then.
TEST(ShardBounds, ASilenceThatEndsBeforeItsTurnIsTold) {
  District district(kSilent, 100);
  district.open();
  district.hear(0, 2000);
  district.work_off();
  district.clock.advance(Micros::from_seconds(61));
  district.hear(1990, 2000);
  EXPECT_TRUE(district.turn());
  EXPECT_LT(district.alert_count(), 500U);
  EXPECT_EQ(district.about("cleared").size(), 10U);
  const std::string before = district.encoded();
  district.lose_power_and_open();
  EXPECT_TRUE(district.encoded() == before);
  district.work_off();
  std::multiset<std::string> told = district.about("raised");
  EXPECT_EQ(told.size(), 1990U);
  EXPECT_EQ(district.about("cleared").size(), 10U);
  told.merge(district.about("cleared"));
  EXPECT_TRUE(told == ids(2000));
}

// Rules that derive more from one step than a record holds.
TEST(ShardBounds, AStepBeyondTheLimitOfARecordIsWrittenInPieces) {
  District district(kThree);
  district.log_options().log.payload_bytes_max = 5000;
  district.log_options().log.buffer_bytes_max = 10'000;
  district.open();
  district.hear(0, 1500);
  district.work_off();
  EXPECT_EQ(district.alert_count(), 4500U);
  // A reload, too: its record carries all that the rules know.
  district.reload(std::string(kThree) + kSilent);
  district.work_off();
  EXPECT_EQ(district.acknowledged, 2);
  const std::string before = district.encoded();
  district.lose_power_and_open();
  EXPECT_TRUE(district.encoded() == before);
}

// A full disk in the middle of such a step: nothing is refused, nothing aborts, all of it is
// written later.
TEST(ShardBounds, AFullDiskAmidAVeryLargeStep) {
  District district(kThree);
  district.log_options().log.payload_bytes_max = 5000;
  district.log_options().log.buffer_bytes_max = 10'000;
  district.open();
  (void)district.turn();
  district.disk.set_capacity(30'000);
  district.hear(0, 1500);
  for (int i = 0; i < 5; ++i) (void)district.turn();
  EXPECT_EQ(district.acknowledged, 0);
  district.disk.set_capacity(UINT64_MAX);
  district.work_off();
  EXPECT_EQ(district.acknowledged, 1);
  const std::string before = district.encoded();
  district.lose_power_and_open();
  EXPECT_TRUE(district.encoded() == before);
}

TEST(ShardBounds, ATurnEndsAfterSomeWork) {
  District district(kThree);
  district.open();
  for (int i = 0; i < 20; ++i) district.hear(i * 1000, (i + 1) * 1000);
  (void)district.turn();
  EXPECT_GT(district.acknowledged, 0);
  EXPECT_LT(district.acknowledged, 10);  // of 3000 alerts each
  // The queue is left alone until what was taken from it is worked off: so its limit is one.
  district.hear(50'000, 50'001);
  (void)district.turn();
  EXPECT_EQ(district.shard().queue().size(), 1U);
  for (int i = 0; i < 10; ++i) (void)district.turn();
  EXPECT_EQ(district.acknowledged, 21);
  EXPECT_EQ(district.alert_count(), 60'003U);
}

// What waits in the shard is worked off before it stops.
TEST(ShardBounds, AStopInTheMiddleOfManyTurnsLosesNothing) {
  District district(kThree);
  district.open();
  for (int i = 0; i < 20; ++i) district.hear(i * 1000, (i + 1) * 1000);
  (void)district.turn();
  district.shard().take_no_more();
  CompletingSink sink;
  while (district.shard().turn({}, sink)) {
  }
  EXPECT_EQ(district.acknowledged, 20);
}

TEST(ShardBounds, TheAlertsOfARuleThatIsGoneAreClearedInSteps) {
  const auto live = [](int turns_until_crash) {
    District district(kThree, 400);
    district.open();
    district.hear(0, 1000);
    district.work_off();
    EXPECT_EQ(district.open_alert_count(), 3000U);
    district.reload(kSilent);
    for (int i = 0; i < turns_until_crash; ++i) {
      (void)district.turn();
      EXPECT_EQ(district.open_alert_count(), 3000U - 400U * static_cast<unsigned>(i + 1));
    }
    if (turns_until_crash > 0) district.lose_power_and_open();
    district.work_off();
    EXPECT_EQ(district.open_alert_count(), 0U);
    EXPECT_EQ(district.about("cleared").size(), 3000U);
    const std::string before = district.encoded();
    district.lose_power_and_open();
    EXPECT_TRUE(district.encoded() == before);
    return before;
  };
  const std::string whole = live(0);
  for (int turns = 1; turns < 5; ++turns) EXPECT_TRUE(live(turns) == whole) << turns;
}

// The rule comes back before all of its alerts were cleared: it watches the rest again.
TEST(ShardBounds, ARuleThatComesBackWhileItsAlertsAreCleared) {
  District district(kThree, 400);
  district.open();
  district.hear(0, 1000);
  district.work_off();
  district.reload(kSilent);
  (void)district.turn();
  district.reload(kThree);
  district.work_off();
  EXPECT_EQ(district.open_alert_count(), 2600U);
  district.clock.advance(Micros::from_seconds(1));
  district.hear(0, 1000);
  district.work_off();
  EXPECT_EQ(district.open_alert_count(), 3000U);
  EXPECT_EQ(district.alert_count(), 3000U);
}

}  // namespace
}  // namespace ficus
