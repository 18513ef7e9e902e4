#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <vector>

namespace load {

inline std::uint64_t nanoseconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}
inline std::uint64_t now_ns() { return nanoseconds(CLOCK_MONOTONIC); }
inline std::uint64_t wall_us() { return nanoseconds(CLOCK_REALTIME) / 1000; }
inline double seconds_since(std::uint64_t begin_ns) {
  return static_cast<double>(now_ns() - begin_ns) * 1e-9;
}

// Every sample kept, so the percentiles are exact.
class Samples {
 public:
  void add(std::uint64_t ns) { ns_.push_back(ns); }
  std::size_t size() const { return ns_.size(); }
  double percentile_us(double share) {
    if (ns_.empty()) return 0;
    std::sort(ns_.begin(), ns_.end());
    const auto place = static_cast<std::size_t>(share * static_cast<double>(ns_.size() - 1));
    return static_cast<double>(ns_[place]) * 1e-3;
  }

 private:
  std::vector<std::uint64_t> ns_;
};

}  // namespace load
