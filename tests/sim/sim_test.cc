// Of the simulation itself: its disk loses what it may lose and no more, its faults are taken back,
// its runs repeat.

#include <gtest/gtest.h>

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
