#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/logger.h"
#include "engine/alert_command.h"
#include "engine/books.h"
#include "engine/commit_log.h"
#include "engine/configuration.h"
#include "engine/delivery.h"
#include "engine/intake.h"
#include "engine/shard_state.h"
#include "history/feed.h"
#include "model/schema.h"
#include "model/source_batch.h"
#include "twin/query.h"
#include "twin/twin.h"

namespace ficus {

class Shard;

struct EngineOptions {
  std::string data_directory;
  std::size_t shards = 1;  // fixed when the data directory is created
  CommitLogOptions log;
  ShardStateOptions state;
  std::size_t queue_batches_max = 256;  // per shard; a full queue slows the senders down
  rules::RuleSetPtr rules;              // compiled with the schema of EngineParts
  Configuration configuration;
};

// What the engine borrows from main; all of it outlives the engine.
struct EngineParts {
  Disk& disk;
  const Clock& clock;
  Logger& logger;
  Schema& schema;
  history::HistoryFeed& history;
  std::span<const std::uint64_t> history_positions;  // per shard, as the history had them at start
  // Up to where each log is known to have been, if that is more.
  std::span<const std::uint64_t> history_known_positions = {};
  std::span<const history::HistoryGap> history_wanted = {};  // what it lost of what it had
  Intake* intake = nullptr;                                  // null: always open
};

struct RuleStatus {
  std::string name;
  std::string comment;
  std::string text;
  std::string file;
  std::string from;
  std::string into;
  std::uint64_t rows_seen = 0;
  std::uint64_t rows_met = 0;
  std::uint64_t raised = 0;
  std::uint64_t failures = 0;
  double nanoseconds = 0;
  std::string last_error;

  void add(const RuleStatus& other);  // the same rule in another shard
};

struct ShardStatus {
  std::map<std::string, std::uint64_t> entities_by_type;
  std::uint64_t entities = 0;
  std::uint64_t twin_bytes = 0;
  std::uint64_t log_begin = 0;
  std::uint64_t log_end = 0;
  std::uint64_t log_durable = 0;
  std::uint64_t history_position = 0;
  std::uint64_t queue_length = 0;  // batches that wait
  std::uint64_t queue_max = 0;
  std::uint64_t alerts_open = 0;
  // From a step's taking until it may be acknowledged: recently, and the longest in a minute.
  Micros acknowledge_mean;
  Micros acknowledge_max;
};

struct EngineStatus {
  std::vector<ShardStatus> shards;
  std::vector<RuleStatus> rules;  // summed over shards
};

// The whole brain: the shards, what goes in, what may be asked. Thread-safe after open(), except
// start and stop. Answers and completions run on a shard's thread: they must be short and hand on.
class Engine {
 public:
  // Recovers every shard from its snapshot and log; rebuilds the views.
  static Result<std::unique_ptr<Engine>> open(const EngineParts& parts, EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Starts one thread a shard. The sink outlives the engine.
  void start(DeliverySink& sink);
  // In place of start(), for simulation: one turn of every shard in the caller's thread, without
  // waiting. False when nothing is left to do after take_no_more().
  bool turn(DeliverySink& sink);
  // Refuses what comes from now on.
  void take_no_more();
  // Takes nothing more, finishes what is queued, writes snapshots, closes the logs.
  Status stop();

  // A source by its name, once at the edge.
  SourceId intern_source(std::string_view name);
  std::string source_name(SourceId source) const;

  // Hands over a batch; `done` runs when all of it is durable. False if a queue is full: nothing
  // was taken, both arguments are untouched, and the caller slows its sender down and tries again.
  bool try_submit(SourceBatch&& batch, Completion&& done);
  // Whether settled batches are delivered. Off by default: nobody listens, nothing is handed on.
  void set_followers(bool present) { followers_.store(present, std::memory_order_relaxed); }

  using OnAnswer = std::move_only_function<void(Result<twin::QueryAnswer>)>;
  using OnEntity = std::move_only_function<void(Result<twin::EntityView>)>;
  using OnBooks = std::move_only_function<void(std::map<std::string, SourceBooks, std::less<>>)>;
  using OnStatus = std::move_only_function<void(EngineStatus)>;
  void query(twin::EntityQuery query, OnAnswer on_answer);
  void find(std::string id, OnEntity on_entity);
  void operate_alert(AlertCommand command, OnEntity on_alert);  // answered when durable
  void books(OnBooks on_books);
  void status(OnStatus on_status);

  // Why nothing new may come in now, if so; every way in asks before it takes something.
  std::optional<Error> refusal() const {
    return parts_.intake == nullptr ? std::nullopt : parts_.intake->refusal();
  }

  // Lets other rules hold in every shard from one step to the next; a batch is seen by the old
  // rules or by the new ones. What becomes of the rules' state stands at ShardState::change. `done`
  // runs when it is durable in all shards.
  void change(const Configuration& configuration, const rules::RuleSetPtr& rules, Completion done);

  // What neither history nor the log had at start, though the present knows it.
  const std::vector<history::HistoryGap>& history_gaps() const { return history_gaps_; }

  // The logs, by shard: for those who copy their files.
  std::vector<CommitLog*> logs();

  Schema& schema() { return parts_.schema; }
  std::size_t shard_count() const { return shards_.size(); }

 private:
  Engine(const EngineParts& parts, EngineOptions options);
  std::size_t shard_of(std::string_view id) const;
  bool try_submit_parts(SourceBatch&& batch, Completion&& done);
  std::vector<SourceBatch> split(SourceBatch&& batch) const;
  // Asks every shard, on its thread; `on_all` runs on the thread of the last to answer. A shard
  // that is stopping answers T{}.
  template <typename T>
  void ask_all(const std::function<T(const ShardState&, const Shard&)>& ask,
               std::move_only_function<void(std::vector<T>)> on_all);

  const EngineParts parts_;
  const EngineOptions options_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<history::HistoryGap> history_gaps_;
  std::atomic<bool> followers_ = false;

  std::mutex submit_mutex_;  // with several shards: all parts of a batch are taken, or none
  mutable std::shared_mutex sources_mutex_;  // sources are interned at start and on reload only
  std::vector<std::string> sources_;
};

}  // namespace ficus
