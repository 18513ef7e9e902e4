#include "connect/mqtt/front_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>

#include "base/random.h"

namespace ficus::connect {
namespace {

TEST(FrontQueue, DoesWhatADequeDoes) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    FrontQueue<std::shared_ptr<std::uint64_t>> queue;
    std::deque<std::uint64_t> expected;
    for (int step = 0; step < 2000; ++step) {
      const double growth = step % 400 < 200 ? 0.6 : 0.4;
      if (random.chance(growth)) {
        const std::uint64_t value = random.next();
        queue.push_back(std::make_shared<std::uint64_t>(value));
        expected.push_back(value);
      } else if (!expected.empty() && random.chance(0.5)) {
        queue.pop_front();
        expected.pop_front();
      } else if (!expected.empty()) {
        const auto place = static_cast<std::ptrdiff_t>(random.below(expected.size()));
        queue.erase(queue.begin() + place);
        expected.erase(expected.begin() + place);
      }
      ASSERT_EQ(queue.size(), expected.size());
      ASSERT_EQ(queue.empty(), expected.empty());
      ASSERT_TRUE(std::equal(queue.begin(), queue.end(), expected.begin(), expected.end(),
                             [](const auto& a, std::uint64_t b) { return *a == b; }));
      if (expected.empty()) continue;
      ASSERT_EQ(*queue.front(), expected.front());
      ASSERT_EQ(*queue.back(), expected.back());
      ASSERT_EQ(**queue.rbegin(), expected.back());
    }
  }
}

TEST(FrontQueue, LetsGoOfWhatIsTakenOff) {
  const auto counted = std::make_shared<int>(1);
  FrontQueue<std::shared_ptr<int>> queue;
  for (int i = 0; i < 100; ++i) queue.push_back(counted);
  for (int i = 0; i < 60; ++i) queue.pop_front();
  for (int i = 0; i < 20; ++i) queue.erase(queue.begin() + 10);
  EXPECT_EQ(counted.use_count(), 21);
  FrontQueue<std::shared_ptr<int>> other;
  other.swap(queue);
  EXPECT_TRUE(queue.empty());
  other.clear();
  EXPECT_EQ(counted.use_count(), 1);
}

}  // namespace
}  // namespace ficus::connect
