// Of the simulation itself: its disk loses what it may lose and no more, its faults are taken back,
// its runs repeat.

#include <gtest/gtest.h>

#include <algorithm>

#include "base/planted.h"
#include "shrink.h"
#include "sim_disk.h"
#include "world.h"

namespace ficus::sim {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(SimDisk, APowerLossKeepsWhatWasSynced) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    ManualClock clock({});
    SimDisk disk(clock);
    Random random(seed);
    const std::string synced(700, 's');
    {
      const auto file = *disk.open("/a/1.log", OpenMode::create);
      ASSERT_TRUE(file->append(bytes_of(synced)));
      ASSERT_TRUE(file->sync());
      ASSERT_TRUE(disk.sync_directory("/a"));
      ASSERT_TRUE(file->append(bytes_of(std::string(2000, 'u'))));
    }
    disk.die_now();
    EXPECT_FALSE(disk.open("/a/1.log", OpenMode::read));
    disk.revive(Death::power_loss, random);
    const auto content = read_file(disk, "/a/1.log", 10'000);
    ASSERT_TRUE(content);
    EXPECT_TRUE(content->starts_with(synced));
  }
}

TEST(SimDisk, DiesInsideAnIo) {
  ManualClock clock({});
  SimDisk disk(clock);
  Random random(1);
  const auto file = *disk.open("/a/1.log", OpenMode::create);
  disk.die_at(1);
  EXPECT_TRUE(file->append(bytes_of("one")));
  EXPECT_FALSE(file->append(bytes_of("two")));
  EXPECT_TRUE(disk.was_killed());
  disk.revive(Death::kill, random);
  EXPECT_TRUE(read_file(disk, "/a/1.log", 100)->starts_with("one"));
}

TEST(Shrink, LeavesNothingThatIsNotNeeded) {
  for (const std::vector<std::size_t>& needed :
       {std::vector<std::size_t>{}, {0}, {22}, {3, 17}, {0, 1, 2}, {4, 9, 13, 22}}) {
    const std::vector<std::size_t> found =
        smallest(23, [&](const std::vector<std::size_t>& faults) {
          return std::ranges::includes(faults, needed);
        });
    EXPECT_EQ(found, needed);
  }
}

#ifdef FICUS_PLANTED_BUGS
// On a bug that shows only when the machine dies at the right moment.
TEST(Shrink, ARealFailureIsReplayedByTheFaultsItNeeds) {
  plant("answer_before_engine");
  std::uint64_t seed = 0;
  RunResult failed;
  while (seed < 200 && failed.report.is_sound()) {
    failed = World({.seed = ++seed, .only = std::nullopt}).run();
  }
  ASSERT_FALSE(failed.report.is_sound());
  ASSERT_GT(failed.plan.size(), 3U);
  const std::vector<std::size_t> needed = shrink(seed, failed);
  const auto fails = [&](const std::vector<std::size_t>& faults) {
    return !World({.seed = seed, .only = faults}).run().report.is_sound();
  };
  EXPECT_FALSE(needed.empty());
  EXPECT_LT(needed.size(), failed.plan.size());
  EXPECT_TRUE(fails(needed));
  for (std::size_t left_out = 0; left_out < needed.size(); ++left_out) {
    std::vector<std::size_t> fewer = needed;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(left_out));
    EXPECT_FALSE(fails(fewer)) << "fault " << needed[left_out] << " is not needed";
  }
  plant({});
}
#endif

TEST(Simulation, ASeedIsOneRun) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const RunResult one = World({.seed = seed, .only = std::nullopt}).run();
    const RunResult two = World({.seed = seed, .only = std::nullopt}).run();
    EXPECT_TRUE(one.report.is_sound())
        << "tests/sim/run --seed " << seed << ": " << one.report.violations().front();
    EXPECT_EQ(one.report.hash(), two.report.hash());
  }
}

}  // namespace
}  // namespace ficus::sim
