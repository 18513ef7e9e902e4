#include "net/event_loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <utility>

#include "base/check.h"
#include "net/loop_core.h"

namespace ficus::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// Asio ends `run` when nothing is under way; the loop goes on until it is told to stop.
void keep_going(asio::io_context& io) {
  io.get_executor().on_work_started();  // never taken back: the context ends with the loop
}

}  // namespace

LoopCore::LoopCore(const Clock* clock)
    : clock_(clock),
      read_buffer_(std::make_unique_for_overwrite<std::byte[]>(kReadBufferBytes)),
      io_(std::make_unique<asio::io_context>(1)) {
  keep_going(*io_);
}

LoopCore::~LoopCore() {
  // Whatever holds a socket or a timer goes before the context that serves it.
  posted_.clear();
  posted_running_.clear();
  due_.clear();
  turn_end_.clear();
  turn_end_running_.clear();
  io_.reset();
}

bool LoopCore::is_loop_thread() const {
  const std::thread::id running = thread_.load(std::memory_order_relaxed);
  return running == std::thread::id{} || running == std::this_thread::get_id();
}

void LoopCore::run() {
  FICUS_CHECK(is_loop_thread());
  thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  while (!is_stopping_.load(std::memory_order_acquire)) turn(Micros{-1});
  is_stopping_.store(false, std::memory_order_release);
  thread_.store(std::thread::id{}, std::memory_order_relaxed);
}

void LoopCore::run_turn(Micros wait_max) {
  FICUS_CHECK(thread_.load(std::memory_order_relaxed) == std::thread::id{});
  thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  turn(wait_max);
  thread_.store(std::thread::id{}, std::memory_order_relaxed);
}

std::size_t LoopCore::run_first(Micros wait_max) {
  // With a clock of its owner's the loop never waits: time passes elsewhere.
  if (!turn_end_.empty() || clock_ != nullptr) return io_->poll_one();
  if (wait_max.count < 0) return io_->run_one();
  return io_->run_one_for(std::chrono::microseconds(wait_max.count));
}

void LoopCore::post_at(Micros due, Task task) { due_.emplace(due, std::move(task)); }

void LoopCore::run_due() {
  const Micros now = clock_->monotonic();
  while (!due_.empty() && due_.begin()->first <= now) {
    Task task = std::move(due_.extract(due_.begin()).mapped());
    task();
  }
}

void LoopCore::turn(Micros wait_max) {
  if (clock_ != nullptr) run_due();
  std::size_t ran = run_first(wait_max);
  // While there is little to do, what the first callback sent need not wait for the system call
  // that finds out whether there is a second.
  if (callbacks_ <= 1 && !turn_end_.empty()) run_turn_end();
  int callbacks = 0;
  for (; ran != 0 && callbacks < kCallbacksPerTurn - 1; ++callbacks) ran = io_->poll_one();
  callbacks_ = callbacks;
  run_turn_end();
}

void LoopCore::run_turn_end() {
  turn_end_running_.swap(turn_end_);
  for (std::shared_ptr<TurnEnd>& what : turn_end_running_) {
    what->is_listed_ = false;
    what->on_turn_end();
    what.reset();
  }
  turn_end_running_.clear();
}

void LoopCore::at_turn_end(std::shared_ptr<TurnEnd> what) {
  if (what->is_listed_) return;
  what->is_listed_ = true;
  turn_end_.push_back(std::move(what));
}

void LoopCore::wake() {
  asio::post(*io_, [this] { run_posted(); });
}

void LoopCore::stop() {
  is_stopping_.store(true, std::memory_order_release);
  post([] {});
}

