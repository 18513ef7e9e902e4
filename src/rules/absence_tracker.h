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
class AbsenceTracker {
 public:
  explicit AbsenceTracker(Micros interval) : interval_(interval) {}

  Micros interval() const { return interval_; }
  // Something arrived: the silence of the slot begins anew. REQUIRES: `at` does not go back.
  void arrived(std::uint32_t slot, Timestamp at);
  // The earliest deadline, or none.
  std::optional<Timestamp> next_deadline() const;
  // Takes the slot whose deadline is earliest; it is absent from now on. REQUIRES: next_deadline().
  std::uint32_t take_next();
  bool is_absent(std::uint32_t slot) const {
    return slot < nodes_.size() && nodes_[slot].place == Place::expired;
  }
  bool is_known(std::uint32_t slot) const {
    return slot < nodes_.size() && nodes_[slot].place != Place::unknown;
  }
  // REQUIRES: is_known(slot).
  Timestamp last_arrival(std::uint32_t slot) const { return {nodes_[slot].last_micros}; }
  // All known slots: those that are absent, then those that wait, each by last arrival.
  std::vector<std::uint32_t> slots_by_arrival() const;
  std::size_t bytes() const { return nodes_.capacity() * sizeof(Node); }

 private:
  static constexpr std::uint32_t kNone = 0xffffffffU;
  enum class Place : std::uint32_t { unknown, waiting, expired };
  struct Node {
    std::int64_t last_micros = 0;
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;
    Place place = Place::unknown;
  };

  void unlink(const Node& node);

  Micros interval_;
  LargeVector<Node> nodes_;  // by slot
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
};

}  // namespace ficus::rules
