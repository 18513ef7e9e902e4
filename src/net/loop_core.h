#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "net/event_loop.h"

namespace boost::asio {
class io_context;
}

namespace ficus::net {

// Something with work left for the end of the loop's turn: bytes to write, a callback owed.
class TurnEnd {
 public:
  virtual ~TurnEnd() = default;
  virtual void on_turn_end() = 0;

 protected:
  // It is going to be called at the end of this turn: asking again changes nothing.
  bool is_listed() const { return is_listed_; }

 private:
  friend class LoopCore;
  bool is_listed_ = false;
};

// The inside of an EventLoop: Asio's context and what the connections of a loop share. For this
// module only.
class LoopCore {
 public:
  explicit LoopCore(const Clock* clock);
  ~LoopCore();
  LoopCore(const LoopCore&) = delete;
  LoopCore& operator=(const LoopCore&) = delete;

  boost::asio::io_context& io() { return *io_; }
  void run();
  void run_turn(Micros wait_max);
  void stop();
  void post(Task task);
  bool is_loop_thread() const;

  // The clock that timers follow; null: the machine's, by way of io().
  const Clock* clock() const { return clock_; }
  // Runs the task in the first turn at or after this time of the clock, those of one time in the
  // order in which they came. REQUIRES: clock().
  void post_at(Micros due, Task task);

  // Calls `what->on_turn_end()` once when this turn's callbacks are done (the next turn's, if asked
  // during the end of a turn: so two that wake each other cannot keep the loop from its sockets).
  void at_turn_end(std::shared_ptr<TurnEnd> what);

  // Where the connection being served reads into. Valid until the callback returns.
  std::span<std::byte> read_buffer() { return {read_buffer_.get(), kReadBufferBytes}; }

  // Blocks for output queues, kept for reuse. A block taken is empty with room for kBlockBytes.
  std::string take_block();
  void give_block(std::string&& block);

  static constexpr std::size_t kReadBufferBytes = std::size_t{128} << 10;
  static constexpr std::size_t kBlockBytes = std::size_t{16} << 10;

 private:
  static constexpr int kCallbacksPerTurn = 32;
  static constexpr std::size_t kSpareBlocksMax = 256;

  void turn(Micros wait_max);  // negative: as long as it takes
  std::size_t run_first(Micros wait_max);
  void run_posted();
  void run_due();
  void run_turn_end();
  void wake();

  const Clock* const clock_;
  std::multimap<Micros, Task> due_;  // with a clock only
  int callbacks_ = 0;                // of the last turn
  std::unique_ptr<std::byte[]> read_buffer_;
  std::vector<std::string> spare_blocks_;
  std::vector<std::shared_ptr<TurnEnd>> turn_end_;
  std::vector<std::shared_ptr<TurnEnd>> turn_end_running_;
  std::vector<Task> posted_running_;
  std::mutex posted_mutex_;  // tasks come from any thread; held for a push or a swap only
  std::vector<Task> posted_;
  std::atomic<bool> is_stopping_ = false;
  std::atomic<std::thread::id> thread_{};  // who runs the loop now
  std::unique_ptr<boost::asio::io_context> io_;
};

}  // namespace ficus::net
