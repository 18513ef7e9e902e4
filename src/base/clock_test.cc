#include "base/clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace ficus {
namespace {

// Under the thread sanitizer this says that it is safe; here, that no half of a time is seen.
TEST(ManualClock, IsReadWhileItIsMoved) {
  ManualClock clock(Timestamp::from_seconds(1'700'000'000));
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    Timestamp now = clock.now();
    Micros monotonic = clock.monotonic();
    while (!stop) {
      EXPECT_LE(now, clock.now());
      EXPECT_LE(monotonic, clock.monotonic());
      now = clock.now();
      monotonic = clock.monotonic();
    }
  });
  for (int i = 0; i < 50'000; ++i) clock.advance(Micros::from_seconds(1));
  stop = true;
  reader.join();
  EXPECT_EQ(clock.monotonic(), Micros::from_seconds(50'000));
  clock.jump_wall(Timestamp::from_seconds(5));
  EXPECT_EQ(clock.now(), Timestamp::from_seconds(5));
  EXPECT_EQ(clock.monotonic(), Micros::from_seconds(50'000));
}

}  // namespace
}  // namespace ficus
