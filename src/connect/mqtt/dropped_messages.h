#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>

namespace ficus::connect {

// Why a message does not reach one who subscribed to it.
enum class DropCause : std::uint8_t {
  slow_client,  // QoS 0: its connection takes too little
  queue_full,   // of its session
  queues_full,  // of all sessions together
  no_member,    // of a shared subscription could take it
  no_right,     // the right to the topic was withdrawn while it waited
};

constexpr std::array<std::string_view, 5> kDropCauseNames = {
    "slow_client", "queue_full", "queues_full", "no_member", "no_right"};

class DroppedMessages {
 public:
  void add(DropCause cause, std::uint64_t count = 1) {
    counts_[std::to_underlying(cause)] += count;
  }
  void add(const DroppedMessages& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }
  std::uint64_t of(DropCause cause) const { return counts_[std::to_underlying(cause)]; }
  std::uint64_t total() const { return std::accumulate(counts_.begin(), counts_.end(), kNone); }

 private:
  static constexpr std::uint64_t kNone = 0;
  std::array<std::uint64_t, kDropCauseNames.size()> counts_ = {};
};

}  // namespace ficus::connect
