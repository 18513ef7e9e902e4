#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <map>
#include <utility>

#include "app/command_list.h"
#include "app/directory_lock.h"
#include "base/time_text.h"
#include "codec/fact/fact.h"
#include "history/duck_history.h"
#include "log/log_check.h"
#include "log/log_repair.h"

namespace ficus::app {
namespace {

// Those named, or all of the configured data directory.
Result<std::vector<std::string>> log_directories(const Arguments& arguments,
                                                 const Machine& machine) {
  std::vector<std::string> directories = arguments.positional();
  if (!directories.empty()) return directories;
  FICUS_TRY(const Config config, load_config(arguments, machine));
  const std::string root = config.data_directory + "/log";
  FICUS_TRY(const std::vector<std::string> names, machine.disk.list(root));
  for (const std::string& name : names) directories.push_back(root + "/" + name);
  return directories;
}

std::string name_of(const std::string& directory) {
  return directory.substr(directory.rfind('/') + 1);
}

// The data directory that the log is part of; the log itself if it is part of none.
std::string data_directory_of(const std::string& log, Disk& disk) {
  std::string data = parent_directory(parent_directory(log));
  return disk.exists(data + "/shards") ? data : log;
}

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return number;
}

// Up to where history has applied each shard's log: those positions must not be used again. Nothing
// if there is no history, or it cannot be read.
std::vector<std::uint64_t> history_positions(const std::string& data, const Machine& machine) {
  std::string directory = data + "/history";
  if (!machine.disk.exists(directory + "/history.duckdb")) return {};
  // The database takes absolute paths only.
  if (char* const absolute = ::realpath(directory.c_str(), nullptr)) {
    directory = absolute;
    std::free(absolute);
  }
  const auto shards = read_file(machine.disk, data + "/shards", 100);
  history::DuckHistoryOptions options;
  options.directory = directory;
  options.shard_count = shards ? number_of(*shards).value_or(1) : 1;
  options.set_damaged_aside = false;  // the brain does that
  const Schema schema;
  history::MaintenanceReport report;
  const auto history =
      history::open_duck_history(options, schema, machine.disk, machine.clock, report);
  if (!history) {
    fmt::print("the history cannot be asked how far it is: {}\n", history.error().message);
    return {};
  }
  return (*history)->known_positions();
}

// What the bytes of lost records still say, by source.
class LostFacts final : public log::RecordVisitor {
 public:
  Status visit(const log::Record& record) override {
    const std::string_view payload(reinterpret_cast<const char*>(record.payload.data()),
                                   record.payload.size());
    const auto facts = fact::read_step(payload, schema_);
    if (!facts) {
      ++unreadable;
      return {};
    }
    for (const fact::Fact& fact : *facts) {
      if (const auto* const heard = std::get_if<fact::Heard>(&fact)) {
        items[heard->source] += heard->batch.item_count();
      }
    }
    return {};
  }

  std::map<std::string, std::uint64_t> items;
  std::uint64_t unreadable = 0;

 private:
  Schema schema_;
};

std::string time_or(const std::optional<Timestamp>& time, const char* otherwise) {
  return time ? to_iso8601(*time) : otherwise;
}

void print_lost(const log::LostRange& range) {
  fmt::print("  LOST: positions {} to {} ({} bytes) in {}: {}\n", range.begin.offset,
             range.end.offset, range.end - range.begin, range.file, range.reason);
  fmt::print("    written between {} and {}; {} records can still be told apart\n",
             time_or(range.before, "the beginning"), time_or(range.after, "the end"),
             range.records);
  if (range.is_covered) {
    fmt::print("    a snapshot holds what they did: the present lacks nothing\n");
  }
}

void print_repair(const std::string& directory, const log::RepairReport& report,
                  const LostFacts& facts, bool dry_run) {
  fmt::print("{}: positions {} to {}", directory, report.begin.offset, report.end.offset);
  if (report.has_snapshot) fmt::print(", snapshot at {}", report.snapshot.offset);
  fmt::print("\n");
  for (const log::LostRange& range : report.lost) print_lost(range);
  for (const auto& [source, items] : facts.items) {
    fmt::print("  LOST of source {}: {} items, as far as their bytes can be read\n", source, items);
  }
  if (facts.unreadable > 0) fmt::print("  LOST records of unknown content: {}\n", facts.unreadable);
  for (const std::string& file : report.set_aside) fmt::print("  set aside {}\n", file);
  if (report.torn_bytes > 0) {
    fmt::print(
        "  a torn tail of {} bytes was never acknowledged; it is cut off at the next start\n",
        report.torn_bytes);
  }
  if (!report.changes_anything()) {
    fmt::print("  nothing to repair\n");
  } else if (dry_run) {
    fmt::print("  nothing was changed: run it without --dry-run\n");
  } else {
    fmt::print("  repaired\n");
  }
}

}  // namespace

int run_log_check(const Arguments& arguments, const Machine& machine) {
  const auto directories = log_directories(arguments, machine);
  if (!directories) return report(directories.error());
  bool sound = true;
  for (const std::string& directory : *directories) {
    const log::CheckReport found = log::check(machine.disk, directory);
    fmt::print("{}: {} segments, {} records, {} bytes, positions {} to {}\n", directory,
               found.segments, found.records, found.record_bytes, found.begin.offset,
               found.end.offset);
    if (found.records > 0) {
      fmt::print("  from {} to {}\n", to_iso8601(found.first_time), to_iso8601(found.last_time));
    }
    for (const log::SnapshotCheck& snapshot : found.snapshots) {
      fmt::print("  snapshot {} at {}: {} bytes, {}\n", snapshot.file, snapshot.position.offset,
                 snapshot.bytes, snapshot.problem.empty() ? "sound" : snapshot.problem);
    }
    if (const auto lost = found.records_by_kind[std::to_underlying(log::kLost)]; lost > 0) {
      fmt::print("  {} places were lost to damage and bridged by a repair\n", lost);
    }
    if (found.torn_bytes > 0) {
      fmt::print("  torn tail of {} bytes (never acknowledged; cut off at the next start): {}\n",
                 found.torn_bytes, found.torn_reason);
    }
    for (const std::string& problem : found.problems) fmt::print("  DAMAGED: {}\n", problem);
    sound = sound && found.sound();
  }
  fmt::print("{}\n", sound ? "sound" : "DAMAGED");
  return sound ? 0 : 1;
}

int run_log_repair(const Arguments& arguments, const Machine& machine) {
  const auto directories = log_directories(arguments, machine);
  if (!directories) return report(directories.error());
  const bool dry_run = arguments.has("dry-run");
  for (const std::string& directory : *directories) {
    const std::string data = data_directory_of(directory, machine.disk);
    const auto lock = DirectoryLock::take(data);
    if (!lock) return report(lock.error());
    log::RepairOptions options{.dry_run = dry_run, .from_snapshot = arguments.has("from-snapshot")};
    const std::string name = name_of(directory);
    const bool is_shard = name.starts_with("shard-");
    if (is_shard && dry_run) {
      fmt::print("(how far history is, is not asked in a dry run)\n");
    } else if (is_shard) {
      const auto positions = history_positions(data, machine);
      const auto shard = number_of(std::string_view(name).substr(6));
      if (shard && *shard < positions.size()) options.known_durable = {positions[*shard]};
    }
    LostFacts lost;
    const auto repaired = log::repair(machine.disk, directory, options, lost);
    if (!repaired) return report(repaired.error());
    if (!is_shard) lost.unreadable = 0;  // the broker's records are another language
    print_repair(directory, *repaired, lost, dry_run);
  }
  return 0;
}

}  // namespace ficus::app
