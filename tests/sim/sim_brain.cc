#include "sim_brain.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "connect/mapping/sources_file.h"
#include "connect/mapping/types_file.h"

namespace ficus::sim {
namespace {

constexpr std::string_view kTypes = R"(
types:
  Vehicle:
    attributes:
      speed: {kind: number}
      seq: {kind: number}
  Noise:
    attributes:
      value: {kind: number}
)";

constexpr std::string_view kSources = R"(
sources:
  - name: vehicles
    mqtt: {topic: "city/vehicle/{vehicle}"}
    map:
      type: Vehicle
      id: "urn:ngsi-ld:Vehicle:{vehicle}"
      observed_at: {path: $.ts, format: unix_ms}
      attributes:
        speed: {path: $.speed}
        seq: {path: $.seq}
  - name: gateways
    http: {}
    map:
      type: Vehicle
      id: "urn:ngsi-ld:Vehicle:{$.vehicle}"
      observed_at: {path: $.ts, format: unix_ms}
      attributes:
        speed: {path: $.speed}
        seq: {path: $.seq}
  - name: hostile
    http: {}
    map:
      type: Noise
      id: "urn:ngsi-ld:Noise:{$.id}"
      observed_at: received
      attributes:
        value: {path: $.value}
  - name: coast
    ais: {listen: "tcp://127.0.0.1:10110"}
  - name: harbour
    ais: {listen: "udp://127.0.0.1:10111"}
  - name: hostile-coast
    ais: {listen: "tcp://127.0.0.1:10112"}
)";

constexpr const char* kRules = R"sql(
CREATE RULE overspeed AS INSERT INTO Alert (severity, assignedTo)
  SELECT 'high', 'police' FROM Vehicle WHERE speed > 60;
CREATE RULE lasting AS INSERT INTO Alert (severity, assignedTo)
  SELECT 'medium', 'traffic' FROM Vehicle WHERE held(speed > 40, INTERVAL '10 seconds');
CREATE RULE silent AS INSERT INTO Alert (severity)
  SELECT 'low' FROM Vehicle WHERE absent(INTERVAL '1 minute');
CREATE RULE slow AS INSERT INTO Jam (level) SELECT speed FROM Vehicle WHERE speed < 5;
CREATE RULE standing AS INSERT INTO Alert (severity) SELECT 'medium' FROM Jam WHERE level < 2;
)sql";
constexpr const char* kExtraRule = R"sql(
CREATE RULE extra AS INSERT INTO Alert (severity) SELECT 'low' FROM Vehicle WHERE speed > 20;
)sql";

constexpr std::size_t kStopTurnsMax = 5000;

Result<rules::RuleSetPtr> compile(Schema& schema, bool has_extra) {
  std::vector<rules::RuleFile> files{{"rules.sql", kRules}};
  if (has_extra) files.push_back({"extra.sql", kExtraRule});
  return rules::RuleSet::compile(files, schema, std::make_shared<const ZoneSet>());
}

Configuration configuration(bool has_extra, const char* by) {
  return {by, {{"rules", has_extra ? 2U : 1U}}};
}

Status declare(Schema& schema) {
  FICUS_TRY_VOID(AlertAttributes::declare(schema));
  FICUS_TRY_VOID(ConfigurationAttributes::declare(schema));
  FICUS_TRY_VOID(connect::TypesFile::load(kTypes, "types.yaml", schema));
  FICUS_TRY_VOID(connect::declare_vessel_type(schema));
  return {};
}

CommitLogOptions log_options(const BrainOptions& options, std::uint32_t salt, Intake* intake) {
  CommitLogOptions log;
  log.log.segment_bytes_max = options.segment_bytes_max;
  log.log.salt = salt;
  log.sync_place = SyncPlace::driven;
  log.snapshot_every_bytes = options.snapshot_every_bytes;
  log.snapshot_values_a_turn = options.snapshot_values_a_turn;
  log.intake = intake;
  return log;
}

