#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"

namespace ficus {

// Hands batches from any thread to one thread (or, with pop(), to several). A mutex will do: what
// passes is a batch, not a message, so the lock is taken some thousand times a second. A full queue
// is a case for the caller (STYLE 7.8). Thread-safe.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t limit) : limit_(limit) {}

  std::size_t limit() const { return limit_; }

  // False if the queue is full or closed; `item` is then untouched.
  bool try_push(T&& item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= limit_) return false;
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
    return true;
  }

  // Takes the item even beyond the limit: for questions that are few and must not be refused
  // because data is waiting. False if closed.
  bool push_unlimited(T&& item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return false;
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
    return true;
  }

  // Waits for room. False if the queue was closed meanwhile.
  bool push(T&& item) {
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] { return closed_ || items_.size() < limit_; });
      if (closed_) return false;
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
    return true;
  }

  // Makes the drain under way, or the next one, return even without an item.
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    ready_.notify_one();
  }

  // Moves everything waiting to `out` (appended); waits up to `wait` for the first item or a
  // wake(). False if the queue is closed and empty.
  bool drain(std::vector<T>& out, Micros wait) {
    {
      std::unique_lock lock(mutex_);
      wait_at_most(wait, lock, [&] { return closed_ || woken_ || !items_.empty(); });
      woken_ = false;
      if (items_.empty()) return !closed_;
      for (T& item : items_) out.push_back(std::move(item));
      items_.clear();
    }
    room_.notify_all();
    return true;
  }

  // Waits for one item; nothing when the queue is closed and empty. For several consumers.
  std::optional<T> pop() {
    std::optional<T> item;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [&] { return closed_ || !items_.empty(); });
      if (items_.empty()) return item;
      item = std::move(items_.front());
      items_.pop_front();
    }
    room_.notify_one();
    return item;
  }

  // Waits for a wake() only, leaving the items where they are: for a consumer that cannot take more
  // now.
  void wait_for_wake(Micros wait) {
    std::unique_lock lock(mutex_);
    wait_at_most(wait, lock, [&] { return woken_; });
    woken_ = false;
  }

  bool is_closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

  // No more is taken in; what is queued can still be drained.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
    room_.notify_all();
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  // A condition variable that is to wait for no time asks the kernel all the same, and another
  // thread may run first: 50 us for nothing, at each turn of a shard.
  template <typename Predicate>
  void wait_at_most(Micros wait, std::unique_lock<std::mutex>& lock, Predicate&& is_met) {
    if (wait.count <= 0) return;
    ready_.wait_for(lock, std::chrono::microseconds(wait.count), is_met);
  }

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::condition_variable room_;
  std::deque<T> items_;
  bool closed_ = false;
  bool woken_ = false;
};

}  // namespace ficus
