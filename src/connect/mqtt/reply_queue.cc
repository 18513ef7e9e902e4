#include "connect/mqtt/reply_queue.h"

namespace ficus::connect {

const std::shared_ptr<ReplyGroup>& ReplyQueue::open() {
  if (!has_open()) groups_.push_back(std::make_shared<ReplyGroup>());
  return groups_.back();
}

void ReplyQueue::complete_open() {
  if (has_open()) groups_.back()->is_complete = true;
}

std::shared_ptr<ReplyGroup> ReplyQueue::take(log::Position durable) {
  if (groups_.empty() || !groups_.front()->is_releasable(durable)) return nullptr;
  std::shared_ptr<ReplyGroup> group = std::move(groups_.front());
  groups_.pop_front();
  return group;
}

}  // namespace ficus::connect
