#include "checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "log/log_reader.h"
#include "log/recover.h"
#include "log/segments.h"
#include "log/snapshot.h"

namespace ficus::sim {
namespace {

bool is_vehicle(const HistoryRow& row) { return row.type == "Vehicle"; }
double number_of(const HistoryRow& row, const char* name) {
  const auto found = row.values.find(name);
  return found == row.values.end() || found->second.kind() != ValueKind::number
             ? -1
             : found->second.as_number();
}

std::string text_of(const HistoryRow& row, const char* name) {
  const auto found = row.values.find(name);
  return found == row.values.end() || !holds_text(found->second.kind()) ? ""
                                                                        : found->second.as_text();
}

std::uint64_t reading_of(const HistoryRow& row) {
  return static_cast<std::uint64_t>(number_of(row, "seq"));
}

// The rows of each shard in the order of its log.
std::vector<const HistoryRow*> in_order(const HistoryStore& history) {
  std::vector<const HistoryRow*> rows;
  for (const HistoryRow& row : history.rows) rows.push_back(&row);
  // Those of one record lie in the store in their order.
  std::ranges::sort(
      rows, {}, [](const HistoryRow* row) { return std::tuple(row->shard, row->position, row); });
  return rows;
}

}  // namespace

void check_history(const Model& model, const HistoryStore& history, Micros now, Report& report) {
  for (const std::string& breach : history.breaches) report.violation(now, "history: " + breach);
  std::map<std::uint64_t, std::uint64_t> times;
  for (const HistoryRow& row : history.rows) {
    if (!is_vehicle(row)) continue;
    const std::uint64_t number = reading_of(row);
    const auto found = model.readings.find(number);
    if (found == model.readings.end() || !found->second.was_sent ||
        found->second.entity != row.id || found->second.observed_at != row.observed_at ||
        found->second.speed != number_of(row, "speed")) {
      report.violation(
          now, fmt::format("history has a reading that nobody sent: {} of {}", number, row.id));
      continue;
    }
    if (++times[number] == 2) {
      report.violation(now, fmt::format("reading {} of {} is in history twice", number, row.id));
    }
  }
  for (const auto& [number, reading] : model.readings) {
    if (reading.is_acknowledged && !times.contains(number)) {
      report.violation(now, fmt::format("reading {} of {} was acknowledged and is lost", number,
                                        reading.entity));
    }
  }
  std::set<std::string> quarantined;
  for (const HistoryQuarantined& each : history.quarantined) quarantined.insert(each.item.bytes);
  for (const auto& [payload, is_acknowledged] : model.nonsense) {
    if (is_acknowledged && !quarantined.contains(payload)) {
      report.violation(now, fmt::format("'{}' was acknowledged and is not in quarantine", payload));
    }
  }
}

namespace {

// What a rule must have said of one vehicle.
struct Watched {
  Timestamp newest = Timestamp::min();
  bool is_speeding = false;
  bool is_lasting = false;
  Timestamp fast_since = Timestamp::min();
  std::map<std::string, std::uint64_t> changes;  // by rule
};

void follow(Watched& watched, const HistoryRow& row) {
  if (row.observed_at <= watched.newest) return;
  watched.newest = row.observed_at;
  const double speed = number_of(row, "speed");
  if ((speed > 60) != watched.is_speeding) {
    watched.is_speeding = !watched.is_speeding;
    ++watched.changes["overspeed"];
  }
  if (speed <= 40) {
    watched.fast_since = Timestamp::min();
  } else if (watched.fast_since == Timestamp::min()) {
    watched.fast_since = row.observed_at;
  }
  const bool is_lasting =
      speed > 40 && row.observed_at - watched.fast_since >= Micros::from_seconds(10);
  if (is_lasting != watched.is_lasting) {
    watched.is_lasting = is_lasting;
    ++watched.changes["lasting"];
  }
}

struct Told {
  std::uint64_t steps = 0;
  std::string status;
};

}  // namespace

void check_alerts(const Model& model, const HistoryStore& history, Micros now, Report& report) {
  std::map<std::string, Watched> vehicles;
  std::map<std::pair<std::string, std::string>, Told> told;  // by rule and entity
  std::set<std::string> alert_ids;
  for (const HistoryRow* const row : in_order(history)) {
    if (is_vehicle(*row)) follow(vehicles[row->id], *row);
    if (row->type != "Alert") continue;
    alert_ids.insert(row->id);
    const std::string rule = text_of(*row, "rule");
    Told& alert = told[{rule, text_of(*row, "alertSource")}];
    const std::string status = text_of(*row, "status");
    const std::string expected = alert.status == "raised" ? "cleared" : "raised";
    if (status != expected) {
      report.violation(now,
                       fmt::format("alert {} is '{}' behind '{}'", row->id, status, alert.status));
    }
    alert.status = status;
    ++alert.steps;
  }
  for (const auto& [id, watched] : vehicles) {
    for (const char* const rule : {"overspeed", "lasting"}) {
      const auto changes = watched.changes.find(rule);
      const std::uint64_t expected = changes == watched.changes.end() ? 0 : changes->second;
      const auto found = told.find({rule, id});
      const std::uint64_t steps = found == told.end() ? 0 : found->second.steps;
      if (steps == expected) continue;
      report.violation(now, fmt::format("rule {} spoke {} times of {}, it should have {} times",
                                        rule, steps, id, expected));
    }
    if (told[{"silent", id}].status != "raised") {
      report.violation(now, fmt::format("{} has long been silent, and nobody was told", id));
    }
  }
  for (const auto& [id, heard] : model.heard) {
    for (const auto& [payload, times] : heard.alerts) {
      const std::size_t begin = payload.find("urn:ngsi-ld:Alert:");
      const std::size_t end = payload.find('"', begin);
      if (begin == std::string::npos || !alert_ids.contains(payload.substr(begin, end - begin))) {
        report.violation(now, fmt::format("{} was told of an alert that is none: {}", id, payload));
      }
    }
  }
}

void check_books(const std::map<std::string, SourceBooks, std::less<>>& books, const Model& model,
                 const HistoryStore& history, Micros now, Report& report) {
  std::map<std::string, std::uint64_t> rows;
  std::map<std::string, std::uint64_t> quarantined;
  for (const HistoryRow& row : history.rows) {
    ++rows[row.source];
  }
  for (const HistoryQuarantined& each : history.quarantined) ++quarantined[each.source];
  for (const auto& [source, of] : books) {
    const auto complain = [&](const std::string& text) {
      report.violation(now, fmt::format("books of {}: {}: received {}, applied {}, late {}, "
                                        "duplicate {}, quarantined {}, refused {}",
                                        source, text, of.received, of.applied, of.late,
                                        of.duplicate, of.quarantined, of.refused()));
    };
    if (!of.balanced()) complain("they do not balance");
    if (of.applied + of.late != rows[source]) {
      complain(fmt::format("history has {} rows", rows[source]));
    }
    if (of.quarantined != quarantined[source]) {
      complain(fmt::format("history has {} quarantined", quarantined[source]));
    }
    // What the broker keeps for the engine is handed over again after a crash.
    const auto copies = model.copies.find(source);
    if (source != "vehicles" && copies != model.copies.end() && of.received > copies->second) {
      complain(fmt::format("only {} were sent", copies->second));
    }
  }
}

void check_present(SimBrain& brain, const HistoryStore& history, Micros now, Report& report) {
  std::map<std::string, const HistoryRow*> newest;
  for (const HistoryRow& row : history.rows) {
    if (!is_vehicle(row)) continue;
    const HistoryRow*& best = newest[row.id];
    if (best == nullptr || row.observed_at > best->observed_at) best = &row;
  }
  for (const auto& [id, row] : newest) {
    const std::optional<double> seq = brain.number_now(id, "seq");
    if (seq == number_of(*row, "seq")) continue;
    report.violation(now, fmt::format("the present of {} is reading {}, the newest is {}", id,
                                      seq.value_or(-1), number_of(*row, "seq")));
  }
}

void check_messages(const Model& model, Micros now, Report& report) {
  for (const auto& [number, message] : model.messages) {
    if (!message.is_acknowledged) continue;
    for (const std::string& subscriber : message.owed_to) {
      const auto heard = model.heard.find(subscriber);
      if (heard != model.heard.end() && heard->second.times.contains(number)) continue;
      report.violation(now, fmt::format("message {} of {} was acknowledged and never reached {}",
                                        number, message.topic, subscriber));
    }
  }
  const auto fresh = model.heard.find("fresh");
  for (const auto& [topic, retained] : model.retained) {
    if (retained.acknowledged == 0) continue;
    const std::uint64_t value = fresh == model.heard.end() || !fresh->second.newest.contains(topic)
                                    ? 0
                                    : fresh->second.newest.at(topic);
    if (value >= retained.acknowledged && value <= retained.sent) continue;
    report.violation(now, fmt::format("{} retains {}, acknowledged was {}", topic, value,
                                      retained.acknowledged));
  }
}

// ---- views

namespace {

struct Folded {
  std::string from;
  ShardState::Sections sections;
};

Result<ShardState::Sections> fold_from(Disk& disk, const std::string& directory,
                                       std::optional<log::Position> snapshot, log::Position until,
                                       SimBrain::Fold& fold) {
  if (snapshot) {
    FICUS_TRY(const auto reader,
              log::SnapshotReader::open(disk, log::snapshot_path(directory, *snapshot)));
    FICUS_TRY(const LogFold::Sections sections, read_sections(*reader));
    FICUS_TRY_VOID(fold.state->decode(sections));
  }
  FICUS_TRY(const auto reader,
            log::LogReader::open(disk, directory, snapshot.value_or(log::Position{}), until));
  while (true) {
    FICUS_TRY(const log::Record* const record, reader->next());
    if (record == nullptr) return fold.state->encode();
    const std::string_view payload(reinterpret_cast<const char*>(record->payload.data()),
                                   record->payload.size());
    FICUS_TRY_VOID(fold.state->replay(payload, record->time));
  }
}

Status check_shard(SimDisk& disk, std::size_t shard, const BrainOptions& options,
                   const Clock& clock, Micros now, Report& report) {
  const std::string directory = fmt::format("{}/log/shard-{}", kDataDirectory, shard);
  FICUS_TRY(const log::Recovered recovered, log::recover(disk, directory));
  FICUS_TRY(const std::vector<log::Position> snapshots, log::list_snapshots(disk, directory));
  std::vector<std::optional<log::Position>> starts(snapshots.begin(), snapshots.end());
  if (recovered.begin.offset == 0 && !recovered.segments.empty()) starts.emplace_back();
  std::vector<Folded> all;
  for (const auto& start : starts) {
    const auto fold = SimBrain::new_fold(shard == 0, options, clock);
    FICUS_TRY(auto sections, fold_from(disk, directory, start, recovered.end, *fold));
    all.push_back({start ? fmt::format("the snapshot at {}", start->offset) : "the log's begin",
                   std::move(sections)});
  }
  for (const Folded& other : all) {
    for (std::size_t i = 0; i < other.sections.size(); ++i) {
      if (other.sections[i] == all.front().sections[i]) continue;
      report.violation(
          now, fmt::format("shard {}: '{}' rebuilt from {} is not what it is from {}", shard,
                           other.sections[i].first, other.from, all.front().from));
    }
  }
  return {};
}

}  // namespace

void check_views(const SimDisk& disk, const BrainOptions& options, const Clock& clock, Micros now,
                 Report& report) {
  if (!disk.damaged_file().empty()) return;
  const std::unique_ptr<SimDisk> copy = disk.copy();
  for (std::size_t shard = 0; shard < options.shards; ++shard) {
    const Status checked = check_shard(*copy, shard, options, clock, now, report);
    if (!checked) {
      report.violation(
          now, fmt::format("shard {} cannot be rebuilt: {}", shard, checked.error().message));
    }
  }
}

}  // namespace ficus::sim