ShardStateOptions state_options(const BrainOptions& options) {
  ShardStateOptions state;
  state.twin.duplicate_window_rows = options.duplicate_window_rows;
  return state;
}

constexpr std::uint64_t kReserveBytes = std::uint64_t{64} << 10;

}  // namespace

SimBrain::SimBrain(const Machine& machine, const BrainOptions& options)
    : machine_(machine),
      options_(options),
      logger_(machine.clock, machine.log == nullptr ? stderr : machine.log,
              machine.log == nullptr ? static_cast<LogLevel>(static_cast<int>(LogLevel::error) + 1)
                                     : LogLevel::info),
      intake_(machine.disk, machine.clock, logger_,
              {.directory = kDataDirectory, .reserve_bytes = kReserveBytes}),
      loop_(machine.clock) {}

SimBrain::~SimBrain() {
  // From here on nothing is written or said.
  machine_.disk.die_now();
  ports_.reset();
  notifier_.reset();
  mqtt_.reset();
  ingest_.reset();
  engine_.reset();
  feed_.reset();
}

Result<std::unique_ptr<SimBrain>> SimBrain::open(const Machine& machine,
                                                 const BrainOptions& options) {
  std::unique_ptr<SimBrain> brain(new SimBrain(machine, options));
  FICUS_TRY_VOID(brain->open());
  return brain;
}

Status SimBrain::open() {
  intake_.look();
  FICUS_TRY_VOID(declare(schema_));
  FICUS_TRY_VOID(open_engine());
  FICUS_TRY_VOID(open_broker());
  FICUS_TRY(ports_, SimPorts::open({.loop = loop_,
                                    .ingest = *ingest_,
                                    .sources = sources_,
                                    .schema = schema_,
                                    .clock = machine_.clock,
                                    .logger = logger_}));
  return {};
}

Status SimBrain::open_engine() {
  history_ = std::make_unique<SimHistory>(machine_.history, machine_.disk, schema_);
  FICUS_TRY(const std::vector<std::uint64_t> positions, history_->positions());
  history::FeedOptions feed;
  feed.place = history::FeedPlace::driven;
  feed.queue_items_max = options_.feed_items_max;
  feed_ = std::make_unique<history::HistoryFeed>(*history_, machine_.clock, feed,
                                                 history::FeedEvents{}, positions);
  EngineOptions options;
  options.data_directory = kDataDirectory;
  options.shards = options_.shards;
  options.log = log_options(options_, 0x5a17ed42, &intake_);
  options.state = state_options(options_);
  options.queue_batches_max = options_.queue_batches_max;
  FICUS_TRY(options.rules, compile(schema_, false));
  options.configuration = configuration(false, "start");
  FICUS_TRY(engine_, Engine::open({.disk = machine_.disk,
                                   .clock = machine_.clock,
                                   .logger = logger_,
                                   .schema = schema_,
                                   .history = *feed_,
                                   .history_positions = positions,
                                   .history_known_positions = {},
                                   .intake = &intake_},
                                  std::move(options)));
  if (engine_->history_gaps().empty()) return {};
  return fail(ErrorCode::corrupt, "the log no longer has what history lacks");
}

Status SimBrain::open_broker() {
  ingest_ = std::make_unique<connect::Ingest>(*engine_, loop_, machine_.clock);
  intake_timer_.start_repeating(Micros::from_millis(100), [this] { intake_.look(); });
  FICUS_TRY(connect::SourcesFile loaded,
            connect::SourcesFile::load(kSources, "sources.yaml",
                                       {.schema = schema_, .disk = machine_.disk}));
  for (connect::SourceDeclaration& declaration : loaded.sources) {
    const SourceId id = engine_->intern_source(declaration.name);
    FICUS_TRY_VOID(sources_.add(id, std::move(declaration)));
  }
  connect::MqttServerOptions options;
  options.listens = false;
  options.session_messages_max = options_.session_messages_max;
  FICUS_TRY(mqtt_, connect::MqttServer::open({.loop = loop_,
                                              .ingest = *ingest_,
                                              .sources = sources_,
                                              .disk = machine_.disk,
                                              .clock = machine_.clock,
                                              .logger = logger_,
                                              .data_directory = kDataDirectory},
                                             log_options(options_, 0x17ed425a, &intake_), options));
  notifier_ = std::make_unique<connect::MqttNotifier>(*mqtt_, *ingest_, schema_);
  return {};
}

