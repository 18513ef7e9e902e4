// A shard's snapshot is gathered in shares while the shard goes on: whatever happens meanwhile, it
// is the state at its position.
#include <gtest/gtest.h>

#include "engine/district_testing.h"
#include "log/snapshot.h"

namespace ficus {
namespace {

constexpr const char* kRules =
    "CREATE RULE fast AS INSERT INTO Alert (severity) SELECT 'high' FROM Vehicle WHERE speed > 60;"
    "CREATE RULE long AS INSERT INTO Alert (severity) SELECT 'low' FROM Vehicle "
    "WHERE held(speed > 20, INTERVAL '5 seconds');"
    "CREATE RULE silent AS INSERT INTO Alert (severity) SELECT 'low' FROM Vehicle "
    "WHERE absent(INTERVAL '1 minute');";
constexpr const char* kOtherRules =
    "CREATE RULE fast AS INSERT INTO Alert (severity) SELECT 'high' FROM Vehicle WHERE speed > 10;";
constexpr int kVehicles = 400;

class ShardSnapshot : public ::testing::Test {
 protected:
  ShardSnapshot() {
    // Always due, in the smallest shares.
    district_.log_options().snapshot_every_bytes = 1;
    district_.log_options().snapshot_values_a_turn = 1;
    district_.open();
    district_.hear(0, kVehicles, 70);
    for (int second = 0; second < 10; ++second) pass(1);
  }

  void pass(std::int64_t seconds) {
    district_.clock.advance(Micros::from_seconds(seconds));
    (void)district_.turn();
  }
  log::Position newest() { return district_.shard().log().last_snapshot(); }
  // Until this snapshot, or a newer one, is there: turns, and history's own thread.
  void wait_for(log::Position position) {
    while (newest() < position) (void)district_.turn();
  }
  // Turns until one has just begun: from here on the state differs from it.
  log::Position begin_snapshot() {
    while (district_.shard().is_taking_snapshot()) (void)district_.turn();
    while (!district_.shard().is_taking_snapshot()) {
      if (district_.shard().queue().size() == 0) district_.hear(0, 1, next_speed());
      (void)district_.turn();
    }
    return district_.shard().log().facts_end();
  }
  double next_speed() { return speed_ += 0.25; }
  std::string stored(log::Position position) {
    auto reader = log::SnapshotReader::open(district_.disk, log::snapshot_path("log", position));
    EXPECT_TRUE(reader) << reader.error().message;
    if (!reader) return {};
    const auto sections = read_sections(**reader);
    EXPECT_TRUE(sections);
    std::string all;
    for (const auto& [name, bytes] : *sections) all += name + bytes;
    return all;
  }
  // What is there is what was live, after a power loss.
  void expect_survives() {
    const std::string live = district_.encoded();
    district_.lose_power_and_open();
    EXPECT_TRUE(district_.encoded() == live);
  }

  District district_{kRules};
  double speed_ = 100;
};

TEST_F(ShardSnapshot, IsTheStateAtItsPositionWhateverIsHeardMeanwhile) {
  for (int round = 0; round < 3; ++round) {
    const log::Position position = begin_snapshot();
    const std::string wanted = district_.encoded();
    int turns = 0;
    for (; district_.shard().is_taking_snapshot(); ++turns) {
      district_.hear(turns % kVehicles, turns % kVehicles + 7, next_speed());      // known ones
      district_.hear(1000 * (round + 1) + turns, 1000 * (round + 1) + turns + 1);  // a new one
      (void)district_.turn();
      // However much is written meanwhile, it stays one snapshot.
      EXPECT_LE(newest(), position);
    }
    EXPECT_GT(turns, 10);
    wait_for(position);
    EXPECT_EQ(newest(), position);
    EXPECT_TRUE(stored(position) == wanted) << "round " << round;
    expect_survives();
  }
}

// Silences, alerts and their ends.
TEST_F(ShardSnapshot, IsTheStateAtItsPositionThoughTimePasses) {
  const log::Position position = begin_snapshot();
  const std::string wanted = district_.encoded();
  const std::size_t alerts = district_.alert_count();
  for (int turn = 0; district_.shard().is_taking_snapshot(); ++turn) {
    if (turn % 3 == 1) district_.hear(turn, turn + 3, 10);  // who is slow, or no longer silent
    pass(turn == 3 ? 70 : 1);
  }
  EXPECT_GT(district_.alert_count(), alerts);
  wait_for(position);
  EXPECT_TRUE(stored(position) == wanted);
  expect_survives();
}

TEST_F(ShardSnapshot, IsTheStateAtItsPositionThoughRulesAreReloaded) {
  const log::Position position = begin_snapshot();
  const std::string wanted = district_.encoded();
  for (int turn = 0; district_.shard().is_taking_snapshot(); ++turn) {
    if (turn == 2) district_.reload(kOtherRules);
    if (turn == 5) district_.reload(kRules);
    district_.hear(turn, turn + 3, next_speed());
    pass(1);
  }
  wait_for(position);
  EXPECT_TRUE(stored(position) == wanted);
  expect_survives();
}

TEST_F(ShardSnapshot, OfWhichAPowerLossLeavesNothing) {
  const log::Position position = begin_snapshot();
  const log::Position before = newest();
  for (int turn = 0; turn < 5; ++turn) {
    district_.hear(turn, turn + 3, next_speed());
    (void)district_.turn();
  }
  ASSERT_TRUE(district_.shard().is_taking_snapshot());
  expect_survives();
  EXPECT_EQ(newest(), before);
  EXPECT_FALSE(log::SnapshotReader::open(district_.disk, log::snapshot_path("log", position)));
}

TEST_F(ShardSnapshot, UnderWayIsGivenUpForANewerOneAtTheEnd) {
  const log::Position position = begin_snapshot();
  district_.hear(3, 90, next_speed());
  (void)district_.turn();
  ASSERT_TRUE(district_.shard().is_taking_snapshot());
  district_.hear(90, 200, next_speed());
  district_.stop();
  EXPECT_GT(newest(), position);
  EXPECT_EQ(newest(), district_.shard().log().facts_end());
  const std::string live = district_.encoded();
  EXPECT_TRUE(stored(newest()) == live);
  district_.open();
  EXPECT_TRUE(district_.encoded() == live);
}

// A disk without room: senders wait, the snapshot is gathered all the same, and neither gets into
// the other's way.
TEST_F(ShardSnapshot, OnAFullDiskIsGatheredAndWrittenWhenThereIsRoom) {
  const log::Position position = begin_snapshot();
  const std::string wanted = district_.encoded();
  district_.disk.set_capacity(0);
  const int acknowledged = district_.acknowledged;
  district_.hear(0, 50, next_speed());
  while (district_.shard().is_taking_snapshot()) (void)district_.turn();
  EXPECT_EQ(district_.acknowledged, acknowledged);
  EXPECT_LT(newest(), position);
  district_.disk.set_capacity(UINT64_MAX);
  while (district_.acknowledged == acknowledged) (void)district_.turn();
  // It was tried on the full disk, perhaps; then the next one, due once more is heard, is written.
  while (newest() < position) {
    district_.hear(0, 1, next_speed());
    (void)district_.turn();
  }
  district_.work_off();
  if (newest() == position) {
    EXPECT_TRUE(stored(position) == wanted);
  }
  expect_survives();
}

}  // namespace
}  // namespace ficus
