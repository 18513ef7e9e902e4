#include "connect/ingest/ingest.h"

#include "base/check.h"
#include "engine/engine.h"

namespace ficus::connect {
namespace {

// Room usually shows with a delivery; the timer is for the case that none comes (full disk).
constexpr Micros kRetryAfter = Micros::from_millis(20);
// How often it is looked whether refusals can be written down.
constexpr Micros kBookAfter = Micros::from_millis(200);

}  // namespace

Ingest::Ingest(Engine& engine, net::EventLoop& loop, const Clock& clock)
    : engine_(engine), loop_(loop), clock_(clock), retry_(loop), booking_(loop) {}

std::optional<Error> Ingest::refusal() const { return engine_.refusal(); }

void Ingest::submit(SourceBatch&& batch, Completion&& done) {
  if (const auto refused = refusal()) {
    return refuse(std::move(batch), std::move(done), *refused);
  }
  if (waiting_.empty() && engine_.try_submit(std::move(batch), std::move(done))) return;
  // The engine leaves what it does not take as it was. NOLINTNEXTLINE(bugprone-use-after-move)
  waiting_.push_back({std::move(batch), std::move(done)});
  if (!retry_.is_running()) retry_.start_repeating(kRetryAfter, [this] { submit_waiting(); });
}

void Ingest::refuse(SourceBatch&& batch, Completion&& done, const Error& error) {
  const std::string cause = error_code_name(error.code);
  auto& counts = unbooked_[batch.source];
  std::uint64_t items = batch.item_count();
  for (const RefusedCount& refused : batch.refused) {
    counts[refused.reason] += refused.items;
    items -= refused.items;
  }
  counts[cause] += items;
  items_refused_[cause] += items;
  if (!booking_.is_running()) booking_.start_repeating(kBookAfter, [this] { enter_refusals(); });
  if (!done) return;
  loop_.post([done = std::move(done), error]() mutable { done(std::unexpected(error)); });
}

void Ingest::enter_refusals() {
  while (!unbooked_.empty()) {
    if (is_congested() || refusal()) return;
    const auto first = unbooked_.begin();
    SourceBatch batch;
    batch.source = first->first;
    batch.received_at = clock_.now();
    for (const auto& [cause, items] : first->second) {
      if (items > 0) batch.refused.push_back({cause, items});
    }
    unbooked_.erase(first);
    submit(std::move(batch), [](const Status&) {});
  }
  booking_.cancel();
}

void Ingest::submit_waiting() {
  if (const auto refused = refusal()) {
    std::deque<Waiting> waiting;
    waiting.swap(waiting_);
    for (Waiting& each : waiting) refuse(std::move(each.batch), std::move(each.done), *refused);
  }
  while (!waiting_.empty()) {
    Waiting& first = waiting_.front();
    if (!engine_.try_submit(std::move(first.batch), std::move(first.done))) return;
    waiting_.pop_front();
  }
  retry_.cancel();
  std::vector<net::Task> tasks;
  tasks.swap(on_room_);
  for (net::Task& task : tasks) {
    // Each resumes a connection, which may fill the queues again: the rest then waits for the next
    // room.
    if (is_congested()) {
      on_room_.push_back(std::move(task));
    } else {
      task();
    }
  }
}

void Ingest::on_room(net::Task task) {
  on_room_.push_back(std::move(task));
  if (waiting_.empty() && !retry_.is_running()) {
    retry_.start_repeating(kRetryAfter, [this] { submit_waiting(); });
  }
}

void Ingest::add_follower(Follower& follower) { followers_.push_back({&follower, false}); }

void Ingest::set_follower_active(Follower& follower, bool active) {
  bool any = false;
  bool found = false;
  for (FollowerState& state : followers_) {
    if (state.follower == &follower) {
      state.active = active;
      found = true;
    }
    any = any || state.active;
  }
  FICUS_CHECK(found);
  engine_.set_followers(any);
}

void Ingest::deliver(Delivery delivery) {
  loop_.post([this, delivery = std::move(delivery)]() mutable { hand_on(delivery); });
}

void Ingest::hand_on(Delivery& delivery) {
  for (Completed& completed : delivery.completed) completed.done(completed.status);
  for (const FollowerState& state : followers_) {
    if (!state.active || delivery.settled.empty()) continue;
    for (const SettledBatch& batch : delivery.settled) state.follower->on_settled(batch);
    state.follower->on_delivery_end();
  }
  if (!waiting_.empty()) submit_waiting();
}

}  // namespace ficus::connect
