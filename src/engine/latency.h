#pragma once

#include <algorithm>

#include "base/time.h"

namespace ficus {

// How long something took lately: a mean in which the newest weigh most, and the longest of the
// present minute and the one before. One thread.
class Latency {
 public:
  // `now` is monotonic.
  void note(Micros took, Micros now) {
    mean_ = Micros{mean_.count + (took.count - mean_.count) / kWeight};
    if (now - minute_begun_ >= kMinute) {
      max_before_ = now - minute_begun_ < kMinute + kMinute ? max_now_ : Micros{};
      max_now_ = {};
      minute_begun_ = now;
    }
    max_now_ = std::max(max_now_, took);
  }
  Micros mean() const { return mean_; }
  Micros max() const { return std::max(max_now_, max_before_); }

 private:
  static constexpr std::int64_t kWeight = 16;
  static constexpr Micros kMinute = Micros::from_seconds(60);

  Micros mean_;
  Micros max_now_;
  Micros max_before_;
  Micros minute_begun_;
};

}  // namespace ficus
