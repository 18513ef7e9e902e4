#include "app/brain.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "api/api_server.h"
#include "api/metrics.h"
#include "app/access_setup.h"
#include "app/backup_service.h"
#include "app/connectors.h"
#include "app/ports.h"
#include "app/process_figures.h"
#include "app/reload.h"
#include "app/service_notice.h"
#include "app/source_links.h"
#include "base/hash.h"
#include "connect/ais/vessel_mapping.h"
#include "connect/http/http_ingest.h"
#include "connect/mqtt/mqtt_notifier.h"
#include "connect/mqtt/mqtt_server.h"
#include "engine/engine.h"
#include "history/duck_history.h"
#include "history/feed.h"

namespace ficus::app {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
// A disk at 500 MB/s fills 50 MB in between; the reserve must be more.
constexpr Micros kLookAtDiskEvery = Micros::from_millis(100);
// From the signal to the last answers being on their way; the rest of the five seconds is for
// closing.
constexpr Micros kFlushOnStop = Micros::from_millis(300);

constexpr Micros kAccessSweep = Micros::from_seconds(30);

std::size_t to_size(int v) { return static_cast<std::size_t>(v); }

CommitLogOptions log_options(const Config& config, std::uint64_t seed, Intake* intake) {
  CommitLogOptions options;
  options.log.segment_bytes_max = to_size(config.log.segment_mib_max) * kMiB;
  options.log.salt = static_cast<std::uint32_t>(hash_mix(seed, 0x5a17));
  options.policy = config.log.sync;
  options.sync_interval = Micros::from_millis(config.log.sync_interval_ms);
  options.snapshot_every_bytes = to_size(config.log.snapshot_mib_every) * kMiB;
  options.intake = intake;
  return options;
}

history::DuckHistoryOptions history_options(const Config& config) {
  history::DuckHistoryOptions options;
  options.directory = config.data_directory + "/history";
  options.shard_count = static_cast<std::uint32_t>(config.shards);
  options.tail_rows_max = to_size(config.history.tail_rows_max);
  options.tail_age_max = Micros::from_hours(config.history.tail_hours_max);
  options.retention_days = config.history.retention_days;
  options.memory_bytes_max = to_size(config.history.memory_mib_max) * kMiB;
  options.threads = static_cast<std::uint32_t>(config.history.threads);
  options.queries_max = static_cast<std::uint32_t>(config.sql.running_max);
  return options;
}

void log_maintenance(Logger& logger, const history::MaintenanceReport& report) {
  for (const std::string& file : report.sealed) logger.info("history", "sealed", {{"file", file}});
  for (const std::string& file : report.merged) {
    logger.info("history", "merged into a larger file", {{"file", file}});
  }
  for (const std::string& file : report.expired) {
    logger.info("history", "expired", {{"file", file}});
  }
  for (const std::string& file : report.orphans_removed) {
    logger.info("history", "removed an unfinished file", {{"file", file}});
  }
  for (const std::string& what : report.set_aside) {
    logger.error("history", "set a damaged file aside", {{"what", what}});
  }
  for (const std::string& file : report.wanted) {
    logger.warning("history", "wants the rows of a damaged file again from the log",
                   {{"file", file}});
  }
  for (const std::string& file : report.restored) {
    logger.info("history", "has the rows of a damaged file again", {{"file", file}});
  }
  for (const std::string& what : report.problems) {
    logger.warning("history", "will try again", {{"what", what}});
  }
}

history::FeedEvents feed_events(Logger& logger) {
  history::FeedEvents events;
  events.maintained = [&logger](const history::MaintenanceReport& report) {
    log_maintenance(logger, report);
  };
  events.failed = [&logger](const Error& error, std::uint64_t failures) {
    // The first, then ever fewer.
    if ((failures & (failures - 1)) == 0) {
      logger.error("history", "cannot write; the log keeps everything until it can",
                   {{"error", error.message}, {"failures", std::to_string(failures)}});
    }
  };
  events.recovered = [&logger] { logger.info("history", "can be written again"); };
  return events;
}

// The types that the brain itself writes or understands.
Status declare_own_types(Schema& schema) {
  FICUS_TRY_VOID(AlertAttributes::declare(schema));
  FICUS_TRY_VOID(ConfigurationAttributes::declare(schema));
  FICUS_TRY_VOID(connect::AuditAttributes::declare(schema));
  FICUS_TRY_VOID(declare_marks(schema));
  return connect::declare_vessel_type(schema);
}

// The number of shards decides where each entity lives, so it may not change under existing data.
Status check_shard_count(const Config& config, Disk& disk) {
  const std::string path = config.data_directory + "/shards";
  const std::string text = std::to_string(config.shards) + "\n";
  if (!disk.exists(path)) {
    return write_file_atomically(disk, path, std::as_bytes(std::span(text)));
  }
  FICUS_TRY(const std::string stored, read_file(disk, path, 100));
  if (stored == text) return {};
  return invalid(fmt::format("shards: the data in {} is for {} shards, not {}: set it back",
                             config.data_directory, stored.substr(0, stored.find('\n')),
                             config.shards));
}

}  // namespace

