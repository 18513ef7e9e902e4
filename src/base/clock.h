#pragma once

#include "base/time.h"

namespace ficus {

// Who may ask what time it is holds a Clock; the core is told the time instead. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;     // wall time, may jump
  virtual Micros monotonic() const = 0;  // since an arbitrary start, never goes back
};

// The machine's clocks. Created in main only.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
  Micros monotonic() const override;
};

// A clock that a test or a simulation sets. Not thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : now_(start) {}
  Timestamp now() const override { return now_; }
  Micros monotonic() const override { return monotonic_; }
  void advance(Micros by) {
    now_ = now_ + by;
    monotonic_ = monotonic_ + by;
  }
  void jump_wall(Timestamp to) { now_ = to; }

 private:
  Timestamp now_;
  Micros monotonic_;
};

}  // namespace ficus
