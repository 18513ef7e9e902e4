#pragma once

#include <memory>
#include <string>

#include "api/catalog.h"
#include "api/gate.h"
#include "api/history_service.h"
#include "api/live_stream.h"
#include "api/quarantine_desk.h"
#include "codec/json/json_writer.h"
#include "connect/client/source_link.h"
#include "connect/http/http_ingest.h"
#include "connect/ingest/ingest.h"
#include "connect/ingest/source_set.h"
#include "engine/engine.h"
#include "net/http_server.h"

namespace ficus::api {

// Takes backups of the running brain.
class Backups {
 public:
  virtual ~Backups() = default;
  // ErrorCode::conflict while one is under way or if the directory is not empty. It goes on
  // beside everything else; status_json() tells how far it is.
  virtual Status start(const std::string& directory) = 0;
  virtual std::string status_json() const = 0;
};

// What the API borrows; all of it outlives the server.
struct ApiParts {
  net::EventLoop& loop;
  connect::Ingest& ingest;
  const connect::SourceSet& sources;
  connect::HttpIngest& http_ingest;
  HistoryService& history;
  history::History& history_store;
  LiveStream& live;
  access::AccessControl& access;
  const Catalog& catalog;
  Intake* intake = nullptr;
  // Takes over who upgrades GET /mqtt to a WebSocket, and the longest message of one.
  std::function<void(std::unique_ptr<net::Connection>)> accept_mqtt;
  std::size_t mqtt_message_bytes_max = std::size_t{1} << 20;
  // Reads mappings, rules, users, zones ... anew; answers with what has changed, as JSON, or with
  // all mistakes. `by` is who asked. Empty: not possible.
  using OnReload = std::move_only_function<void(Result<std::string>)>;
  std::function<void(std::string by, OnReload on_reload)> reload;
  // Adds what only the process knows (uptime, memory, last errors, MQTT) to /status.
  std::function<void(json::JsonWriter&)> process_status;
  Backups* backups = nullptr;
  // Adds what the connectors know to /metrics.
  std::function<void(class MetricsWriter&)> connector_metrics;
  // How a source that we fetch from is doing; null for others.
  std::function<const connect::LinkStatus*(std::string_view source)> link_status;
  GateOptions gate;
};

// Routes every request of the HTTP port: the API, the live stream, the page. docs/API.md is its
// manual. Runs on the loop's thread; whatever needs the engine or history is answered when they
// answer.
class ApiServer final : public net::HttpHandler {
 public:
  explicit ApiServer(const ApiParts& parts);

  void on_request(std::unique_ptr<net::HttpExchange> exchange) override;

 private:
  using Exchange = std::unique_ptr<net::HttpExchange>;
  using Who = access::PrincipalPtr;  // whoever asks; never null behind route()

  // What is there for everybody: the page's files, /health, /login, /whoami, and /mqtt,
  // where the CONNECT says who it is. The rest needs
  // somebody with a right to it.
  void route(Exchange exchange, const Who& who);
  void get(Exchange exchange, const Who& who);
  void post(Exchange exchange, const Who& who);
  void get_health(Exchange exchange, const Who& who);
  void get_metrics(Exchange exchange, const Who& who);
  void get_status(Exchange exchange, const Who& who);
  std::string status_report(const EngineStatus& status,
                            const std::map<std::string, SourceBooks, std::less<>>& books,
                            const access::Principal* who);
  void write_problems(const EngineStatus& status,
                      const std::map<std::string, SourceBooks, std::less<>>& books,
                      json::JsonWriter& json) const;
  void post_reload(Exchange exchange, const Who& who);
  void get_types(Exchange exchange, const Who& who);
  void get_entities(Exchange exchange, const Who& who);
  void get_entity(Exchange exchange, const Who& who, const std::string& id);
  void get_history(Exchange exchange, const Who& who, std::string id);
  void get_alerts(Exchange exchange, const Who& who);
  void get_sources(Exchange exchange, const Who& who);
  void get_rules(Exchange exchange, const Who& who);
  void get_departments(Exchange exchange, const Who& who);
  void get_page(Exchange exchange);
  void get_mqtt(Exchange exchange);
  void get_queries(Exchange exchange, const Who& who);
  void delete_query(Exchange exchange, const Who& who, std::string_view id);
  void remove(Exchange exchange, const Who& who);
  void post_sql(Exchange exchange, const Who& who);
  void post_ingest(Exchange exchange, const Who& who, const std::string& source);
  void post_alert(Exchange exchange, const Who& who, std::string id, std::string_view step);
  void get_backup(Exchange exchange, const Who& who);
  void post_backup(Exchange exchange, const Who& who);
  void broadcast_sources();
  void note_rates(const std::map<std::string, SourceBooks, std::less<>>& books);
  void write_disk(json::JsonWriter& json) const;
  void write_intake_metrics(class MetricsWriter& out) const;
  // Without somebody: of all sources.
  std::string sources_json(const std::map<std::string, SourceBooks, std::less<>>& books,
                           const access::Principal* who);

  const ApiParts parts_;
  Gate gate_;
  Engine& engine_;
  QuarantineDesk quarantine_;
  net::Timer sources_timer_;

  // What each source had received at the last beat, to tell a rate.
  struct Rate {
    std::uint64_t received = 0;
    Timestamp at;
    double per_second = 0;
  };
  std::map<std::string, Rate, std::less<>> rates_;
};

}  // namespace ficus::api
