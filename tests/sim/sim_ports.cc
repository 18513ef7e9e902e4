#include "sim_ports.h"

#include <utility>

namespace ficus::sim {

SimPorts::SimPorts(const Base& base)
    : http_ingest_(base.ingest, base.sources),
      http_(net::HttpServer::create(base.loop, {.clock = &base.clock}, *this)) {}

Result<std::unique_ptr<SimPorts>> SimPorts::open(const Base& base) {
  std::unique_ptr<SimPorts> ports(new SimPorts(base));
  for (const connect::Source& source : base.sources.all()) {
    if (!std::holds_alternative<connect::AisSource>(source.declaration.connector)) continue;
    FICUS_TRY(ports->ais_[source.declaration.name],
              connect::AisConnector::create(base.loop, base.ingest, base.sources.share(source),
                                            base.schema, base.clock, base.logger));
  }
  return ports;
}

void SimPorts::accept(Port port, std::unique_ptr<net::Connection> link) {
  if (port == Port::http) return http_->accept(std::move(link));
  ais_.at(port == Port::ais ? "coast" : "hostile-coast")->accept(std::move(link));
}

void SimPorts::accept_datagram(const std::string& source, std::string_view bytes,
                               const net::Address& sender) {
  ais_.at(source)->accept_datagram(std::as_bytes(std::span(bytes)), sender);
}

void SimPorts::drain() {
  for (const auto& [source, connector] : ais_) connector->drain();
  http_->drain();
}

void SimPorts::on_request(std::unique_ptr<net::HttpExchange> exchange) {
  constexpr std::string_view kIngest = "/ingest/";
  const std::string path(exchange->target().path);
  if (exchange->method() != "POST" || !path.starts_with(kIngest)) {
    return exchange->respond(404, "text/plain", "");
  }
  http_ingest_.on_post(path.substr(kIngest.size()), std::move(exchange));
}

}  // namespace ficus::sim