// Members in the order of their making; each borrows from those above it only.
class Brain::Parts final {
 public:
  Parts(const Config& c, const Machine& m) : config(c), machine(m) {}

  Status open();
  Status open_store();
  Status open_ports();
  Status open_access_control();
  Result<Reloader::Commit> prepare_certificates();
  void begin_stop();
  void write_connector_metrics(api::MetricsWriter& out) const;
  void write_process_status(json::JsonWriter& json) const;
  void tell_service_manager();

  Config config;
  const Machine machine;
  std::unique_ptr<DirectoryLock> lock;
  std::unique_ptr<Intake> intake;
  Schema schema;
  LoadedPacks packs;
  std::unique_ptr<history::History> history;
  std::unique_ptr<history::HistoryFeed> feed;
  std::unique_ptr<Engine> engine;
  net::EventLoop loop;
  net::Timer intake_timer{loop};
  std::unique_ptr<connect::Ingest> ingest;
  connect::SourceSet sources;
  AccessNames access_names;
  std::unique_ptr<AuditTrail> audit;
  std::unique_ptr<access::AccessControl> access;
  std::unique_ptr<net::Timer> access_sweep;
  std::unique_ptr<connect::MqttServer> mqtt;
  std::unique_ptr<connect::MqttNotifier> notifier;
  std::unique_ptr<Connectors> connectors;
  std::unique_ptr<connect::SecretReader> secrets;
  std::unique_ptr<SourceLinks> links;
  std::unique_ptr<connect::HttpIngest> http_ingest;
  std::unique_ptr<api::HistoryService> history_service;
  std::unique_ptr<api::LiveStream> live;
  std::unique_ptr<api::ApiServer> api;
  std::unique_ptr<Ports> ports;
  std::unique_ptr<Reloader> reloader;
  const ServiceNotice notice = ServiceNotice::from_environment();
  net::Timer watchdog{loop};
  const Micros started_at = machine.clock.monotonic();
  std::unique_ptr<BackupService> backups;
  std::thread stopper;
  Status stopped;
};

Status Brain::Parts::open() {
  FICUS_TRY_VOID(config.check());
  FICUS_TRY_VOID(machine.disk.make_directories(config.data_directory));
  // The history's database takes absolute paths only, and messages are clearer with them.
  if (char* const absolute = ::realpath(config.data_directory.c_str(), nullptr)) {
    config.data_directory = absolute;
    std::free(absolute);
  }
  FICUS_TRY(lock, DirectoryLock::take(config.data_directory));
  intake = std::make_unique<Intake>(
      machine.disk, machine.clock, machine.logger,
      IntakeOptions{.directory = config.data_directory,
                    .reserve_bytes = to_size(config.log.disk_reserve_mib) * kMiB});
  intake->look();
  FICUS_TRY_VOID(check_shard_count(config, machine.disk));
  FICUS_TRY_VOID(open_store());
  return open_ports();
}

