#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/logger.h"
#include "connect/ingest/ingest.h"
#include "connect/ingest/source_set.h"
#include "connect/mqtt/mqtt_notifier.h"
#include "connect/mqtt/mqtt_server.h"
#include "engine/engine.h"
#include "history/feed.h"
#include "model/zone_set.h"
#include "sim_disk.h"
#include "sim_history.h"
#include "sim_ports.h"

namespace ficus::sim {

// How one simulated installation is configured; drawn from the seed, the same over restarts.
struct BrainOptions {
  std::size_t shards = 1;
  std::uint64_t segment_bytes_max = std::uint64_t{32} << 10;
  std::uint64_t snapshot_every_bytes = std::uint64_t{64} << 10;
  std::size_t snapshot_values_a_turn = 64;  // the smallest share that there is
  std::size_t queue_batches_max = 16;
  std::size_t feed_items_max = 64;
  std::size_t session_messages_max = 5000;
  std::size_t duplicate_window_rows = 1 << 16;
};

inline constexpr const char* kDataDirectory = "/data";

// The process: the parts that src/app/brain.cc builds, wired as there, in one thread on the
// simulated disk and clock. Destroying it is a kill.
class SimBrain {
 public:
  struct Machine {
    SimDisk& disk;
    ManualClock& clock;
    HistoryStore& history;
    std::FILE* log;  // null: no lines are wanted
  };
  static Result<std::unique_ptr<SimBrain>> open(const Machine& machine,
                                                const BrainOptions& options);
  ~SimBrain();
  SimBrain(const SimBrain&) = delete;
  SimBrain& operator=(const SimBrain&) = delete;

  // One slice of every thread that the real process has. Syncs wait if told so.
  void turn(bool syncs, bool feeds);
  // SIGTERM: as Brain::Parts::begin_stop. False if it did not end in bounded simulated time.
  bool stop();

  std::shared_ptr<Wire> connect(Port port);
  SimPorts& ports() { return *ports_; }
  bool takes_data() const { return !ingest_->refusal(); }
  // Another set of rules holds; `done` when it is durable.
  void change_rules(bool has_extra, Completion done);

  Engine& engine() { return *engine_; }
  connect::MqttServer& mqtt() { return *mqtt_; }
  history::HistoryFeed& feed() { return *feed_; }
  const Schema& schema() const { return schema_; }
  // Null if the books cannot be had now.
  std::map<std::string, SourceBooks, std::less<>> books();

  // A number of an entity as the present has it; nothing if there is none.
  std::optional<double> number_now(const std::string& id, const std::string& attribute);

  // A shard's views without the shard: what a log is folded into.
  struct Fold;
  static std::unique_ptr<Fold> new_fold(bool keeps_configuration_entity,
                                        const BrainOptions& options, const Clock& clock);

 private:
  SimBrain(const Machine& machine, const BrainOptions& options);
  Status open();
  Status open_engine();
  Status open_broker();

  const Machine machine_;
  const BrainOptions options_;
  Logger logger_;
  Intake intake_;
  Schema schema_;
  std::unique_ptr<SimHistory> history_;
  std::unique_ptr<history::HistoryFeed> feed_;
  std::unique_ptr<Engine> engine_;
  net::EventLoop loop_;
  net::Timer intake_timer_{loop_};
  std::unique_ptr<connect::Ingest> ingest_;
  connect::SourceSet sources_;
  std::unique_ptr<connect::MqttServer> mqtt_;
  std::unique_ptr<connect::MqttNotifier> notifier_;
  std::unique_ptr<SimPorts> ports_;
};

struct SimBrain::Fold {
  Schema schema;
  std::unique_ptr<ShardState> state;
};

}  // namespace ficus::sim
