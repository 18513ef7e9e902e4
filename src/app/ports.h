#pragma once

#include <functional>
#include <memory>
#include <string>

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

// The ports that this process listens on, except the plain MQTT one, which is the broker's: HTTP,
// HTTPS, and MQTT over TLS. Runs on the loop's thread.
class Ports {
 public:
  static Result<std::unique_ptr<Ports>> open(const PortsParts& parts);

  const net::Address& http_address() const { return http_->address(); }
  // "127.0.0.1:8443", or "none".
  std::string https_address() const;
  std::string mqtts_address() const;

  // Reads the certificates again, for connections from now on. On failure the old ones stay.
  Status reload_certificates();
  // Accepts no more.
  void drain();
  void write_metrics(api::MetricsWriter& out) const;

 private:
  explicit Ports(const PortsParts& parts);
  Status open_all();
  Status open_mqtts(const net::Address& address);
  std::function<void(const net::Address&, const Error&)> refusals_of(std::string port);
  void warn_of_expiry();

  const PortsParts parts_;
  RefusalLog refusals_;
  std::shared_ptr<net::TlsServerContext> tls_;
  std::unique_ptr<net::HttpServer> http_;
  std::unique_ptr<net::HttpServer> https_;
  std::unique_ptr<net::TcpListener> mqtts_;
};

}  // namespace ficus::app