Status Brain::Parts::open_store() {
  FICUS_TRY_VOID(declare_own_types(schema));
  FICUS_TRY(packs, LoadedPacks::load(config.packs, machine.disk, schema));
  packs.catalog.version = FICUS_VERSION;
  // After the packs, whose types it makes views for.
  history::MaintenanceReport report;
  FICUS_TRY(history, history::open_duck_history(history_options(config), schema, machine.disk,
                                                machine.clock, report));
  log_maintenance(machine.logger, report);
  FICUS_TRY(std::vector<std::uint64_t> positions, history->positions());
  positions.resize(to_size(config.shards));
  const std::vector<std::uint64_t> known_positions = history->known_positions();
  const std::vector<history::HistoryGap> wanted = history->wanted();
  history::FeedOptions feed_options;
  feed_options.commit_interval = Micros::from_millis(config.history.commit_interval_ms);
  feed = std::make_unique<history::HistoryFeed>(*history, machine.clock, feed_options,
                                                feed_events(machine.logger), positions);
  EngineOptions options;
  options.data_directory = config.data_directory;
  options.shards = to_size(config.shards);
  options.log = log_options(config, machine.random_seed, intake.get());
  options.state.twin.entities_max = to_size(config.twin.entities_max);
  options.state.twin.duplicate_window_rows = to_size(config.twin.duplicate_window_rows);
  options.state.reopen_within = Micros::from_seconds(config.alerts.reopen_within_seconds);
  options.rules = packs.rules;
  options.configuration = {"start", packs.parts};
  FICUS_TRY(engine, Engine::open({.disk = machine.disk,
                                  .clock = machine.clock,
                                  .logger = machine.logger,
                                  .schema = schema,
                                  .history = *feed,
                                  .history_positions = positions,
                                  .history_known_positions = known_positions,
                                  .history_wanted = wanted,
                                  .intake = intake.get()},
                                 std::move(options)));
  for (const history::HistoryGap& gap : engine->history_gaps()) {
    const std::string loss = history->name_loss(gap);
    if (!loss.empty()) {
      machine.logger.error("history", "part of history is lost", {{"what", loss}});
    }
  }
  return {};
}

