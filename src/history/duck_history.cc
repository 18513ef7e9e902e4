#include "history/duck_history.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

#include "history/duck_store.h"

namespace ficus::history {

Status DuckHistory::open(MaintenanceReport& report) {
  FICUS_TRY_VOID(disk_.make_directories(options_.directory));
  const std::string answers = options_.directory + "/" + kAnswersFolder;
  if (disk_.exists(answers)) {  // what a crash left
    FICUS_TRY(const std::vector<std::string> names, disk_.list(answers));
    for (const std::string& name : names) FICUS_TRY_VOID(disk_.remove(answers + "/" + name));
  }
  FICUS_TRY_VOID(open_database());
  FICUS_TRY_VOID(set_damaged_aside(*feed_, disk_, catalog_, report));
  FICUS_TRY_VOID(remove_orphans(disk_, catalog_, report));
  rebuild_views(report);
  declare_types(clock_.now(), report);
  publish();
  return {};
}

Status DuckHistory::open_database() {
  DuckSettings settings;
  settings.path = database_path();
  settings.directory = options_.directory;
  settings.spill_directory = options_.directory + "/spill";
  settings.memory_bytes_max = options_.memory_bytes_max;
  settings.spill_bytes_max = options_.spill_bytes_max;
  settings.threads = options_.threads;
  FICUS_TRY(database_, DuckDatabase::open(settings));
  FICUS_TRY(feed_, DuckConnection::open(*database_));
  FICUS_TRY(catalog_, Catalog::load(*feed_, options_.directory));
  FICUS_TRY_VOID(prepare_positions());
  FICUS_TRY_VOID(count_tails());
  watch_.set_database(database_.get());
  return {};
}

Status DuckHistory::prepare_positions() {
  committed_.assign(options_.shard_count, 0);
  std::vector<bool> found(options_.shard_count, false);
  FICUS_TRY(const auto rows,
            feed_->select("SELECT shard, CAST(position AS BIGINT) FROM ficus_position"));
  for (const DatumRow& row : rows) {
    const auto shard = static_cast<std::uint64_t>(integer_of(row[0]));
    if (shard >= options_.shard_count) {
      return fail(ErrorCode::conflict,
                  fmt::format("the history knows shard {}, but there are {} shards now", shard,
                              options_.shard_count));
    }
    committed_[shard] = static_cast<std::uint64_t>(integer_of(row[1]));
    found[shard] = true;
  }
  for (std::uint32_t shard = 0; shard < options_.shard_count; ++shard) {
    if (found[shard]) continue;
    FICUS_TRY_VOID(feed_->run(fmt::format("INSERT INTO ficus_position VALUES ({}, 0)", shard)));
  }
  return {};
}

Status DuckHistory::count_tails() {
  tail_rows_.clear();
  for (const auto& [name, type] : catalog_.types()) {
    FICUS_TRY(const auto rows,
              feed_->select("SELECT count(*) FROM " + type.tail_table(type.active())));
    tail_rows_[name] = static_cast<std::uint64_t>(integer_of(rows.at(0)[0]));
  }
  return {};
}

// The directory may have moved, and damaged files have left. One type's trouble is not the others'.
void DuckHistory::rebuild_views(MaintenanceReport& report) {
  for (const auto& [name, type] : catalog_.types()) {
    const Status status = catalog_.rebuild_view(*feed_, name);
    if (!status) report.problems.push_back(name + ": " + status.error().message);
  }
}

void DuckHistory::close() {
  watch_.set_database(nullptr);
  feed_.reset();
  database_.reset();
}

// After a failure that DuckDB cannot go on from (its log could not be written). Queries are ended,
// everything is closed and opened; then the positions tell whether the last commit took place.
Status DuckHistory::reopen() {
  sealer_.stop();
  std::unique_lock lock(database_mutex_, std::defer_lock);
  while (!lock.try_lock()) {
    watch_.stop_all();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  close();
  FICUS_TRY_VOID(open_database());
  must_reopen_ = false;
  if (!attempted_.empty() && committed_ == attempted_) {
    forget_pending(attempted_rows_, attempted_quarantine_);
  }
  attempted_.clear();
  return {};
}

Result<std::unique_ptr<History>> open_duck_history(const DuckHistoryOptions& options,
                                                   const Schema& schema, Disk& disk,
                                                   const Clock& clock, MaintenanceReport& report) {
  if (options.shard_count == 0 || options.tail_rows_max == 0 || options.queries_max == 0 ||
      options.threads == 0) {
    return invalid("history: shard_count, tail_rows_max, queries_max and threads begin at 1");
  }
  if (!options.directory.starts_with('/')) {
    return invalid("history: the directory must be an absolute path, not " + options.directory);
  }
  auto history = std::make_unique<DuckHistory>(options, schema, disk, clock);
  FICUS_TRY_VOID(history->open(report));
  return std::unique_ptr<History>(std::move(history));
}

}  // namespace ficus::history
