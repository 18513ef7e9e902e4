// The part of Shard that lets go: acknowledgements, followers' batches and history's rows when they
// are durable, and what becomes of those who wait when it will never be.
#include <utility>

#include "base/planted.h"
#include "engine/feed_item.h"
#include "engine/shard.h"

namespace ficus {
namespace {

constexpr std::uint64_t kCommitTriesAtStop = 10;

}  // namespace

history::FeedItem Shard::feed_item(Pending& pending) const {
  history::FeedItem item = ficus::feed_item(options_.index, pending.end, pending.settled);
  item.source = pending.source;
  item.received_at = pending.received_at;
  item.quarantined = std::move(pending.quarantined);
  return item;
}

void Shard::release(DeliverySink& sink) {
  if (const std::optional<Error> failure = log_->sync_failure()) {
    return fail_waiting(*failure, sink);
  }
  const log::Position acknowledged = log_->acknowledged();
  const Micros now = pending_.empty() ? Micros{} : parts_.clock.monotonic();
  const bool followed = parts_.followers.load(std::memory_order_relaxed);
  Delivery delivery;
  while (!pending_.empty() && pending_.front().end <= acknowledged) {
    Pending& pending = pending_.front();
    acknowledge_latency_.note(now - pending.taken_at, now);
    if (pending.done) delivery.completed.push_back({std::move(pending.done), pending.status});
    if (!history_abandoned_) unfed_.push_back(feed_item(pending));
    if (followed) {
      for (SettledBatch& settled : pending.settled) delivery.settled.push_back(std::move(settled));
    }
    pending_.pop_front();
  }
  if (!delivery.empty()) sink.deliver(std::move(delivery));
}

void Shard::feed_history() {
  // Acknowledged may be less than durable, as the policy says; a history that had more than the log
  // after a power loss could not be brought in line with it.
  const std::uint64_t durable = log_->durable().offset;
  while (!unfed_.empty() && unfed_.front().position_end <= durable) {
    history_is_full_ = !parts_.history.try_push(std::move(unfed_.front()));
    if (history_is_full_ && !FICUS_PLANTED(drop_when_history_is_full)) return;
    unfed_.pop_front();
    history_awaited_since_.reset();
  }
}

void Shard::fail_waiting(const Error& error, DeliverySink& sink) {
  Delivery delivery;
  const auto fail_one = [&](Completion& done) {
    if (done) delivery.completed.push_back({std::move(done), std::unexpected(error)});
  };
  for (Pending& pending : pending_) fail_one(pending.done);
  for (Item& item : backlog_) {
    std::visit([&](auto& waiting) { fail_one(waiting.done); }, item);
  }
  pending_.clear();
  backlog_.clear();
  if (!delivery.empty()) sink.deliver(std::move(delivery));
}

// When stopping, a disk that stays full and a history that takes nothing are not waited for without
// end: what is lost to those who wait was not acknowledged, and what history lacks is in the log.
bool Shard::give_up_if_hopeless(DeliverySink& sink) {
  if (!queue_.is_closed()) return false;
  if (commit_failures_ >= kCommitTriesAtStop || log_->sync_failure()) {
    (void)queue_.drain(items_, {});
    for (Item& item : items_) backlog_.push_back(std::move(item));
    items_.clear();
    fail_waiting({ErrorCode::unavailable, "stopped before the log could be written"}, sink);
    answer_questions();
    return true;
  }
  if (unfed_.empty()) return false;
  const Micros now = parts_.clock.monotonic();
  if (!history_awaited_since_) history_awaited_since_ = now;
  if (now - *history_awaited_since_ < options_.history_patience_at_stop) return false;
  unfed_.clear();
  history_abandoned_ = true;
  return false;
}

}  // namespace ficus
