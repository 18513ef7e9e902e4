#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "checker.h"

namespace ficus::sim {
namespace {

bool is_of_ships(const Model& model, const std::string& source) {
  return model.lines.contains(source);
}

// The number that the row carries: its longitude, or the ship's IMO number.
std::uint64_t sighting_of(const HistoryRow& row) {
  const auto location = row.values.find("location");
  if (location != row.values.end()) {
    return static_cast<std::uint64_t>(
        std::llround(location->second.as_point().longitude * 600'000));
  }
  const auto imo = row.values.find("imoNumber");
  return imo == row.values.end() ? 0 : static_cast<std::uint64_t>(imo->second.as_number());
}

// Both halves of what came in two sentences are of one sighting.
bool is_of_one(const HistoryRow& row, std::uint64_t number) {
  const auto destination = row.values.find("destination");
  return destination == row.values.end() || destination->second.as_text() == destination_of(number);
}

void check_rows(const Model& model, const HistoryStore& history, Micros now, Report& report) {
  std::set<std::uint64_t> seen;
  for (const HistoryRow& row : history.rows) {
    if (!is_of_ships(model, row.source)) continue;
    const std::uint64_t number = sighting_of(row);
    const auto found = model.sightings.find(number);
    if (found == model.sightings.end() || found->second.source != row.source ||
        row.id != fmt::format("urn:ngsi-ld:Vessel:{}", found->second.mmsi) ||
        !is_of_one(row, number)) {
      report.violation(now, fmt::format("nobody has said sighting {} of {}", number, row.id));
    } else if (!seen.insert(number).second) {
      report.violation(now, fmt::format("sighting {} of {} is in history twice", number, row.id));
    }
  }
  for (const auto& [number, sighting] : model.sightings) {
    if (sighting.must_arrive && !seen.contains(number)) {
      report.violation(now,
                       fmt::format("sighting {} of {} has not arrived", number, sighting.source));
    }
  }
}

// Each line in quarantine was sent, as often at least; the link may have cut its end off.
void check_quarantine(const Model& model, const HistoryStore& history, Micros now, Report& report) {
  std::map<std::string, std::map<std::string, std::uint64_t>> times;
  for (const HistoryQuarantined& each : history.quarantined) {
    if (!is_of_ships(model, each.source)) continue;
    const auto& sent = model.lines.at(each.source);
    for (const std::string& line : lines_of(each.item.bytes)) {
      const auto found = sent.lower_bound(line);
      if (found == sent.end() || !found->first.starts_with(line)) {
        report.violation(now, fmt::format("'{}' is in quarantine and was never sent", line));
      } else if (found->first == line && ++times[each.source][line] > found->second) {
        report.violation(now, fmt::format("'{}' is in quarantine {} times, sent {} times", line,
                                          times[each.source][line], found->second));
      }
    }
  }
}

}  // namespace

void check_sightings(const Model& model, const HistoryStore& history, Micros now, Report& report) {
  check_rows(model, history, now, report);
  check_quarantine(model, history, now, report);
}

}  // namespace ficus::sim
