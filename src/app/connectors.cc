#include "app/connectors.h"

namespace ficus::app {
namespace {

constexpr Micros kSweepBeat = Micros::from_millis(200);

}  // namespace

Result<std::unique_ptr<connect::AisConnector>> Connectors::open(
    std::shared_ptr<const connect::Source> source) {
  return connect::AisConnector::open(parts_.loop, parts_.ingest, std::move(source), parts_.schema,
                                     parts_.clock, parts_.logger);
}

void Connectors::stop(Running& running) {
  running.connector->stop();
  ending_.push_back(std::move(running.connector));
  sweep_.start_repeating(kSweepBeat, [this] { sweep(); });
}

void Connectors::sweep() {
  std::erase_if(ending_, [](const auto& connector) { return connector->is_idle(); });
  if (ending_.empty()) sweep_.cancel();
}

Status Connectors::change(const connect::SourceSet& next) {
  RunningByName wanted;
  std::vector<std::string> differing;  // run now, with other settings
  for (const connect::Source& source : next.all()) {
    const auto* const ais = std::get_if<connect::AisSource>(&source.declaration.connector);
    if (ais == nullptr) continue;
    const std::string& name = source.declaration.name;
    wanted[name] = {*ais, next.share(source), nullptr};
    const auto found = running_.find(name);
    if (found != running_.end() && found->second.settings != *ais) differing.push_back(name);
  }
  // A port must be free before it can be opened anew.
  for (const std::string& name : differing) stop(running_.at(name));
  Status status;
  for (auto& [name, running] : wanted) {
    const auto found = running_.find(name);
    if (found != running_.end() && found->second.connector != nullptr) continue;
    auto opened = open(running.source);
    if (!opened) {
      status = std::unexpected(opened.error());
      break;
    }
    running.connector = *std::move(opened);
  }
  if (!status) {
    wanted.clear();  // closes what was opened
    for (const std::string& name : differing) {
      Running& before = running_.at(name);
      if (auto again = open(before.source)) {
        before.connector = *std::move(again);
      } else {
        parts_.logger.error("sources", "cannot open the source again as it was",
                            {{"source", name}, {"error", again.error().message}});
        running_.erase(name);
      }
    }
    return status;
  }
  for (auto& [name, running] : running_) {
    if (running.connector == nullptr) continue;  // differing: its successor runs
    const auto found = wanted.find(name);
    if (found == wanted.end()) {
      stop(running);
    } else {
      found->second = std::move(running);
    }
  }
  running_ = std::move(wanted);
  return {};
}

void Connectors::drain() {
  for (const auto& [name, running] : running_) running.connector->drain();
}

void Connectors::write_metrics(api::MetricsWriter& out) const {
  const auto each = [&](const char* name, const char* help, auto member) {
    out.counter(name, help);
    for (const auto& [source, running] : running_) {
      out.sample({{"source", source}}, static_cast<double>(running.connector->counts().*member));
    }
  };
  each("ficus_ais_lines_total", "NMEA lines read", &connect::AisCounts::lines);
  each("ficus_ais_messages_total", "AIS messages decoded", &connect::AisCounts::messages);
  each("ficus_ais_datagrams_dropped_total", "Datagrams the kernel dropped before they were read",
       &connect::AisCounts::datagrams_dropped);
  each("ficus_ais_connections_refused_total", "TCP peers over the limit of 10,000, closed at once",
       &connect::AisCounts::connections_refused);
  out.gauge("ficus_ais_connections", "TCP peers that are connected");
  for (const auto& [source, running] : running_) {
    out.sample({{"source", source}}, static_cast<double>(running.connector->counts().connections));
  }
}

}  // namespace ficus::app
