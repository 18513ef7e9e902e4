#pragma once

#include <functional>  // move_only_function: the one heavy header of this module's interface
#include <memory>

#include "base/result.h"
#include "base/time.h"

namespace ficus {
class Clock;
}

namespace ficus::net {

class LoopCore;  // what the loop shares with the rest of this module (loop_core.h)

using Task = std::move_only_function<void()>;

// One thread that waits for sockets, timers, signals and posted tasks, and runs their callbacks.
//
// Threads: the thread that calls `run` is the loop's thread; every callback of this module runs on
// it. Everything made on a loop (timers, connections, servers) is used on that thread only, or
// before `run` begins or after it ended, and is destroyed before the loop. Only `post` and `stop`
// may come from any thread.
//
// Turns: the loop runs up to 32 ready callbacks, then writes out what they sent, one system call a
// connection. So bytes sent by many callbacks of a turn leave together; while there is little to
// do, those of the first leave at once.
class EventLoop {
 public:
  EventLoop();
  // For simulation: timers follow this clock, which somebody else moves; those that are due run at
  // the next run_turn(), in order of their time. The clock outlives the loop.
  explicit EventLoop(const Clock& clock);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs until `stop`. May be called again afterwards.
  void run();
  // Runs one turn: waits at most `wait_max` for the first callback. For tests and for callers with
  // a loop of their own. REQUIRES: not inside `run`.
  void run_turn(Micros wait_max);
  // Makes `run` return at the end of its turn. Any thread.
  void stop();

  // Runs `task` on the loop's thread, after those posted before it and never inside this call. Any
  // thread. Wakes the loop once for all tasks posted before it gets to them. Never refuses: what is
  // posted is bounded by who posts (a bounded queue with one task to drain it).
  void post(Task task);

  bool is_loop_thread() const;

  // Calls `on_signal` for SIGINT, SIGTERM and SIGHUP from now on, in place of their default action.
  // One loop of a process may do so.
  Status watch_signals(std::move_only_function<void(int signal)> on_signal);

  LoopCore& core() { return *core_; }

 private:
  std::unique_ptr<LoopCore> core_;
};

// Calls back after a time. Owned by who waits; destroying it cancels. The callback may start,
// cancel or destroy its own timer. Time is the machine's monotonic clock, or that of the loop.
class Timer {
 public:
  explicit Timer(EventLoop& loop);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Each replaces what was started before. A repeating timer that falls behind skips the missed
  // beats.
  void start_once(Micros delay, Task on_time);
  // REQUIRES: period > 0.
  void start_repeating(Micros period, Task on_time);
  void cancel();
  bool is_running() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ficus::net