Status Brain::Parts::open_ports() {
  ingest = std::make_unique<connect::Ingest>(*engine, loop, machine.clock);
  intake_timer.start_repeating(kLookAtDiskEvery, [this] { intake->look(); });
  FICUS_TRY_VOID(open_access_control());
  bool any_simulated = false;
  for (connect::SourceDeclaration& declaration : packs.sources) {
    any_simulated = any_simulated || declaration.is_simulated;
    const SourceId id = engine->intern_source(declaration.name);
    FICUS_TRY_VOID(sources.add(id, std::move(declaration)));
  }
  FICUS_TRY(const net::Address mqtt_address, net::Address::parse(config.mqtt.listen));
  const connect::MqttServerOptions mqtt_options{
      .address = mqtt_address,
      .connections_max = to_size(config.mqtt.connections_max),
      .packet_bytes_max = to_size(config.mqtt.packet_kib_max) << 10,
      .session_messages_max = to_size(config.mqtt.session_messages_max),
      .session_bytes_max = to_size(config.mqtt.session_kib_max) << 10,
      .retained_messages_max = to_size(config.mqtt.retained_messages_max),
      .retained_bytes_max = to_size(config.mqtt.retained_mib_max) << 20,
      .receive_maximum = static_cast<std::uint16_t>(config.mqtt.receive_maximum),
      .topic_alias_max = static_cast<std::uint16_t>(config.mqtt.topic_alias_max),
      .keep_alive_max_s = static_cast<std::uint16_t>(config.mqtt.keep_alive_seconds_max),
      .session_expiry_max = Micros::from_hours(config.mqtt.session_hours_max)};
  FICUS_TRY(mqtt, connect::MqttServer::open(
                      {.loop = loop,
                       .ingest = *ingest,
                       .sources = sources,
                       .disk = machine.disk,
                       .clock = machine.clock,
                       .logger = machine.logger,
                       .data_directory = config.data_directory,
                       .access = access.get()},
                      log_options(config, machine.random_seed + 1, intake.get()), mqtt_options));
  notifier = std::make_unique<connect::MqttNotifier>(*mqtt, *ingest, schema);
  connectors = std::make_unique<Connectors>(
      Connectors::Parts{loop, *ingest, schema, machine.clock, machine.logger});
  FICUS_TRY_VOID(connectors->change(sources));
  secrets = std::make_unique<connect::SecretReader>(SourceLinks::secrets(machine.disk));
  links = std::make_unique<SourceLinks>(connect::LinkParts{.loop = loop,
                                                           .ingest = *ingest,
                                                           .secrets = *secrets,
                                                           .disk = machine.disk,
                                                           .clock = machine.clock,
                                                           .logger = machine.logger,
                                                           .random_seed = machine.random_seed + 2},
                                        open_parquet);
  FICUS_TRY(SourceLinks::Links opened, links->open(sources));
  links->take(std::move(opened));
  http_ingest = std::make_unique<connect::HttpIngest>(*ingest, sources);
  api::HistoryServiceOptions history_service_options;
  history_service_options.limits.time_max = Micros::from_seconds(config.sql.seconds_max);
  history_service_options.limits.rows_max = to_size(config.sql.rows_max);
  history_service_options.limits.memory_bytes_max = to_size(config.sql.memory_mib_max) * kMiB;
  history_service_options.limits.file_bytes_max = to_size(config.sql.file_mib_max) * kMiB;
  history_service_options.desk = {.threads = to_size(config.sql.running_max),
                                  .running_per_user_max = to_size(config.sql.running_per_user_max),
                                  .waiting_per_user_max = to_size(config.sql.waiting_per_user_max),
                                  .waiting_max = to_size(config.sql.waiting_max)};
  history_service =
      std::make_unique<api::HistoryService>(*history, loop, machine.clock, history_service_options);
  live = std::make_unique<api::LiveStream>(*ingest, loop, schema, *access, any_simulated);
  // The broker's first: a message that it says is handed over must be in the shards' logs, which
  // are copied up to a later moment. One that comes twice is recognised.
  std::vector<CommitLog*> logs = engine->logs();
  logs.insert(logs.begin(), &mqtt->log());
  backups = std::make_unique<BackupService>(
      BackupService::Parts{machine.disk, machine.clock, machine.logger, config.data_directory,
                           std::move(logs), *history, *feed});
  api = std::make_unique<api::ApiServer>(api::ApiParts{
      .loop = loop,
      .ingest = *ingest,
      .sources = sources,
      .http_ingest = *http_ingest,
      .history = *history_service,
      .history_store = *history,
      .live = *live,
      .access = *access,
      .catalog = packs.catalog,
      .intake = intake.get(),
      .accept_mqtt =
          [this](std::unique_ptr<net::Connection> connection) {
            mqtt->accept(std::move(connection));
          },
      .mqtt_message_bytes_max = config.mqtt.input_bytes_max(),
      .reload = [this](std::string by,
                       auto on_reload) { reloader->reload(by, std::move(on_reload)); },
      .process_status = [this](json::JsonWriter& json) { write_process_status(json); },
      .backups = backups.get(),
      .connector_metrics = [this](api::MetricsWriter& out) { write_connector_metrics(out); },
      .link_status = [this](std::string_view source) { return links->status(source); },
      .gate = {.checks_host = !config.allow_remote}});
  FICUS_TRY(ports, Ports::open({.loop = loop,
                                .config = config,
                                .disk = machine.disk,
                                .clock = machine.clock,
                                .logger = machine.logger,
                                .http = *api,
                                .accept_mqtt = [this](std::unique_ptr<net::Connection> connection) {
                                  mqtt->accept(std::move(connection));
                                }}));
  reloader = std::make_unique<Reloader>(Reloader::Parts{
      machine, loop, schema, *engine, sources, *connectors, *links, packs, *live, *access, config});
  reloader->add_part([this](const Config& c, const LoadedPacks* p, const Schema& s) {
    return prepare_users(
        *access, c, machine,
        p == nullptr ? nullptr : std::make_unique<AccessNames>(AccessNames::of(*p, s)));
  });
  reloader->add_part(
      [this](const Config&, const LoadedPacks*, const Schema&) { return prepare_certificates(); });
  return {};
}

Status Brain::Parts::open_access_control() {
  access_names = AccessNames::of(packs, schema);
  FICUS_TRY(const connect::AuditAttributes attributes, connect::AuditAttributes::declare(schema));
  audit = std::make_unique<AuditTrail>(*ingest, loop, machine.clock, attributes,
                                       engine->intern_source(connect::kAuditSource));
  FICUS_TRY(access, open_access(config, machine, loop, access_names, &audit->sink()));
  access_sweep = std::make_unique<net::Timer>(loop);
  access_sweep->start_repeating(kAccessSweep, [this] {
    access->sweep();
    audit->sweep();
  });
  return {};
}

