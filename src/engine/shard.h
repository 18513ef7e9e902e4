#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "engine/commit_log.h"
#include "engine/delivery.h"
#include "engine/latency.h"
#include "engine/shard_state.h"
#include "history/feed.h"

namespace ficus {

struct ShardOptions {
  std::uint32_t index = 0;
  std::string directory;
  std::size_t queue_items_max = 256;
  CommitLogOptions log;
  Configuration configuration;        // that holds now; what the log says of it may differ
  std::uint64_t log_known_until = 0;  // the log is damaged if it ends before
  Micros history_patience_at_stop = Micros::from_seconds(3);  // without a step of its own
};

struct ShardParts {
  Disk& disk;
  const Clock& clock;
  Logger& logger;
  history::HistoryFeed& history;
  const std::atomic<bool>& followers;  // whether anybody wants settled batches
};

// One shard at work: its state, its log, its queue and, between start() and stop(), its thread.
// Everything that happens to its entities happens in the order of its queue.
//
// A step is written and synced with its neighbours (group commit). Until it may be acknowledged its
// completion, its rows for the history and its batches for followers wait in `pending_`; until it
// is on the device, its rows wait in `unfed_`: the history never knows more than the log would
// after a power loss.
//
// While the log cannot be written, or history is far behind, the queue is left alone and so fills,
// which slows senders down. Questions are answered all the same. A turn is short, however much is
// there: steps are bounded (slices.h, ShardState), and after some the turn ends. A snapshot is
// taken in shares, a share a turn, and written on a thread of its own.
class Shard final : private LogFold {
 public:
  struct Heard {
    std::string source;
    SourceBatch batch;
    Completion done;
  };
  struct Operate {
    AlertCommand command;
    Completion done;  // with the error, or when durable
  };
  struct Change {
    Configuration configuration;
    rules::RuleBook next;
    Completion done;  // with the error, or when durable
  };
  using Look = std::move_only_function<void(const ShardState&, const Shard&)>;
  using Item = std::variant<Heard, Operate, Change>;

  // Restores the newest snapshot, replays the log behind it, feeds history what it lacks.
  static Result<std::unique_ptr<Shard>> open(const ShardParts& parts, const ShardOptions& options,
                                             std::unique_ptr<ShardState> state,
                                             std::uint64_t history_position);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  void start(DeliverySink& sink);
  // Refuses what comes from now on. Any thread.
  void take_no_more();
  // Works off the queue, makes it durable, ends the thread.
  void finish();
  // Saves a snapshot if history has everything, closes the log. REQUIRES: finish().
  Status close();

  BoundedQueue<Item>& queue() { return queue_; }
  const BoundedQueue<Item>& queue() const { return queue_; }
  // Has the shard's thread look at its state, in front of what is queued. False if it has ended.
  // Any thread.
  bool ask(Look&& look);
  const CommitLog& log() const { return *log_; }
  const Latency& acknowledge_latency() const { return acknowledge_latency_; }
  CommitLog& log() { return *log_; }
  std::uint64_t history_position() const {
    return parts_.history.committed_position(options_.index);
  }

  // Whether shares of a snapshot are still to be gathered. The shard's thread.
  bool is_taking_snapshot() const { return snapshot_ && snapshot_->taken == nullptr; }

  // One turn: takes what is queued (waiting at most `wait`), works it off, commits, releases what
  // is durable. False when the queue is closed and everything is durable. The thread's loop, and
  // simulation's.
  bool turn(Micros wait, DeliverySink& sink);

 private:
  struct Pending {
    log::Position end;
    Micros taken_at;  // monotonic
    Status status;
    Completion done;  // may be empty
    std::vector<SettledBatch> settled;
    std::string source;
    Timestamp received_at;
    std::vector<QuarantinedItem> quarantined;
  };

  Shard(const ShardParts& parts, const ShardOptions& options, std::unique_ptr<ShardState> state,
        std::uint64_t history_position);
  Status recover();
  Status take_over_configuration();
  Status restore(const Sections& sections) override;
  Status replay(std::string_view payload, Timestamp time, log::Position end) override;
  void answer_questions();
  void enqueue(Item&& item);
  void work_off_backlog();
  void work_off(Item& item);
  bool is_stalled() const;
  bool give_up_if_hopeless(DeliverySink& sink);
  void feed_history();
  void add(Step&& step, Completion&& done);
  void append(Timestamp time, std::string_view record);
  void commit();
  void release(DeliverySink& sink);
  void fail_waiting(const Error& error, DeliverySink& sink);
  history::FeedItem feed_item(Pending& pending) const;
  void snapshot_if_due();
  void take_snapshot();
  Micros wait_at_most(Micros wait_max) const;

  const ShardParts parts_;
  const ShardOptions options_;
  const std::uint64_t history_position_at_open_;
  std::unique_ptr<ShardState> state_;
  BoundedQueue<Item> queue_;
  BoundedQueue<Look> questions_{0};  // few, and taken beyond the limit
  std::unique_ptr<CommitLog> log_;
  std::deque<Item> backlog_;  // taken off the queue, in slices that make a step each
  std::deque<Pending> pending_;
  std::deque<history::FeedItem> unfed_;
  std::vector<Item> items_;  // scratch
  std::vector<Look> looks_;  // scratch
  Latency acknowledge_latency_;
  std::size_t turn_bytes_ = 0;  // what this turn has written
  std::size_t turn_rows_derived_ = 0;
  bool uncommitted_ = false;  // something was appended and not yet written
  std::uint64_t commit_failures_ = 0;
  std::optional<Micros> history_awaited_since_;  // when stopping
  bool history_is_full_ = false;
  bool history_abandoned_ = false;  // it gets the rest from the log, at the next start
  std::thread thread_;

  // A snapshot that is being taken, or that waits for history to reach its position.
  struct Snapshot {
    log::Position position;
    std::unique_ptr<ShardCapture> taken;  // null: the state is still at it
  };
  std::optional<Snapshot> snapshot_;
};

}  // namespace ficus
