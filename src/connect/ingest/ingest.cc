#include "connect/ingest/ingest.h"

#include <algorithm>

#include "base/check.h"
#include "engine/engine.h"

namespace ficus::connect {
namespace {

// Room usually shows with a delivery; the timer is for the case that none comes (full disk).
constexpr Micros kRetryAfter = Micros::from_millis(20);

}  // namespace

Ingest::Ingest(Engine& engine, net::EventLoop& loop, const Clock& clock)
    : engine_(engine), loop_(loop), clock_(clock), retry_(loop) {}

void Ingest::submit(SourceBatch&& batch, Completion&& done) {
  if (waiting_.empty() && engine_.try_submit(std::move(batch), std::move(done))) return;
  waiting_.push_back({std::move(batch), std::move(done)});
  if (!retry_.is_running()) retry_.start_repeating(kRetryAfter, [this] { submit_waiting(); });
}

void Ingest::submit_waiting() {
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