// Read and checked on the reload's thread; taken on the loop.
Result<Reloader::Commit> Brain::Parts::prepare_certificates() {
  if (!config.uses_tls()) return [] {};
  FICUS_TRY(const net::TlsServerOptions files, read_tls_files(config.tls, machine.disk));
  if (auto made = net::TlsServerContext::make(files); !made) {
    return in_context("tls: ", std::move(made).error());
  }
  return [this] {
    if (const Status reloaded = ports->reload_certificates(); !reloaded) {
      machine.logger.error("net", "the certificates could not be read again; the old ones stay",
                           {{"error", reloaded.error().message}});
    }
  };
}

void Brain::Parts::write_connector_metrics(api::MetricsWriter& out) const {
  ports->write_metrics(out);
  const connect::MqttServerCounts counts = mqtt->counts();
  const auto write = [&](auto family, const char* name, const char* help, std::uint64_t value) {
    (out.*family)(name, help);
    out.sample(static_cast<double>(value));
  };
  constexpr auto kGauge = &api::MetricsWriter::gauge;
  constexpr auto kCounter = &api::MetricsWriter::counter;
  write(kGauge, "ficus_mqtt_connections", "Connected MQTT clients", counts.connections);
  write(kGauge, "ficus_mqtt_sessions", "MQTT sessions, connected or kept", counts.sessions);
  write(kGauge, "ficus_mqtt_subscriptions", "MQTT subscriptions", counts.subscriptions);
  write(kGauge, "ficus_mqtt_retained_messages", "Retained messages", counts.retained_messages);
  write(kCounter, "ficus_mqtt_messages_received_total", "PUBLISH packets received",
        counts.messages_received);
  write(kCounter, "ficus_mqtt_messages_sent_total", "PUBLISH packets sent", counts.messages_sent);
  write(kCounter, "ficus_mqtt_messages_dropped_total",
        "Messages dropped since a client took too little", counts.messages_dropped);
  write(kGauge, "ficus_mqtt_retained_bytes", "What retained messages take", counts.retained_bytes);
  write(kGauge, "ficus_mqtt_messages_held", "QoS 2 messages on their way to the engine",
        counts.messages_held);
  write(kCounter, "ficus_mqtt_messages_expired_total",
        "Messages that expired before they were sent", counts.messages_expired);
  write(kCounter, "ficus_mqtt_messages_refused_total",
        "PUBLISH packets refused: no right, not as promised, or a full disk",
        counts.messages_refused);
  write(kCounter, "ficus_mqtt_retained_refused_total", "Messages not retained for want of room",
        counts.retained_refused);
  write(kCounter, "ficus_mqtt_connections_refused_total",
        "MQTT connections refused: too many, or the CONNECT was not accepted",
        counts.connections_refused);
  out.counter("ficus_mqtt_connects_refused_total", "CONNECTs refused, by reason code of MQTT 5.0");
  for (const auto& [reason, count] : counts.connects_refused) {
    out.sample({{"reason", mqtt::reason_code_name(reason)}}, static_cast<double>(count));
  }
  write(kCounter, "ficus_mqtt_protocol_errors_total", "Connections ended for what they sent",
        counts.protocol_errors);
  write_access_metrics(*access, *audit, out);
  connectors->write_metrics(out);
  links->write_metrics(out);
}

