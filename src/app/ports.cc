#include "app/ports.h"

#include <fmt/format.h>

#include "base/time_text.h"

namespace ficus::app {
namespace {

constexpr std::uint64_t kPemBytesMax = 1 << 20;
constexpr std::int64_t kWarnDays = 14;

Result<std::string> read_pem(Disk& disk, std::string_view key, const std::string& path) {
  auto text = read_file(disk, path, kPemBytesMax);
  if (!text) return in_context(fmt::format("tls.{}: ", key), std::move(text).error());
  return text;
}

}  // namespace

Result<net::TlsServerOptions> read_tls_files(const Config::Tls& tls, Disk& disk) {
  net::TlsServerOptions options;
  FICUS_TRY(options.identity.certificate_pem, read_pem(disk, "certificate", tls.certificate));
  FICUS_TRY(options.identity.key_pem, read_pem(disk, "key", tls.key));
  if (!tls.client_ca.empty()) {
    FICUS_TRY(options.client_ca_pem, read_pem(disk, "client_ca", tls.client_ca));
  }
  options.requires_client_certificate = tls.requires_client_certificate;
  return options;
}

Ports::Ports(const PortsParts& parts) : parts_(parts), refusals_(parts.logger, parts.clock) {}

Result<std::unique_ptr<Ports>> Ports::open(const PortsParts& parts) {
  std::unique_ptr<Ports> ports(new Ports(parts));
  FICUS_TRY_VOID(ports->open_all());
  return ports;
}

Status Ports::open_all() {
  const Config& config = parts_.config;
  net::HttpServerOptions options;
  options.connections_max = static_cast<std::size_t>(config.http.connections_max);
  options.clock = &parts_.clock;
  options.on_refused = refusals_of("http");
  FICUS_TRY(const net::Address http, net::Address::parse(config.http.listen));
  FICUS_TRY(http_, net::HttpServer::open(parts_.loop, http, options, parts_.http));
  if (!config.uses_tls()) return {};
  FICUS_TRY(const net::TlsServerOptions files, read_tls_files(config.tls, parts_.disk));
  auto made = net::TlsServerContext::make(files);
  if (!made) return in_context("tls: ", std::move(made).error());
  tls_ = *std::move(made);
  warn_of_expiry();
  if (!config.http.listen_tls.empty()) {
    options.tls = tls_;
    options.on_refused = refusals_of("https");
    FICUS_TRY(const net::Address https, net::Address::parse(config.http.listen_tls));
    FICUS_TRY(https_, net::HttpServer::open(parts_.loop, https, options, parts_.http));
  }
  if (config.mqtt.listen_tls.empty()) return {};
  FICUS_TRY(const net::Address mqtts, net::Address::parse(config.mqtt.listen_tls));
  return open_mqtts(mqtts);
}

Status Ports::open_mqtts(const net::Address& address) {
  net::TcpListenOptions options;
  options.connections_max = static_cast<std::size_t>(parts_.config.mqtt.connections_max);
  options.connection.input_bytes_max = parts_.config.mqtt.input_bytes_max();
  options.tls = tls_;
  options.alpn = "mqtt";
  options.on_refused = refusals_of("mqtts");
  FICUS_TRY(mqtts_, net::TcpListener::open(parts_.loop, address, options,
                                           [this](std::unique_ptr<net::Connection> connection) {
                                             parts_.accept_mqtt(std::move(connection));
                                           }));
  return {};
}

std::function<void(const net::Address&, const Error&)> Ports::refusals_of(std::string port) {
  return [this, port = std::move(port)](const net::Address& peer, const Error& why) {
    refusals_.note(port, peer, why);
  };
}

std::string Ports::https_address() const {
  return https_ != nullptr ? https_->address().text() : "none";
}

std::string Ports::mqtts_address() const {
  return mqtts_ != nullptr ? mqtts_->address().text() : "none";
}

Status Ports::reload_certificates() {
  if (tls_ == nullptr) return {};
  FICUS_TRY(const net::TlsServerOptions files, read_tls_files(parts_.config.tls, parts_.disk));
  if (auto reloaded = tls_->reload(files); !reloaded) {
    return in_context("tls: ", std::move(reloaded).error());
  }
  parts_.logger.info("net", "certificates read again",
                     {{"expires", to_iso8601(tls_->certificate_expires_at())}});
  warn_of_expiry();
  return {};
}

void Ports::warn_of_expiry() {
  const Timestamp expires = tls_->certificate_expires_at();
  const std::int64_t days = (expires.micros - parts_.clock.now().micros) / 86'400'000'000;
  if (days >= kWarnDays) return;
  parts_.logger.warning(
      "net", "the certificate expires soon: replace the files of tls.certificate and tls.key",
      {{"expires", to_iso8601(expires)}, {"days_left", std::to_string(days)}});
}

void Ports::drain() {
  http_->drain();
  if (https_ != nullptr) https_->drain();
  mqtts_.reset();
}

void Ports::write_metrics(api::MetricsWriter& out) const {
  if (tls_ == nullptr) return;
  const auto each = [&](const char* name, const char* help, auto value) {
    out.counter(name, help);
    if (https_ != nullptr) value("https", https_->tls_counts());
    if (mqtts_ != nullptr) value("mqtts", mqtts_->tls_counts());
  };
  each("ficus_tls_handshakes_total", "TLS handshakes done",
       [&](const char* port, const net::TlsCounts& counts) {
         out.sample({{"port", port}}, static_cast<double>(counts.handshakes));
       });
  each("ficus_tls_resumed_total", "TLS handshakes that resumed an earlier session",
       [&](const char* port, const net::TlsCounts& counts) {
         out.sample({{"port", port}}, static_cast<double>(counts.resumed));
       });
  each("ficus_tls_refused_total", "Connections to TLS ports that were not taken, by cause",
       [&](const char* port, const net::TlsCounts& counts) {
         const auto sample = [&](const char* cause, std::uint64_t count) {
           out.sample({{"port", port}, {"cause", cause}}, static_cast<double>(count));
         };
         sample("plain_text", counts.refused_plain_text);
         sample("certificate", counts.refused_certificate);
         sample("protocol", counts.refused_protocol);
         sample("slow", counts.refused_slow);
       });
  out.gauge("ficus_tls_certificate_expires_timestamp_seconds",
            "When the certificate expires, in seconds since 1970");
  out.sample(static_cast<double>(tls_->certificate_expires_at().micros) / 1e6);
}

}  // namespace ficus::app
