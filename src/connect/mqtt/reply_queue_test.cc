#include "connect/mqtt/reply_queue.h"

#include <gtest/gtest.h>

namespace ficus::connect {
namespace {

TEST(ReplyQueue, ReleasesInOrderAndOnlyWhatIsDurable) {
  ReplyQueue queue;
  EXPECT_EQ(queue.take(log::Position::max()), nullptr);
  EXPECT_FALSE(queue.has_open());

  const std::shared_ptr<ReplyGroup> first = queue.open();
  EXPECT_EQ(queue.open(), first);  // one group a turn
  first->batches_left = 1;
  EXPECT_EQ(queue.take(log::Position::max()), nullptr);  // still open
  queue.complete_open();
  EXPECT_FALSE(queue.has_open());
  queue.complete_open();  // nothing to complete

  const std::shared_ptr<ReplyGroup> second = queue.open();
  EXPECT_NE(second, first);
  second->broker_end = {100};
  queue.complete_open();

  EXPECT_EQ(queue.take({100}), nullptr);  // the first holds the second
  first->batches_left = 0;
  EXPECT_EQ(queue.take({0}), first);
  EXPECT_EQ(queue.take({99}), nullptr);
  second->waits_for_flush = true;
  EXPECT_EQ(queue.take({100}), nullptr);  // not even appended
  second->waits_for_flush = false;
  EXPECT_EQ(queue.take({100}), second);
  EXPECT_EQ(queue.size(), 0U);
}

}  // namespace
}  // namespace ficus::connect