void Brain::Parts::write_process_status(json::JsonWriter& json) const {
  const Micros uptime = machine.clock.monotonic() - started_at;
  json.key("uptimeSeconds").integer(uptime.count / Micros::from_seconds(1).count);
  json.key("memoryBytes").integer(static_cast<std::int64_t>(resident_bytes()));
  json.key("dataDirectory").text(config.data_directory);
  json.key("configuration").text(Configuration{"", packs.parts}.fingerprint());
  const connect::MqttServerCounts counts = mqtt->counts();
  const auto write = [&](const char* key, std::uint64_t value) {
    json.key(key).integer(static_cast<std::int64_t>(value));
  };
  json.key("mqtt").begin_object();
  write("connections", counts.connections);
  write("sessions", counts.sessions);
  write("subscriptions", counts.subscriptions);
  write("retained", counts.retained_messages);
  write("received", counts.messages_received);
  write("sent", counts.messages_sent);
  write("dropped", counts.messages_dropped);
  write("protocolErrors", counts.protocol_errors);
  json.end_object();
  json.key("lastErrors").begin_array();
  for (const Logger::Recent& recent : machine.logger.recent()) {
    json.begin_object().key("time").time(recent.time);
    json.key("level").text(log_level_name(recent.level)).key("line").text(recent.line);
    json.end_object();
  }
  json.end_array();
}

// Alive means: the loop turns and every shard answers.
void Brain::Parts::tell_service_manager() {
  notice.send("READY=1\nSTATUS=serving");
  const auto beat = notice.watchdog_beat();
  if (!beat) return;
  watchdog.start_repeating(*beat, [this] {
    engine->status([this](const EngineStatus&) { notice.send("WATCHDOG=1"); });
  });
}

// Takes nothing new, lets the engine finish while the loop still carries answers out, then ends the
// loop.
void Brain::Parts::begin_stop() {
  if (stopper.joinable()) return;
  machine.logger.info("main", "stopping");
  notice.send("STOPPING=1\nSTATUS=writing what is left");
  backups->ask_to_stop();
  mqtt->drain();
  connectors->drain();
  links->drain();
  ports->drain();
  audit->flush();
  stopper = std::thread([this] {
    stopped = engine->stop();
    loop.post([this] { mqtt->say_goodbye(); });
    std::this_thread::sleep_for(std::chrono::microseconds(kFlushOnStop.count));
    loop.stop();
  });
}

Brain::Brain(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Brain::~Brain() = default;

Result<std::unique_ptr<Brain>> Brain::open(const Config& config, const Machine& machine) {
  auto parts = std::make_unique<Parts>(config, machine);
  FICUS_TRY_VOID(parts->open());
  return std::unique_ptr<Brain>(new Brain(std::move(parts)));
}

Status Brain::run() {
  Parts& p = *parts_;
  FICUS_TRY_VOID(p.loop.watch_signals([&p](int signal) {
    if (signal == SIGTERM || signal == SIGINT) return p.begin_stop();
    p.reloader->reload_on_signal();
  }));
  p.engine->start(*p.ingest);
  p.tell_service_manager();
  p.machine.logger.info("main", "ready",
                        {{"http", p.ports->http_address().text()},
                         {"mqtt", p.mqtt->address().text()},
                         {"https", p.ports->https_address()},
                         {"mqtts", p.ports->mqtts_address()},
                         {"version", FICUS_VERSION}});
  p.loop.run();
  p.stopper.join();
  p.backups->stop();
  Status status = p.mqtt->close();
  if (!p.stopped) status = p.stopped;
  p.machine.logger.info("main", "stopped");
  return status;
}

Result<std::string> check_configuration(const Config& config, const Machine& machine) {
  FICUS_TRY_VOID(config.check());
  Schema schema;
  FICUS_TRY_VOID(declare_own_types(schema));
  FICUS_TRY(const LoadedPacks packs, LoadedPacks::load(config.packs, machine.disk, schema));
  if (config.uses_tls()) {
    FICUS_TRY(const net::TlsServerOptions files, read_tls_files(config.tls, machine.disk));
    if (const auto made = net::TlsServerContext::make(files); !made) {
      return in_context("tls: ", made.error());
    }
  }
  if (!config.access.users.empty()) {
    net::EventLoop loop;
    FICUS_TRY_VOID(open_access(config, machine, loop, AccessNames::of(packs, schema), nullptr));
  }
  std::string text;
  for (const std::string& warning : packs.warnings(schema)) text += "warning: " + warning + "\n";
  return text + fmt::format(
                    "ok: {} packs, {} sources, {} types, {} rules, {} zones, {} "
                    "departments\n",
                    config.packs.size(), packs.sources.size(), schema.type_count(),
                    packs.rules->rule_count(), packs.zones->size(),
                    packs.catalog.departments.size());
}

}  // namespace ficus::app
