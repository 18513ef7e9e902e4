#pragma once

#include <algorithm>
#include <cstdint>

#include "base/random.h"
#include "base/time.h"

namespace ficus::connect {

// How long to wait before the next attempt: twice as long after each failure up to a limit, of
// which a random half is left out, so that a thousand clients of a server that comes back do not
// come at once. A value.
class BackOff {
 public:
  BackOff(Micros first, Micros most, std::uint64_t seed)
      : first_(first), most_(std::max(first, most)), next_(first), random_(seed) {}

  void reset() { next_ = first_; }
  Micros next() {
    const Micros whole = next_;
    next_ = std::min(Micros{whole.count * 2}, most_);
    const auto half = static_cast<std::uint64_t>(whole.count / 2);
    return {whole.count - static_cast<std::int64_t>(half == 0 ? 0 : random_.below(half))};
  }

 private:
  Micros first_;
  Micros most_;
  Micros next_;
  Random random_;
};

}  // namespace ficus::connect
