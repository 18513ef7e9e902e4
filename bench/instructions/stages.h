#pragma once

#include <fmt/format.h>
#include <valgrind/callgrind.h>

#include <array>
#include <cstddef>
#include <cstdint>

// The stages of the hot path, each driven alone with the same input every time.
namespace ficus::instructions {

inline constexpr std::size_t kMessages = 2048;  // of a round
inline constexpr std::size_t kVehicles = 100;
inline constexpr int kRounds = 2;  // the first only warms up: what is allocated once is not counted

// Runs the rounds of one stage: run(round). Callgrind counts the last one and writes it down under
// `name`; without callgrind it just runs.
template <typename Run>
void measure(const char* name, Run&& run) {
  for (int round = 0; round < kRounds - 1; ++round) run(round);
  CALLGRIND_ZERO_STATS;
  CALLGRIND_TOGGLE_COLLECT;
  run(kRounds - 1);
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(name);
  fmt::print("{} {}\n", name, kMessages);
}

void run_ingest_stages();  // from the packet to the log
void run_broker_stages();  // to subscribers

}  // namespace ficus::instructions