void SimBrain::turn(bool syncs, bool feeds) {
  loop_.run_turn({});
  (void)engine_->turn(*ingest_);
  if (syncs) {
    for (CommitLog* const log : engine_->logs()) log->sync_if_asked();
    mqtt_->log().sync_if_asked();
  }
  if (feeds) (void)feed_->turn();
  loop_.run_turn({});
}

bool SimBrain::stop() {
  mqtt_->drain();
  ports_->drain();
  engine_->take_no_more();
  bool is_open = true;
  for (std::size_t turns = 0; is_open; ++turns) {
    if (machine_.disk.is_dead()) return true;
    if (turns == kStopTurnsMax) return false;
    is_open = engine_->turn(*ingest_);
    for (CommitLog* const log : engine_->logs()) log->sync_if_asked();
    mqtt_->log().sync_if_asked();
    (void)feed_->turn();
    loop_.run_turn({});
    machine_.clock.advance(Micros::from_millis(5));
  }
  (void)engine_->stop();
  for (int i = 0; i < 20; ++i) {
    loop_.run_turn({});
    mqtt_->log().sync_if_asked();
  }
  mqtt_->say_goodbye();
  (void)mqtt_->close();
  return true;
}

std::shared_ptr<Wire> SimBrain::connect(Port port) {
  auto wire = std::make_shared<Wire>();
  auto link = std::make_unique<SimLink>(wire, machine_.disk.death());
  if (port == Port::mqtt) {
    mqtt_->accept(std::move(link));
  } else {
    ports_->accept(port, std::move(link));
  }
  return wire;
}

void SimBrain::change_rules(bool has_extra, Completion done) {
  auto rules = compile(schema_, has_extra);
  FICUS_CHECK(rules.has_value());
  engine_->change(configuration(has_extra, "signal"), *rules, std::move(done));
}

std::map<std::string, SourceBooks, std::less<>> SimBrain::books() {
  std::map<std::string, SourceBooks, std::less<>> books;
  engine_->books([&](auto all) { books = std::move(all); });
  (void)engine_->turn(*ingest_);
  return books;
}

std::optional<double> SimBrain::number_now(const std::string& id, const std::string& attribute) {
  std::optional<double> number;
  engine_->find(id, [&](Result<twin::EntityView> entity) {
    if (!entity) return;
    const auto wanted = schema_.find_attribute(entity->type, attribute);
    for (const twin::AttributeView& each : entity->attributes) {
      if (wanted == each.attribute && each.value.kind() == ValueKind::number) {
        number = each.value.as_number();
      }
    }
  });
  (void)engine_->turn(*ingest_);
  return number;
}

std::unique_ptr<SimBrain::Fold> SimBrain::new_fold(bool keeps_configuration_entity,
                                                   const BrainOptions& options,
                                                   const Clock& clock) {
  auto fold = std::make_unique<Fold>();
  FICUS_CHECK(declare(fold->schema).has_value());
  const auto rules = compile(fold->schema, false);
  FICUS_CHECK(rules.has_value());
  ShardStateOptions state = state_options(options);
  state.keeps_configuration_entity = keeps_configuration_entity;
  fold->state =
      std::make_unique<ShardState>(fold->schema, rules::RuleBook(*rules, fold->schema, &clock),
                                   *AlertAttributes::declare(fold->schema), state);
  return fold;
}

}  // namespace ficus::sim
