#pragma once

#include <algorithm>

#include "base/time.h"

namespace ficus::history {

// Has `delay` gone by since then? A wall clock that has been set back must not make us wait for it
// to catch up: then yes.
inline bool has_passed(Timestamp since, Micros delay, Timestamp now) {
  return now < since || now - since >= delay;
}

// When something that failed may be tried again: after a minute, two, four ... an hour at most.
// Whoever succeeds drops it.
class RetryPause {
 public:
  static constexpr Micros kFirst = Micros::from_seconds(60);
  static constexpr Micros kLongest = Micros::from_hours(1);

  bool is_over(Timestamp now) const {
    return length_ == Micros{} || has_passed(failed_at_, length_, now);
  }
  void failed(Timestamp now) {
    failed_at_ = now;
    length_ = length_ == Micros{} ? kFirst : std::min(length_ + length_, kLongest);
  }

 private:
  Timestamp failed_at_;
  Micros length_{};
};

}  // namespace ficus::history
