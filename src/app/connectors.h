#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/metrics.h"
#include "connect/ais/ais_connector.h"
#include "connect/ingest/ingest.h"
#include "connect/ingest/source_set.h"

namespace ficus::app {

// The sources that need something of their own to run (a port, a connection to somebody else), as
// opposed to those that come in through the broker and the HTTP port. Starts them, and at a reload
// stops and starts just those that differ. Runs on the loop's thread.
class Connectors {
 public:
  struct Parts {
    net::EventLoop& loop;
    connect::Ingest& ingest;
    Schema& schema;
    const Clock& clock;
    Logger& logger;
  };
  explicit Connectors(const Parts& parts) : parts_(parts), sweep_(parts.loop) {}

  // Lets those of `next` run, and no others. On an error (a port that is taken) those of before run
  // on as they were.
  Status change(const connect::SourceSet& next);
  void drain();
  void write_metrics(api::MetricsWriter& out) const;

 private:
  struct Running {
    connect::AisSource settings;
    std::shared_ptr<const connect::Source> source;
    std::unique_ptr<connect::AisConnector> connector;
  };
  using RunningByName = std::map<std::string, Running>;

  Result<std::unique_ptr<connect::AisConnector>> open(
      std::shared_ptr<const connect::Source> source);
  void stop(Running& running);
  void sweep();

  const Parts parts_;
  RunningByName running_;
  // Stopped ones end when all that they have gathered is handed over.
  std::vector<std::unique_ptr<connect::AisConnector>> ending_;
  net::Timer sweep_;
};

}  // namespace ficus::app
