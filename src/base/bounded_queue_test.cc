#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace ficus {
namespace {

TEST(BoundedQueue, FullQueueLeavesTheItem) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.try_push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(queue.try_push(std::move(second)));
  EXPECT_TRUE(second != nullptr);
}

TEST(BoundedQueue, EveryItemOfEveryProducerArrivesOnceInOrder) {
  BoundedQueue<std::pair<int, int>> queue(16);
  constexpr int kEach = 5000;
  std::vector<std::thread> producers;
  producers.reserve(3);
  for (int producer = 0; producer < 3; ++producer) {
    producers.emplace_back([&queue, producer] {
      for (int i = 0; i < kEach; ++i) ASSERT_TRUE(queue.push({producer, i}));
    });
  }
  int next[3] = {0, 0, 0};
  std::vector<std::pair<int, int>> batch;
  while (next[0] + next[1] + next[2] < 3 * kEach) {
    batch.clear();
    ASSERT_TRUE(queue.drain(batch, Micros::from_seconds(5)));
    for (const auto& [producer, i] : batch) ASSERT_EQ(i, next[producer]++);
  }
  for (std::thread& t : producers) t.join();
}

TEST(BoundedQueue, ClosedQueueIsDrainedThenEnds) {
  BoundedQueue<int> queue(4);
  EXPECT_TRUE(queue.try_push(1));
  queue.close();
  EXPECT_FALSE(queue.try_push(2));
  EXPECT_FALSE(queue.push(3));
  std::vector<int> out;
  EXPECT_TRUE(queue.drain(out, {}));
  EXPECT_EQ(out, std::vector<int>{1});
  EXPECT_FALSE(queue.drain(out, {}));
}

TEST(BoundedQueue, WakeEndsAnEmptyDrain) {
  BoundedQueue<int> queue(1);
  queue.wake();
  std::vector<int> out;
  EXPECT_TRUE(queue.drain(out, Micros::from_hours(1)));
  EXPECT_TRUE(out.empty());
}

}  // namespace
}  // namespace ficus
