#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "history/duck.h"

namespace ficus::history {

// Why a query was ended before its time.
enum class StopReason : std::uint8_t { time, memory, size, cancelled };

// Watches over the running queries: interrupts one whose time is up, who was cancelled, or, when
// all together use too much memory, the one that seems to have most of it. DuckDB counts for the
// whole database only, so what the memory grows by between two looks is put down to those that run
// then, to each by the time it ran: whoever runs for long while it grows comes to have most. What
// grows while the history seals is put down to that in the same way, and no query pays for it. A
// thread of its own, asleep while nothing runs. DuckDB forgets an interrupt that comes before a
// query has begun, so it is repeated until the query is gone. Thread-safe; outlives all queries.
class QueryWatch {
 public:
  // `clock` is borrowed.
  explicit QueryWatch(const Clock& clock);
  QueryWatch(const QueryWatch&) = delete;
  QueryWatch& operator=(const QueryWatch&) = delete;
  ~QueryWatch();

  // While it lives the connection is watched. `deadline` is Clock::monotonic.
  class Guard {
   public:
    Guard(QueryWatch& watch, DuckConnection& connection, Micros deadline,
          std::uint64_t memory_bytes_max);
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard();

    // Also ends the query when this says so (StopReason::size); asked by the watch's thread.
    void set_size_check(std::function<bool()> is_too_large);
    void stop(StopReason reason);  // any thread
    std::optional<StopReason> stopped() const;

   private:
    QueryWatch& watch_;
    DuckConnection* connection_;
    Micros since_;  // Clock::monotonic
    Micros deadline_;
    std::uint64_t memory_bytes_max_;
    std::function<bool()> is_too_large_;
    std::optional<StopReason> reason_;
    double charged_bytes_ = 0;
    friend class QueryWatch;
  };

  // Where to ask for memory in use; null when there is no database. Set before the first query.
  void set_database(DuckDatabase* database);
  // The history's own work that needs much memory (sealing, merging) is under way.
  void set_upkeep(bool is_running);
  // Interrupts everything that runs.
  void stop_all();

 private:
  void run();
  void look();
  void look_at_memory();
  void charge(double bytes);
  std::uint64_t query_memory_bytes();

  const Clock& clock_;
  mutable std::mutex mutex_;  // queries come from any thread; what it guards is touched seldom
  std::condition_variable changed_;
  std::vector<Guard*> guards_;
  double memory_bytes_ = 0;  // at the last look
  Micros last_charge_;
  std::optional<Micros> upkeep_since_;  // Clock::monotonic; none while there is no such work
  int looks_since_stop_ = 0;            // for too much memory: it takes a while to be given back
  std::unique_ptr<DuckConnection> memory_connection_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace ficus::history
