#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "history/history.h"

namespace ficus::history {

// Everything of one log record that history keeps.
struct FeedItem {
  std::uint32_t shard = 0;
  std::uint64_t position_end = 0;  // the log position after the record; grows with every item
  // History has had the record, but lost some of it with a damaged file (History::wanted): the
  // position before it. Such items may come at any time, in any order.
  std::optional<std::uint64_t> again_after = std::nullopt;
  std::vector<Rows> rows;
  std::string source;  // of the quarantined items
  Timestamp received_at;
  std::vector<QuarantinedItem> quarantined;
};

// Who runs the feed: a thread of its own, or its owner by calls of turn() (simulation).
enum class FeedPlace : std::uint8_t { own_thread, driven };

struct FeedOptions {
  FeedPlace place = FeedPlace::own_thread;
  std::size_t queue_items_max = 4096;
  Micros commit_interval = Micros::from_millis(150);
  // Commits earlier when so many rows wait. DuckDB writes whole row groups (122,880 rows) of one
  // transaction to their place at once; the rest goes through its log and is written twice.
  std::uint64_t commit_rows_max = 2 * 122'880;
  // While rows come so fast that a commit would take more than this, it waits for whole row groups,
  // up to `commit_interval_busy`.
  std::uint64_t commit_rows_busy = 40'000;
  Micros commit_interval_busy = Micros::from_millis(500);
  Micros maintain_interval = Micros::from_seconds(1);
  Micros retry_after = Micros::from_seconds(1);  // after a failed commit
};

// What the feed tells its owner. Called by the feed's thread; must return quickly.
struct FeedEvents {
  std::function<void(const MaintenanceReport&)> maintained;  // only reports that are not empty
  // A commit or maintenance failed; nothing is lost, it is tried again after retry_after.
  // `failures` in a row, so that the owner can log the first and then fewer.
  std::function<void(const Error&, std::uint64_t failures)> failed;
  std::function<void()> recovered;
};

// The thread that carries durable facts into a History. Engine shards (any thread) push; the queue
// is bounded, and a full queue is the shard's signal to slow its senders down. Nothing is dropped:
// while the database refuses, the queue fills and pushes wait.
class HistoryFeed {
 public:
  // `history` and `clock` are borrowed and outlive the feed. Starts the thread, if it has one.
  // `positions` is what history.positions() gave, extended to the number of shards.
  HistoryFeed(History& history, const Clock& clock, FeedOptions options, FeedEvents events,
              std::span<const std::uint64_t> positions);
  HistoryFeed(const HistoryFeed&) = delete;
  HistoryFeed& operator=(const HistoryFeed&) = delete;
  ~HistoryFeed();  // flush_and_stop with no time to wait for a database that refuses

  // False if the queue is full or stopped; `item` is then untouched. Items of one shard must come
  // in the order of their positions.
  bool try_push(FeedItem&& item) { return queue_.try_push(std::move(item)); }
  // Waits for room. False if the feed was stopped.
  bool push(FeedItem&& item);

  // One turn: takes what is queued, commits what is due. False when there is nothing more to do
  // after a stop. Without a thread of its own the owner calls it, and it never waits.
  bool turn();

  // Runs the task on the feed's thread, between commits. False if the feed has ended. Any thread.
  bool run_between_commits(std::move_only_function<void()> task);

  // Up to here the shard's log is in history, durably: the log may forget it. Any thread.
  std::uint64_t committed_position(std::uint32_t shard) const;
  std::size_t queue_size() const { return queue_.size(); }

  // Takes nothing more, commits what is queued, ends the thread. While commits fail it goes on
  // trying for `patience`; what is not committed by then is in the log and will be replayed.
  Status flush_and_stop(Micros patience);

 private:
  void run();
  void end();
  bool is_driven() const { return options_.place == FeedPlace::driven; }
  void take(FeedItem& item);
  void take_rows(FeedItem& item);
  bool commit();
  void maintain();
  void run_tasks();

  History& history_;
  const Clock& clock_;
  const FeedOptions options_;
  const FeedEvents events_;
  BoundedQueue<FeedItem> queue_;
  std::vector<std::uint64_t> taken_;  // per shard, appended to history_
  std::vector<std::atomic<std::uint64_t>> committed_;
  std::vector<FeedItem> items_;  // scratch
  Micros commit_at_;
  Micros maintain_at_;
  bool is_open_ = true;
  std::uint64_t rows_pending_ = 0;
  std::uint64_t failures_ = 0;
  bool dirty_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::int64_t> stop_by_ = 0;  // Clock::monotonic, when stopping
  Status last_;
  std::mutex tasks_mutex_;  // one task in hours
  std::vector<std::move_only_function<void()>> tasks_;
  bool has_ended_ = false;
  std::thread thread_;
};

}  // namespace ficus::history
