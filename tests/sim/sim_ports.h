#pragma once

#include <map>
#include <memory>
#include <string>

#include "connect/ais/ais_connector.h"
#include "connect/http/http_ingest.h"
#include "connect/ingest/ingest.h"
#include "connect/ingest/source_set.h"
#include "sim_network.h"

namespace ficus::sim {

// The ports of HTTP and AIS without a socket: connections and datagrams come from the simulated
// network. Of HTTP there is POST /ingest/NAME; of AIS each source that sources.yaml has.
class SimPorts final : public net::HttpHandler {
 public:
  // What they stand on; it outlives them.
  struct Base {
    net::EventLoop& loop;
    connect::Ingest& ingest;
    const connect::SourceSet& sources;
    Schema& schema;
    const Clock& clock;
    Logger& logger;
  };
  static Result<std::unique_ptr<SimPorts>> open(const Base& base);

  void accept(Port port, std::unique_ptr<net::Connection> link);
  void accept_datagram(const std::string& source, std::string_view bytes,
                       const net::Address& sender);
  void drain();

  void on_request(std::unique_ptr<net::HttpExchange> exchange) override;

 private:
  explicit SimPorts(const Base& base);

  connect::HttpIngest http_ingest_;
  std::unique_ptr<net::HttpServer> http_;
  std::map<std::string, std::unique_ptr<connect::AisConnector>> ais_;  // by source
};

}  // namespace ficus::sim
