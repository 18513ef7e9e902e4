#include "base/clock.h"

#include <time.h>

namespace ficus {
namespace {

std::int64_t read_micros(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return std::int64_t{t.tv_sec} * 1'000'000 + t.tv_nsec / 1000;
}

}  // namespace

Timestamp SystemClock::now() const { return {read_micros(CLOCK_REALTIME)}; }
Micros SystemClock::monotonic() const { return {read_micros(CLOCK_MONOTONIC)}; }

}  // namespace ficus
