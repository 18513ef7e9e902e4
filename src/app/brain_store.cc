// What keeps: log, twin, rules, history.
#include <fmt/format.h>

#include "app/brain_options.h"
#include "app/brain_parts.h"
#include "connect/ais/vessel_mapping.h"

namespace ficus::app {
namespace {

void log_maintenance(Logger& logger, const history::MaintenanceReport& report) {
  for (const std::string& file : report.sealed) logger.info("history", "sealed", {{"file", file}});
  for (const std::string& file : report.merged) {
    logger.info("history", "merged into a larger file", {{"file", file}});
  }
  for (const std::string& file : report.expired) {
    logger.info("history", "expired", {{"file", file}});
  }
  for (const std::string& file : report.orphans_removed) {
    logger.info("history", "removed an unfinished file", {{"file", file}});
  }
  for (const std::string& what : report.cut) {
    logger.warning("history", "cut off a torn tail; the log gives its rows again",
                   {{"what", what}});
  }
  for (const std::string& what : report.set_aside) {
    logger.error("history", "set a damaged file aside", {{"what", what}});
  }
  for (const std::string& file : report.wanted) {
    logger.warning("history", "wants the rows of a damaged file again from the log",
                   {{"file", file}});
  }
  for (const std::string& file : report.restored) {
    logger.info("history", "has the rows of a damaged file again", {{"file", file}});
  }
  for (const std::string& what : report.problems) {
    logger.warning("history", "will try again", {{"what", what}});
  }
}

history::FeedEvents feed_events(Logger& logger) {
  history::FeedEvents events;
  events.maintained = [&logger](const history::MaintenanceReport& report) {
    log_maintenance(logger, report);
  };
  events.failed = [&logger](const Error& error, std::uint64_t failures) {
    // The first, then ever fewer.
    if ((failures & (failures - 1)) == 0) {
      logger.error("history", "cannot write; the log keeps everything until it can",
                   {{"error", error.message}, {"failures", std::to_string(failures)}});
    }
  };
  events.recovered = [&logger] { logger.info("history", "can be written again"); };
  return events;
}

// The number of shards decides where each entity lives, so it may not change under existing data.
Status check_shard_count(const Config& config, Disk& disk) {
  const std::string path = config.data_directory + "/shards";
  const std::string text = std::to_string(config.shards) + "\n";
  if (!disk.exists(path)) {
    return write_file_atomically(disk, path, std::as_bytes(std::span(text)));
  }
  FICUS_TRY(const std::string stored, read_file(disk, path, 100));
  if (stored == text) return {};
  return invalid(fmt::format("shards: the data in {} is for {} shards, not {}: set it back",
                             config.data_directory, stored.substr(0, stored.find('\n')),
                             config.shards));
}

}  // namespace

Status declare_own_types(Schema& schema) {
  FICUS_TRY_VOID(AlertAttributes::declare(schema));
  FICUS_TRY_VOID(ConfigurationAttributes::declare(schema));
  FICUS_TRY_VOID(connect::AuditAttributes::declare(schema));
  FICUS_TRY_VOID(declare_marks(schema));
  return connect::declare_vessel_type(schema);
}

Status Brain::Parts::open_store() {
  FICUS_TRY_VOID(check_shard_count(config, machine.disk));
  FICUS_TRY_VOID(declare_own_types(schema));
  FICUS_TRY(packs, LoadedPacks::load(config.packs, machine.disk, schema));
  packs.catalog.version = FICUS_VERSION;
  // After the packs, whose types it makes views for.
  history::MaintenanceReport report;
  FICUS_TRY(history, history::open_duck_history(history_options(config), schema, machine.disk,
                                                machine.clock, report));
  log_maintenance(machine.logger, report);
  FICUS_TRY(std::vector<std::uint64_t> positions, history->positions());
  positions.resize(to_size(config.shards));
  const std::vector<std::uint64_t> known_positions = history->known_positions();
  const std::vector<history::HistoryGap> wanted = history->wanted();
  history::FeedOptions feed_options;
  feed_options.commit_interval = Micros::from_millis(config.history.commit_interval_ms);
  feed = std::make_unique<history::HistoryFeed>(*history, machine.clock, feed_options,
                                                feed_events(machine.logger), positions);
  EngineOptions options = engine_options(config, machine.random_seed, intake.get());
  options.rules = packs.rules;
  options.configuration = {"start", packs.parts};
  FICUS_TRY(engine, Engine::open({.disk = machine.disk,
                                  .clock = machine.clock,
                                  .logger = machine.logger,
                                  .schema = schema,
                                  .history = *feed,
                                  .history_positions = positions,
                                  .history_known_positions = known_positions,
                                  .history_wanted = wanted,
                                  .intake = intake.get()},
                                 std::move(options)));
  for (const history::HistoryGap& gap : engine->history_gaps()) {
    const std::string loss = history->name_loss(gap);
    if (!loss.empty()) {
      machine.logger.error("history", "part of history is lost", {{"what", loss}});
    }
  }
  return {};
}

}  // namespace ficus::app
