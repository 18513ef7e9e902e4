#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/large_pages.h"
#include "base/time.h"

namespace ficus::rules {

// Who has been silent for an interval. All deadlines lie the same interval after the last arrival,
// so a list in order of arrival is in order of deadline too: an arrival moves the slot to the end,
// time takes slots from the front, both in constant time however many are waiting.
//
// At most kTieMax slots share a moment: those that arrive with more count as a microsecond later
// each time. So whoever takes deadlines up to a moment takes a bounded number for each moment,
// though a whole city may be heard, or become known, at once.
class AbsenceTracker {
 public:
  static constexpr std::uint32_t kTieMax = 64;

  explicit AbsenceTracker(Micros interval) : interval_(interval) {}

  Micros interval() const { return interval_; }
  // Something arrived: the silence of the slot begins anew. An `at` before the newest arrival
  // counts as that one.
  void arrived(std::uint32_t slot, Timestamp at);
  // The earliest deadline, or none.
  std::optional<Timestamp> next_deadline() const;
  // Takes the slot whose deadline is earliest; it is absent from now on. REQUIRES: next_deadline().
  std::uint32_t take_next();
  // The deadline of one slot, if it waits.
  std::optional<Timestamp> deadline(std::uint32_t slot) const;
  // Takes this slot before its turn. REQUIRES: deadline(slot).
  void take(std::uint32_t slot);
  // The clock was set back: all arrivals were so much earlier, in its new time.
  void shift_back(Micros by);
  bool is_absent(std::uint32_t slot) const {
    return slot < nodes_.size() && nodes_[slot].place == Place::expired;
  }
  bool is_known(std::uint32_t slot) const {
    return slot < nodes_.size() && nodes_[slot].place != Place::unknown;
  }
  // For snapshots: known slots, absent or not, have arrived in the order of (at, order).
  struct Arrival {
    Timestamp at;
    std::uint32_t order = 0;
    bool is_known = false;
  };
  Arrival arrival(std::uint32_t slot) const {
    if (slot >= nodes_.size()) return {};
    const Node& node = nodes_[slot];
    return {{node.last_micros}, node.order, node.place != Place::unknown};
  }
  std::size_t bytes() const { return nodes_.capacity() * sizeof(Node); }

 private:
  static constexpr std::uint32_t kNone = 0xffffffffU;
  enum class Place : std::uint32_t { unknown, waiting, expired };
  struct Node {
    std::int64_t last_micros = 0;
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;
    Place place = Place::unknown;
    std::uint32_t order = 0;  // among those that arrived at this moment
  };

  void unlink(const Node& node);
  std::optional<Timestamp> deadline_of(const Node& node) const;

  Micros interval_;
  LargeVector<Node> nodes_;  // by slot
  // Of the newest arrival, and how many slots have it for their last.
  std::int64_t newest_micros_ = INT64_MIN;
  std::uint32_t newest_count_ = 0;
  std::uint32_t newest_order_ = 0;
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
};

}  // namespace ficus::rules
