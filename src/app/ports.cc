#include "app/ports.h"

#include <fmt/format.h>

#include <array>
#include <initializer_list>
#include <utility>

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

template <typename Servers>
std::string addresses_of(const Servers& servers) {
  std::string text;
  for (const auto& server : servers) {
    if (!text.empty()) text += ',';
    text += server->address().text();
  }
  return text.empty() ? "none" : text;
}

// Of all addresses of one port.
template <typename Counts, typename Servers, typename Get>
Counts sum_of(const Servers& servers, std::initializer_list<std::uint64_t Counts::*> members,
              Get get) {
  Counts sum;
  for (const auto& server : servers) {
    const Counts one = get(*server);
    for (const auto member : members) sum.*member += one.*member;
  }
  return sum;
}

net::HttpServerCounts http_counts(const std::vector<std::unique_ptr<net::HttpServer>>& servers) {
  using Counts = net::HttpServerCounts;
  return sum_of<Counts>(
      servers,
      {&Counts::connections_refused, &Counts::requests, &Counts::requests_malformed,
       &Counts::headers_slow, &Counts::bodies_slow, &Counts::answers_late, &Counts::readers_slow},
      [](const net::HttpServer& server) { return server.counts(); });
}

template <typename Servers>
net::TlsCounts tls_counts(const Servers& servers) {
  using Counts = net::TlsCounts;
  return sum_of<Counts>(
      servers,
      {&Counts::handshakes, &Counts::resumed, &Counts::refused_plain_text,
       &Counts::refused_certificate, &Counts::refused_protocol, &Counts::refused_slow},
      [](const auto& server) { return server.tls_counts(); });
}

}  // namespace

