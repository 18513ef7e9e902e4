#include "history/duck_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "base/time_text.h"
#include "history/database_care.h"
#include "history/duck_store.h"
#include "history/sealed_metadata.h"

namespace ficus::history {
namespace {

std::string described(const DamagedFile& file) {
  return fmt::format("{} ({} rows of {}, observed from {} to {})", file.file, file.row_count,
                     file.type, to_iso8601(file.first_observed), to_iso8601(file.last_observed));
}

}  // namespace

Status DuckHistory::open(MaintenanceReport& report) {
  FICUS_TRY_VOID(disk_.make_directories(options_.directory));
  const std::string answers = options_.directory + "/" + kAnswersFolder;
  if (disk_.exists(answers)) {  // what a crash left
    FICUS_TRY(const std::vector<std::string> names, disk_.list(answers));
    for (const std::string& name : names) FICUS_TRY_VOID(disk_.remove(answers + "/" + name));
  }
  Status opened = open_database(report);
  if (const auto torn = opened ? std::nullopt : torn_entry(opened.error()); torn) {
    close();
    FICUS_TRY_VOID(cut_write_ahead_log(disk_, options_.directory, *torn, clock_.now(), report));
    opened = open_database(report);
  }
  if (!opened && options_.set_damaged_aside && is_damage(opened.error())) {
    close();
    FICUS_TRY_VOID(set_database_aside(disk_, options_.directory, opened.error().message,
                                      clock_.now(), report));
    opened = open_database(report);
  }
  FICUS_TRY_VOID(opened);
  FICUS_TRY_VOID(set_damaged_aside(*feed_, disk_, catalog_, report));
  FICUS_TRY_VOID(remove_orphans(disk_, catalog_, report));
  rebuild_views(report);
  declare_types(clock_.now(), report);
  note_sealed();
  want_again(report);
  damage_ = report.set_aside;
  publish();
  return {};
}

Status DuckHistory::open_database(MaintenanceReport& report) {
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
  FICUS_TRY_VOID(adopt_sealed_files(report));
  FICUS_TRY_VOID(prepare_positions());
  FICUS_TRY_VOID(count_tails());
  FICUS_TRY(database_file_, disk_.open(database_path(), OpenMode::read));
  FICUS_TRY(database_bytes_, database_file_->size());
  watch_.set_database(database_.get());
  return {};
}

// A database without positions has just been made. Files that are there all the same are all that
// is left of the one before it.
Status DuckHistory::adopt_sealed_files(MaintenanceReport& report) {
  FICUS_TRY(const auto rows, feed_->select("SELECT count(*) FROM ficus_position"));
  if (integer_of(rows.at(0)[0]) > 0) return {};
  FICUS_TRY(std::vector<HistoryType> types,
            find_sealed_files(*feed_, disk_, options_.directory, report));
  return catalog_.adopt(*feed_, std::move(types), clock_.now(), options_.shard_count);
}

void DuckHistory::note_sealed() {
  sealed_until_.assign(options_.shard_count, 0);
  for (const auto& [name, type] : catalog_.types()) {
    types_at_open_.push_back(type);
    for (const SealedFile& file : type.files) {
      for (const LogSpan& span : file.spans) {
        for (std::size_t i = 0; i < std::min(span.until.size(), sealed_until_.size()); ++i) {
          sealed_until_[i] = std::max(sealed_until_[i], span.until[i]);
        }
      }
    }
  }
}

// What is given again lies apart from newer rows: in a tail of its own, that is sealed with it, so
// that retention finds it in time.
void DuckHistory::want_again(MaintenanceReport& report) {
  std::set<std::string> types;
  for (const DamagedFile& file : catalog_.damaged()) {
    if (file.waiting.empty()) continue;
    damaged_at_open_.push_back(file);
    report.wanted.push_back(described(file));
    if (tail_rows_[file.type] > 0) types.insert(file.type);
  }
  for (const std::string& type : types) {
    if (const Status status = catalog_.rotate(*feed_, type, clock_.now(), committed_); status) {
      tail_rows_[type] = 0;
    } else {
      report.problems.push_back("rotating " + type + " failed: " + status.error().message);
    }
  }
}

std::vector<HistoryGap> DuckHistory::wanted() {
  LogSpans spans;
  for (const DamagedFile& file : damaged_at_open_) spans = joined(spans, file.waiting);
  std::vector<HistoryGap> gaps;
  for (std::uint32_t shard = 0; shard < options_.shard_count; ++shard) {
    for (const LogStretch& stretch : stretches_of(spans, shard)) {
      gaps.push_back({shard, stretch.after, stretch.until, true});
    }
  }
  return gaps;
}

std::vector<std::uint64_t> DuckHistory::known_positions() {
  std::vector<std::uint64_t> known = committed_;
  for (std::size_t i = 0; i < known.size(); ++i) known[i] = std::max(known[i], sealed_until_[i]);
  return known;
}

std::vector<std::string> DuckHistory::damage() {
  const std::lock_guard lock(published_mutex_);
  return damage_;
}

std::string DuckHistory::name_lost_files(const HistoryGap& gap) {
  const LogSpans span = span_of(gap.shard, gap.after, gap.until);
  std::string files;
  for (const DamagedFile& file : damaged_at_open_) {
    if (common(file.waiting, span).empty()) continue;
    files += (files.empty() ? "" : "; ") + described(file);
  }
  if (files.empty()) return files;
  std::string loss = fmt::format(
      "shard {}: log positions {} to {} are not in the log any more, and their rows were in files "
      "that are damaged. Lost is what these had of it: {}",
      gap.shard, gap.after, gap.until, files);
  const std::lock_guard lock(published_mutex_);
  damage_.push_back(loss);
  lost_.push_back(gap);
  return loss;
}

std::string DuckHistory::name_loss(const HistoryGap& gap) {
  if (gap.is_of_files) return name_lost_files(gap);
  std::string types;
  for (const HistoryType& type : types_at_open_) {
    LogSpans spans;
    Timestamp last = Timestamp::min();
    for (const SealedFile& file : type.files) {
      spans = joined(std::move(spans), file.spans);
      last = std::max(last, file.last_received);
    }
    if (covers(spans, gap.shard, gap.after, gap.until)) continue;
    types += (types.empty() ? "" : "; ") + type.type;
    types += last == Timestamp::min() ? " (no sealed file)"
                                      : " (newest sealed row received " + to_iso8601(last) + ")";
  }
  std::string loss = fmt::format(
      "shard {}: of log positions {} to {} history has only what sealed files hold, and the log "
      "has "
      "them no more. Missing are quarantined items and the rows of: {}",
      gap.shard, gap.after, gap.until, types.empty() ? "no type" : types);
  const std::lock_guard lock(published_mutex_);
  damage_.push_back(loss);
  return loss;
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
    // Every value is read, so that a damaged block is found now and not by a question. The active
    // tail comes last.
    for (const Tail& tail : type.tails) {
      FICUS_TRY(const auto rows,
                feed_->select("SELECT count(*), CAST(bit_xor(hash(r)) % 2 AS BIGINT) FROM " +
                              type.tail_table(tail) + " r"));
      tail_rows_[name] = static_cast<std::uint64_t>(integer_of(rows.at(0)[0]));
    }
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
  database_file_.reset();
}

// After a failure that DuckDB cannot go on from (its log could not be written). Queries are ended,
// everything is closed and opened; then the positions tell whether the last commit took place.
Status DuckHistory::reopen() {
  sealer_.stop();
  watch_.set_upkeep(false);
  std::unique_lock lock(database_mutex_, std::defer_lock);
  while (!lock.try_lock()) {
    watch_.stop_all();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  close();
  FICUS_TRY_VOID(open_database(reopened_));
  // The catalog tells now which files it has: what was written for a transaction that failed goes,
  // and what the sealer was about.
  FICUS_TRY_VOID(remove_orphans(disk_, catalog_, reopened_));
  removals_.clear();
  must_reopen_ = false;
  if (!attempted_.empty() && committed_ == attempted_) {
    forget_pending(attempted_rows_, attempted_quarantine_, attempted_given_);
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
