#pragma once

#include <atomic>
#include <cstdint>

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

// A clock that a test or a simulation sets, from any thread. Who reads both times while another
// moves the clock may see one of them before the move and the other behind it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : now_(start.micros) {}
  Timestamp now() const override { return {now_.load()}; }
  Micros monotonic() const override { return {monotonic_.load()}; }
  void advance(Micros by) {
    now_ += by.count;
    monotonic_ += by.count;
  }
  void jump_wall(Timestamp to) { now_ = to.micros; }

 private:
  std::atomic<std::int64_t> now_;
  std::atomic<std::int64_t> monotonic_ = 0;
};

}  // namespace ficus