void LoopCore::post(Task task) {
  bool is_first = false;
  {
    const std::lock_guard lock(posted_mutex_);
    is_first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (is_first) wake();
}

void LoopCore::run_posted() {
  {
    const std::lock_guard lock(posted_mutex_);
    posted_running_.swap(posted_);
  }
  for (Task& task : posted_running_) {
    task();
    task = nullptr;
  }
  posted_running_.clear();
}

std::string LoopCore::take_block() {
  if (spare_blocks_.empty()) {
    std::string block;
    block.reserve(kBlockBytes);
    return block;
  }
  std::string block = std::move(spare_blocks_.back());
  spare_blocks_.pop_back();
  return block;
}

void LoopCore::give_block(std::string&& block) {
  if (spare_blocks_.size() >= kSpareBlocksMax || block.capacity() < kBlockBytes ||
      block.capacity() > 2 * kBlockBytes) {
    return;  // freed by its owner
  }
  block.clear();
  spare_blocks_.push_back(std::move(block));
}

EventLoop::EventLoop() : core_(std::make_unique<LoopCore>(nullptr)) {}
EventLoop::EventLoop(const Clock& clock) : core_(std::make_unique<LoopCore>(&clock)) {}
EventLoop::~EventLoop() = default;
void EventLoop::run() { core_->run(); }
void EventLoop::run_turn(Micros wait_max) { core_->run_turn(wait_max); }
void EventLoop::stop() { core_->stop(); }
void EventLoop::post(Task task) { core_->post(std::move(task)); }
bool EventLoop::is_loop_thread() const { return core_->is_loop_thread(); }

namespace {

struct SignalWatch {
  SignalWatch(asio::io_context& io, std::move_only_function<void(int)> callback)
      : signals(io), on_signal(std::move(callback)) {}
  asio::signal_set signals;
  std::move_only_function<void(int)> on_signal;
};

void wait_for_signal(const std::shared_ptr<SignalWatch>& watch) {
  watch->signals.async_wait([watch](const error_code& error, int signal) {
    if (error) return;
    watch->on_signal(signal);
    wait_for_signal(watch);
  });
}

}  // namespace

Status EventLoop::watch_signals(std::move_only_function<void(int signal)> on_signal) {
  const auto watch = std::make_shared<SignalWatch>(core_->io(), std::move(on_signal));
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    error_code error;
    watch->signals.add(signal, error);
    if (error) {
      return fail(ErrorCode::internal,
                  "cannot watch signal " + std::to_string(signal) + ": " + error.message());
    }
  }
  wait_for_signal(watch);
  return {};
}

struct Timer::State : std::enable_shared_from_this<State> {
  explicit State(LoopCore& loop) : core(loop), timer(loop.io()) {}

  void start(Micros delay, Micros repeat, Task task) {
    cancel();
    on_time = std::move(task);
    period = repeat;
    is_running = true;
    if (core.clock() != nullptr) {
      due = core.clock()->monotonic() + delay;
    } else {
      timer.expires_after(std::chrono::microseconds(delay.count));
    }
    wait();
  }

  void wait() {
    if (core.clock() != nullptr) {
      return core.post_at(due, [self = shared_from_this(), started = generation] {
        if (self->generation == started) self->fire();
      });
    }
    timer.async_wait([self = shared_from_this(), started = generation](const error_code&) {
      // An expiry that was already under way when the timer was cancelled comes without an error.
      if (self->generation == started) self->fire();
    });
  }

  void fire() {
    // The task may start, cancel or destroy this timer, so it runs outside of it.
    Task task = std::move(on_time);
    const std::uint64_t started = generation;
    if (period.count == 0) {
      is_running = false;
      task();
      return;
    }
    to_next_beat();
    wait();
    task();
    if (generation == started) on_time = std::move(task);
  }

  void to_next_beat() {
    if (core.clock() != nullptr) {
      const std::int64_t late = (core.clock()->monotonic() - due).count;
      due = due + Micros{period.count * (1 + (late > period.count ? late / period.count : 0))};
      return;
    }
    const auto step = std::chrono::microseconds(period.count);
    const auto late = std::chrono::steady_clock::now() - timer.expiry();
    timer.expires_at(timer.expiry() + step * (1 + (late > step ? late / step : 0)));
  }

  void cancel() {
    ++generation;
    is_running = false;
    on_time = nullptr;
    timer.cancel();
  }

  LoopCore& core;
  asio::steady_timer timer;
  Task on_time;
  Micros period;
  Micros due;                    // by the loop's clock, if it has one
  std::uint64_t generation = 0;  // counts starts and cancels
  bool is_running = false;
};

Timer::Timer(EventLoop& loop) : state_(std::make_shared<State>(loop.core())) {}
Timer::~Timer() { state_->cancel(); }
void Timer::start_once(Micros delay, Task on_time) {
  state_->start(delay, Micros{}, std::move(on_time));
}
void Timer::start_repeating(Micros period, Task on_time) {
  FICUS_CHECK(period.count > 0);
  state_->start(period, period, std::move(on_time));
}
void Timer::cancel() { state_->cancel(); }
bool Timer::is_running() const { return state_->is_running; }

}  // namespace ficus::net
