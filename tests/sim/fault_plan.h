#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"

namespace ficus::sim {

enum class FaultKind : std::uint8_t {
  kill,             // the process dies inside its n-th I/O from then
  power_loss,       // the machine does
  die_in_recovery,  // the process dies inside the n-th I/O of its next start
  stop,             // SIGTERM, in order
  disk_full,        // for a time
  sync_fails,       // from then to the next start
  slow_disk,        // each sync takes long, for a time
  read_errors,      // the next start cannot read some times
  bit_flip,         // in stored data
  misdirected,      // the next write lands elsewhere
  clock_jump,       // of the wall clock, forward or back
  partition,        // nothing travels, for a time
  cut,              // a connection breaks
  slow_client,      // a client takes little, for a time
  history_refuses,  // for a time
  hostile,          // somebody sends what nobody should
  rules_change,     // others hold
  flood,            // far more comes in than usual
};
inline constexpr std::size_t kFaultKinds = 18;
const char* fault_name(FaultKind kind);

struct Fault {
  Micros at;  // simulated time since the begin
  FaultKind kind = FaultKind::kill;
  std::uint64_t number = 0;  // what the kind makes of it
  Micros lasts;
  std::string text() const;
};

// What goes wrong in a run of this length; in order of time. A list, so that a part of it can be
// tried.
std::vector<Fault> make_fault_plan(Random& random, Micros length);

}  // namespace ficus::sim
