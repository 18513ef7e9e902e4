// What speaks: connectors, broker, API, ports.
#include "app/brain_options.h"
#include "app/brain_parts.h"

namespace ficus::app {
namespace {

// A disk at 500 MB/s fills 50 MB in between; the reserve must be more.
constexpr Micros kLookAtDiskEvery = Micros::from_millis(100);
constexpr Micros kAccessSweep = Micros::from_seconds(30);

}  // namespace

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
  FICUS_TRY(const net::Address mqtt_address, net::Address::parse(config.mqtt.listen.front()));
  FICUS_TRY(mqtt,
            connect::MqttServer::open({.loop = loop,
                                       .ingest = *ingest,
                                       .sources = sources,
                                       .disk = machine.disk,
                                       .clock = machine.clock,
                                       .logger = machine.logger,
                                       .data_directory = config.data_directory,
                                       .access = access.get()},
                                      log_options(config, machine.random_seed + 1, intake.get()),
                                      mqtt_options(config, mqtt_address)));
  notifier = std::make_unique<connect::MqttNotifier>(*mqtt, *ingest, schema);
  connectors = std::make_unique<Connectors>(
      Connectors::Parts{loop, *ingest, schema, machine.clock, machine.logger});
  FICUS_TRY_VOID(connectors->change(sources));
  FICUS_TRY_VOID(open_links());
  http_ingest = std::make_unique<connect::HttpIngest>(*ingest, sources);
  history_service =
      std::make_unique<api::HistoryService>(*history, loop, machine.clock, query_options(config));
  live = std::make_unique<api::LiveStream>(
      *ingest, loop, schema, *access, any_simulated,
      api::LiveStreamLimits{.clients_max = to_size(config.live.clients_max),
                            .clients_per_user_max = to_size(config.live.clients_per_user_max)});
  // The broker's first: a message that it says is handed over must be in the shards' logs, which
  // are copied up to a later moment. One that comes twice is recognised.
  std::vector<CommitLog*> logs = engine->logs();
  logs.insert(logs.begin(), &mqtt->log());
  backups = std::make_unique<BackupService>(
      BackupService::Parts{machine.disk, machine.clock, machine.logger, config.data_directory,
                           std::move(logs), *history, *feed});
  open_api();
  FICUS_TRY(ports, Ports::open({.loop = loop,
                                .config = config,
                                .disk = machine.disk,
                                .clock = machine.clock,
                                .logger = machine.logger,
                                .http = *api,
                                .accept_mqtt = [this](std::unique_ptr<net::Connection> connection) {
                                  mqtt->accept(std::move(connection));
                                }}));
  open_reloader();
  return {};
}

Status Brain::Parts::open_links() {
  secrets = std::make_unique<connect::SecretReader>(SourceLinks::secrets(machine.disk));
  links = std::make_unique<SourceLinks>(connect::LinkParts{.loop = loop,
                                                           .ingest = *ingest,
                                                           .secrets = *secrets,
                                                           .disk = machine.disk,
                                                           .clock = machine.clock,
                                                           .logger = machine.logger,
                                                           .random_seed = machine.random_seed + 2},
                                        open_parquet);
  FICUS_TRY(std::vector<SourceLinks::Wanted> opened, links->open(sources));
  links->take(std::move(opened));
  return {};
}

void Brain::Parts::open_api() {
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
      .reload = [this](const std::string& by,
                       auto on_reload) { reloader->reload(by, std::move(on_reload)); },
      .process_status = [this](json::JsonWriter& json) { write_process_status(json); },
      .backups = backups.get(),
      .connector_metrics = [this](api::MetricsWriter& out) { write_connector_metrics(out); },
      .link_status = [this](std::string_view source) { return links->status(source); },
      .gate = {.checks_host = !config.allow_remote}});
}

void Brain::Parts::open_reloader() {
  reloader = std::make_unique<Reloader>(Reloader::Parts{
      machine, loop, schema, *engine, sources, *connectors, *links, packs, *live, *access, config});
  reloader->add_part([this](const Config& c, const LoadedPacks* p, const Schema& s) {
    return prepare_users(
        *access, c, machine,
        p == nullptr ? nullptr : std::make_unique<AccessNames>(AccessNames::of(*p, s)));
  });
  reloader->add_part(
      [this](const Config&, const LoadedPacks*, const Schema&) { return prepare_certificates(); });
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

}  // namespace ficus::app
