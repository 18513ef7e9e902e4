#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "connect/mqtt/dropped_messages.h"
#include "connect/mqtt/retained_messages.h"

namespace ficus::connect {

// How much the broker keeps; docs/OPERATIONS.md says what happens at each limit.
struct BrokerLimits {
  // Queued for one session; newer ones are dropped and counted.
  std::size_t session_messages_max = 10'000;
  std::size_t session_bytes_max = std::size_t{16} << 20;
  std::size_t queued_bytes_max = std::size_t{1} << 30;  // of all sessions (queue_memory.h)
  std::size_t sessions_max = 1'000'000;
  std::size_t subscriptions_per_session_max = 10'000;
  std::size_t filter_bytes_per_session_max = std::size_t{1} << 20;
  std::size_t group_members_max = 1'000;  // that share one subscription
  std::size_t wills_bytes_max = std::size_t{256} << 20;
  RetainedLimits retained = {};
  Micros session_expiry_max = Micros::from_hours(24 * 7);
};

struct BrokerCounts {
  DroppedMessages messages_dropped;
  std::uint64_t messages_expired = 0;  // before they were sent
  std::uint64_t messages_moved = 0;    // to another member of a shared subscription
  std::uint64_t retained_refused = 0;  // no room for another topic
};

}  // namespace ficus::connect
