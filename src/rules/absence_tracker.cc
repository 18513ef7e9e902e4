#include "rules/absence_tracker.h"

#include <algorithm>

#include "base/check.h"

namespace ficus::rules {

void AbsenceTracker::unlink(const Node& node) {
  (node.previous == kNone ? first_ : nodes_[node.previous].next) = node.next;
  (node.next == kNone ? last_ : nodes_[node.next].previous) = node.previous;
}

void AbsenceTracker::arrived(std::uint32_t slot, Timestamp at) {
  if (slot >= nodes_.size()) nodes_.resize(std::size_t{slot} + 1);
  Node& node = nodes_[slot];
  const bool is_of_newest = node.place != Place::unknown && node.last_micros == newest_micros_;
  std::int64_t micros = std::max(at.micros, newest_micros_);
  if (micros == newest_micros_ && newest_count_ >= kTieMax && !is_of_newest &&
      micros != INT64_MAX) {
    ++micros;
  }
  if (micros != newest_micros_) {
    newest_micros_ = micros;
    newest_count_ = 1;
    newest_order_ = 0;
  } else if (!is_of_newest) {
    ++newest_count_;
  }
  node.last_micros = micros;
  node.order = newest_order_++;
  if (last_ == slot) return;
  if (node.place == Place::waiting) unlink(node);
  node.place = Place::waiting;
  node.previous = last_;
  node.next = kNone;
  (last_ == kNone ? first_ : nodes_[last_].next) = slot;
  last_ = slot;
}

std::optional<Timestamp> AbsenceTracker::deadline_of(const Node& node) const {
  std::int64_t deadline = 0;
  if (__builtin_add_overflow(node.last_micros, interval_.count, &deadline)) {
    return std::nullopt;  // beyond the end of time
  }
  return Timestamp{deadline};
}

std::optional<Timestamp> AbsenceTracker::next_deadline() const {
  if (first_ == kNone) return std::nullopt;
  return deadline_of(nodes_[first_]);
}

std::optional<Timestamp> AbsenceTracker::deadline(std::uint32_t slot) const {
  if (slot >= nodes_.size() || nodes_[slot].place != Place::waiting) return std::nullopt;
  return deadline_of(nodes_[slot]);
}

std::uint32_t AbsenceTracker::take_next() {
  FICUS_CHECK(first_ != kNone);
  const std::uint32_t slot = first_;
  take(slot);
  return slot;
}

void AbsenceTracker::take(std::uint32_t slot) {
  Node& node = nodes_[slot];
  FICUS_CHECK(node.place == Place::waiting);
  unlink(node);
  node.place = Place::expired;
  node.previous = node.next = kNone;
}

void AbsenceTracker::shift_back(Micros by) {
  const auto shifted = [by](std::int64_t micros) {
    std::int64_t earlier = 0;
    return __builtin_sub_overflow(micros, by.count, &earlier) ? INT64_MIN : earlier;
  };
  for (Node& node : nodes_) node.last_micros = shifted(node.last_micros);
  if (newest_count_ > 0) newest_micros_ = shifted(newest_micros_);
}

}  // namespace ficus::rules
