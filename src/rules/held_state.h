#pragma once

#include <cstdint>

#include "base/large_pages.h"
#include "base/time.h"

namespace ficus::rules {

// Since when the condition of one held(...) has been true, by slot (entity_slots.h). Event time.
class HeldState {
 public:
  static constexpr std::int64_t kNotTrue = INT64_MIN;

  // Notes that the condition was (not) true at `now`. Returns whether it has now been true for
  // `interval`. REQUIRES: `now` does not go back for a slot.
  bool observe(std::uint32_t slot, bool is_true, Timestamp now, Micros interval) {
    if (slot >= since_.size()) {
      if (!is_true) return false;
      grow(slot);
    }
    std::int64_t& since = since_[slot];
    if (!is_true) {
      true_count_ -= since == kNotTrue ? 0 : 1;
      since = kNotTrue;
      return false;
    }
    if (since == kNotTrue) {
      since = now.micros;
      ++true_count_;
    }
    return has_lasted(since, now, interval);
  }
  // Whether the condition was true at the last observe.
  bool is_true(std::uint32_t slot) const {
    return slot < since_.size() && since_[slot] != kNotTrue;
  }
  // For how many slots.
  std::size_t true_count() const { return true_count_; }
  // The answer of the last observe, which was at `last`.
  bool holds(std::uint32_t slot, Timestamp last, Micros interval) const {
    return is_true(slot) && has_lasted(since_[slot], last, interval);
  }

  // For snapshots: kNotTrue if it is not.
  bool is_empty() const { return since_.empty(); }  // it was never true
  std::int64_t since(std::uint32_t slot) const {
    return slot < since_.size() ? since_[slot] : kNotTrue;
  }
  void restore(std::uint32_t slot, std::int64_t since) {
    if (slot >= since_.size()) grow(slot);
    true_count_ += since == kNotTrue ? 0 : 1;
    true_count_ -= since_[slot] == kNotTrue ? 0 : 1;
    since_[slot] = since;
  }
  std::size_t bytes() const { return since_.capacity() * sizeof(std::int64_t); }

 private:
  // REQUIRES: since <= now, interval >= 0. Unsigned, so that no difference overflows.
  static bool has_lasted(std::int64_t since, Timestamp now, Micros interval) {
    return static_cast<std::uint64_t>(now.micros) - static_cast<std::uint64_t>(since) >=
           static_cast<std::uint64_t>(interval.count);
  }
  void grow(std::uint32_t slot) { since_.resize(std::size_t{slot} + 1, kNotTrue); }

  LargeVector<std::int64_t> since_;
  std::size_t true_count_ = 0;
};

}  // namespace ficus::rules
