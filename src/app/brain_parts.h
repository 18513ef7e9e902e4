#pragma once

#include <memory>
#include <thread>

#include "api/api_server.h"
#include "app/access_setup.h"
#include "app/backup_service.h"
#include "app/brain.h"
#include "app/connectors.h"
#include "app/directory_lock.h"
#include "app/ports.h"
#include "app/reload.h"
#include "app/service_notice.h"
#include "app/source_links.h"
#include "connect/http/http_ingest.h"
#include "connect/mqtt/mqtt_notifier.h"
#include "connect/mqtt/mqtt_server.h"
#include "engine/engine.h"
#include "history/feed.h"

namespace ficus::app {

// The types that the brain itself writes or understands.
Status declare_own_types(Schema& schema);

// Members in the order of their making; each borrows from those above it only.
class Brain::Parts final {
 public:
  Parts(const Config& c, const Machine& m) : config(c), machine(m) {}

  Status open();
  Status open_store();
  Status open_ports();
  Status open_access_control();
  Status open_links();
  void open_api();
  void open_reloader();
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

}  // namespace ficus::app
