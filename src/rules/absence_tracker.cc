#include "rules/absence_tracker.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace ficus::rules {

void AbsenceTracker::unlink(const Node& node) {
  (node.previous == kNone ? first_ : nodes_[node.previous].next) = node.next;
  (node.next == kNone ? last_ : nodes_[node.next].previous) = node.previous;
}

void AbsenceTracker::arrived(std::uint32_t slot, Timestamp at) {
  if (slot >= nodes_.size()) nodes_.resize(std::size_t{slot} + 1);
  Node& node = nodes_[slot];
  FICUS_DCHECK(last_ == kNone || nodes_[last_].last_micros <= at.micros);
  node.last_micros = at.micros;
  if (last_ == slot) return;
  if (node.place == Place::waiting) unlink(node);
  node.place = Place::waiting;
  node.previous = last_;
  node.next = kNone;
  (last_ == kNone ? first_ : nodes_[last_].next) = slot;
  last_ = slot;
}

std::optional<Timestamp> AbsenceTracker::next_deadline() const {
  if (first_ == kNone) return std::nullopt;
  std::int64_t deadline = 0;
  if (__builtin_add_overflow(nodes_[first_].last_micros, interval_.count, &deadline)) {
    return std::nullopt;  // beyond the end of time
  }
  return Timestamp{deadline};
}

std::uint32_t AbsenceTracker::take_next() {
  FICUS_CHECK(first_ != kNone);
  const std::uint32_t slot = first_;
  unlink(nodes_[slot]);
  nodes_[slot].place = Place::expired;
  nodes_[slot].previous = nodes_[slot].next = kNone;
  return slot;
}

std::vector<std::uint32_t> AbsenceTracker::slots_by_arrival() const {
  std::vector<std::uint32_t> slots;
  for (std::uint32_t slot = 0; slot < nodes_.size(); ++slot) {
    if (is_absent(slot)) slots.push_back(slot);
  }
  std::sort(slots.begin(), slots.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(nodes_[a].last_micros, a) < std::pair(nodes_[b].last_micros, b);
  });
  for (std::uint32_t slot = first_; slot != kNone; slot = nodes_[slot].next) slots.push_back(slot);
  return slots;
}

}  // namespace ficus::rules