Result<net::TlsServerOptions> read_tls_files(const Config::Tls& tls, Disk& disk) {
  net::TlsServerOptions options;
  FICUS_TRY(options.identity.certificate_pem, read_pem(disk, "certificate", tls.certificate));
  FICUS_TRY(options.identity.key_pem, read_pem(disk, "key", tls.key));
  if (!tls.client_ca.empty()) {
    FICUS_TRY(options.client_ca_pem, read_pem(disk, "client_ca", tls.client_ca));
  }
  if (!tls.crl_file.empty()) {
    FICUS_TRY(options.client_crl_pem, read_pem(disk, "crl_file", tls.crl_file));
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

net::HttpServerOptions Ports::http_options() const {
  const Config::Http& http = parts_.config.http;
  net::HttpServerOptions options;
  options.connections_max = static_cast<std::size_t>(http.connections_max);
  options.body_bytes_per_second_min = static_cast<std::size_t>(http.body_bytes_per_second_min);
  options.answer_bytes_per_second_min = static_cast<std::size_t>(http.answer_bytes_per_second_min);
  options.budget = budget_;
  options.clock = &parts_.clock;
  return options;
}

Status Ports::open_all() {
  const Config& config = parts_.config;
  budget_ =
      std::make_shared<net::HttpBudget>(static_cast<std::size_t>(config.http.held_mib_max) << 20);
  net::HttpServerOptions options = http_options();
  options.on_refused = refusals_of("http");
  FICUS_TRY_VOID(open_http(config.http.listen, options, http_));
  FICUS_TRY_VOID(open_mqtt(std::span(config.mqtt.listen).subspan(1), nullptr, further_mqtt_));
  return config.uses_tls() ? open_tls() : Status{};
}

Status Ports::open_tls() {
  const Config& config = parts_.config;
  FICUS_TRY(const net::TlsServerOptions files, read_tls_files(config.tls, parts_.disk));
  auto made = net::TlsServerContext::make(files);
  if (!made) return in_context("tls: ", std::move(made).error());
  tls_ = *std::move(made);
  warn_of_expiry();
  net::HttpServerOptions options = http_options();
  options.tls = tls_;
  options.on_refused = refusals_of("https");
  FICUS_TRY_VOID(open_http(config.http.listen_tls, options, https_));
  return open_mqtt(config.mqtt.listen_tls, tls_, mqtts_);
}

Status Ports::open_http(const std::vector<std::string>& addresses,
                        const net::HttpServerOptions& options, HttpServers& servers) {
  for (const std::string& text : addresses) {
    FICUS_TRY(const net::Address address, net::Address::parse(text));
    FICUS_TRY(auto server, net::HttpServer::open(parts_.loop, address, options, parts_.http));
    servers.push_back(std::move(server));
  }
  return {};
}

Status Ports::open_mqtt(std::span<const std::string> addresses,
                        std::shared_ptr<net::TlsServerContext> tls, Listeners& listeners) {
  net::TcpListenOptions options;
  options.connections_max = static_cast<std::size_t>(parts_.config.mqtt.connections_max);
  options.connection.input_bytes_max = parts_.config.mqtt.input_bytes_max();
  options.on_refused = refusals_of(tls != nullptr ? "mqtts" : "mqtt");
  options.tls = std::move(tls);
  options.alpn = "mqtt";
  for (const std::string& text : addresses) {
    FICUS_TRY(const net::Address address, net::Address::parse(text));
    FICUS_TRY(auto listener,
              net::TcpListener::open(parts_.loop, address, options,
                                     [this](std::unique_ptr<net::Connection> connection) {
                                       parts_.accept_mqtt(std::move(connection));
                                     }));
    listeners.push_back(std::move(listener));
  }
  return {};
}

std::function<void(const net::Address&, const Error&)> Ports::refusals_of(std::string port) {
  return [this, port = std::move(port)](const net::Address& peer, const Error& why) {
    refusals_.note(port, peer, why);
  };
}

std::string Ports::http_addresses() const { return addresses_of(http_); }
std::string Ports::https_addresses() const { return addresses_of(https_); }
std::string Ports::mqtts_addresses() const { return addresses_of(mqtts_); }
std::string Ports::further_mqtt_addresses() const { return addresses_of(further_mqtt_); }

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
  for (const auto& server : http_) server->drain();
  for (const auto& server : https_) server->drain();
  further_mqtt_.clear();
  mqtts_.clear();
}

void Ports::write_metrics(api::MetricsWriter& out) const {
  write_http_metrics(out);
  if (tls_ != nullptr) write_tls_metrics(out);
}

void Ports::write_http_metrics(api::MetricsWriter& out) const {
  using Counts = net::HttpServerCounts;
  const std::array<std::pair<const char*, const HttpServers*>, 2> ports{
      {{"http", &http_}, {"https", &https_}}};
  const auto each = [&](const char* name, const char* help, std::uint64_t Counts::* member) {
    out.counter(name, help);
    for (const auto& [port, servers] : ports) {
      if (servers->empty()) continue;
      out.sample({{"port", port}}, static_cast<double>(http_counts(*servers).*member));
    }
  };
  out.gauge("ficus_http_connections", "Open HTTP connections");
  for (const auto& [port, servers] : ports) {
    std::size_t open = 0;
    for (const auto& server : *servers) open += server->connection_count();
    if (!servers->empty()) out.sample({{"port", port}}, static_cast<double>(open));
  }
  each("ficus_http_requests_total", "HTTP requests", &Counts::requests);
  each("ficus_http_connections_refused_total", "Connections over connections_max",
       &Counts::connections_refused);
  each("ficus_http_requests_malformed_total", "Requests refused for their form",
       &Counts::requests_malformed);
  out.counter("ficus_http_ended_total", "Requests ended for want of pace, by cause");
  for (const auto& [port, servers] : ports) {
    if (servers->empty()) continue;
    const Counts counts = http_counts(*servers);
    const auto sample = [&](const char* cause, std::uint64_t count) {
      out.sample({{"port", port}, {"cause", cause}}, static_cast<double>(count));
    };
    sample("slow_header", counts.headers_slow);
    sample("slow_body", counts.bodies_slow);
    sample("slow_reader", counts.readers_slow);
    sample("late_answer", counts.answers_late);
  }
  out.gauge("ficus_http_held_bytes", "Bodies being collected and answers not taken yet");
  out.sample(static_cast<double>(budget_->bytes_held()));
  out.counter("ficus_http_no_room_total",
              "For want of room in http.held_mib_max: connections dropped, answers and bodies "
              "refused");
  out.sample({{"what", "dropped"}}, static_cast<double>(budget_->dropped_count()));
  out.sample({{"what", "refused"}}, static_cast<double>(budget_->refused_count()));
}

void Ports::write_tls_metrics(api::MetricsWriter& out) const {
  const auto each = [&](const char* name, const char* help, auto value) {
    out.counter(name, help);
    if (!https_.empty()) value("https", tls_counts(https_));
    if (!mqtts_.empty()) value("mqtts", tls_counts(mqtts_));
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
