#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/metrics.h"
#include "app/config.h"
#include "app/refusal_log.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/logger.h"
#include "net/http_server.h"

namespace ficus::app {

struct PortsParts {
  net::EventLoop& loop;
  const Config& config;
  Disk& disk;
  const Clock& clock;
  Logger& logger;
  net::HttpHandler& http;  // answers on every HTTP port
  std::function<void(std::unique_ptr<net::Connection>)> accept_mqtt;
};

// What the TLS section of the configuration names, read from its files.
Result<net::TlsServerOptions> read_tls_files(const Config::Tls& tls, Disk& disk);

// The ports that this process listens on, except the first plain MQTT one, which is the broker's:
// HTTP, HTTPS, MQTT over TLS, and further addresses of MQTT. Runs on the loop's thread.
class Ports {
 public:
  static Result<std::unique_ptr<Ports>> open(const PortsParts& parts);

  // "127.0.0.1:8443,[::1]:8443", or "none".
  std::string http_addresses() const;
  std::string https_addresses() const;
  std::string mqtts_addresses() const;
  std::string further_mqtt_addresses() const;

  // Reads the certificates again, for connections from now on. On failure the old ones stay.
  Status reload_certificates();
  // Accepts no more.
  void drain();
  void write_metrics(api::MetricsWriter& out) const;

 private:
  explicit Ports(const PortsParts& parts);
  using HttpServers = std::vector<std::unique_ptr<net::HttpServer>>;
  using Listeners = std::vector<std::unique_ptr<net::TcpListener>>;

  Status open_all();
  Status open_tls();
  Status open_http(const std::vector<std::string>& addresses, const net::HttpServerOptions& options,
                   HttpServers& servers);
  Status open_mqtt(std::span<const std::string> addresses,
                   std::shared_ptr<net::TlsServerContext> tls, Listeners& listeners);
  net::HttpServerOptions http_options() const;
  void write_http_metrics(api::MetricsWriter& out) const;
  void write_tls_metrics(api::MetricsWriter& out) const;
  std::function<void(const net::Address&, const Error&)> refusals_of(std::string port);
  void warn_of_expiry();

  const PortsParts parts_;
  RefusalLog refusals_;
  std::shared_ptr<net::TlsServerContext> tls_;
  std::shared_ptr<net::HttpBudget> budget_;
  HttpServers http_;
  HttpServers https_;
  Listeners further_mqtt_;
  Listeners mqtts_;
};

}  // namespace ficus::app
