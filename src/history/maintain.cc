#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "history/compact.h"
#include "history/duck_store.h"

namespace ficus::history {
namespace {

constexpr Micros kQuarantineInterval = Micros::from_seconds(60);
constexpr Micros kFileCheckInterval = Micros::from_seconds(60);
// A removed file is deleted when no query runs, or when none can run that long.
constexpr Micros kRemovalDelayMax = Micros::from_hours(1);
constexpr Micros kDay = Micros::from_hours(24);

std::string sealing(const std::string& type) { return "sealing " + type; }
std::string merging(const std::string& type) { return "merging files of " + type; }

}  // namespace

Result<MaintenanceReport> DuckHistory::maintain(Timestamp now) {
  if (must_reopen_) FICUS_TRY_VOID(reopen());
  MaintenanceReport report = std::exchange(reopened_, {});
  report.restored = std::exchange(restored_, {});
  declare_types(now, report);
  finish_seal(now, report);
  rotate(now, report);
  start_seal(now, report);
  expire(now, report);
  note_lost(report);
  trim_quarantine(now, report);
  delete_removed(now, report);
  care_for_files(now, report);
  checkpoint(report);
  if (!report.set_aside.empty()) {
    const std::lock_guard lock(published_mutex_);
    damage_.insert(damage_.end(), report.set_aside.begin(), report.set_aside.end());
  }
  publish();
  return report;
}

bool DuckHistory::may_try(const std::string& task, Timestamp now) const {
  const auto pause = pauses_.find(task);
  return pause == pauses_.end() || pause->second.is_over(now);
}

// The disk may be full, or a view names a damaged file, so that it cannot be replaced.
void DuckHistory::task_failed(const std::string& task, const Error& error, Timestamp now,
                              MaintenanceReport& report) {
  must_reopen_ = must_reopen_ || needs_reopening(error);
  files_suspect_ = true;
  pauses_[task].failed(now);
  report.problems.push_back(fmt::format("{} failed, tried again later: {}", task, error.message));
}

void DuckHistory::finish_seal(Timestamp now, MaintenanceReport& report) {
  if (const std::optional<SealOutcome> outcome = sealer_.take_outcome()) {
    watch_.set_upkeep(false);
    accept_seal(*outcome, now, report);
  }
}

// Between then and now files may have left the catalog, because of their age or damage. Then the
// merged file holds rows that are no longer wanted: it goes, and another merge will come.
void DuckHistory::accept_merge(const SealOutcome& outcome, Timestamp now,
                               MaintenanceReport& report) {
  const SealedFile& file = **outcome.file;
  const HistoryType& type = *catalog_.find(outcome.type);
  const bool are_all_there =
      std::all_of(outcome.merged.begin(), outcome.merged.end(), [&](const std::string& name) {
        return std::any_of(type.files.begin(), type.files.end(),
                           [&](const SealedFile& f) { return f.file == name; });
      });
  if (!are_all_there) {
    removals_.push_back({file.file, now});
    return;
  }
  const Status status = catalog_.replace_files(*feed_, outcome.type, outcome.merged, file);
  if (!status) {
    removals_.push_back({file.file, now});
    return task_failed(merging(outcome.type), status.error(), now, report);
  }
  pauses_.erase(merging(outcome.type));
  report.sealed.push_back(file.file);
  for (const std::string& name : outcome.merged) {
    removals_.push_back({name, now});
    report.merged.push_back(name);
  }
}

void DuckHistory::accept_seal(const SealOutcome& outcome, Timestamp now,
                              MaintenanceReport& report) {
  const bool is_merge = !outcome.merged.empty();
  const std::string task = is_merge ? merging(outcome.type) : sealing(outcome.type);
  if (!outcome.file) return task_failed(task, outcome.file.error(), now, report);
  if (is_merge) return accept_merge(outcome, now, report);
  const SealedFile* file = outcome.file->has_value() ? &**outcome.file : nullptr;
  const Status status = catalog_.replace_by_file(*feed_, outcome.type, outcome.tail, file);
  if (!status) {
    if (file != nullptr) removals_.push_back({file->file, now});
    return task_failed(task, status.error(), now, report);
  }
  pauses_.erase(task);
  has_freed_blocks_ = true;
  if (file != nullptr) report.sealed.push_back(file->file);
}

void DuckHistory::rotate(Timestamp now, MaintenanceReport& report) {
  std::vector<std::string> due;
  for (const auto& [name, type] : catalog_.types()) {
    const std::uint64_t rows = tail_rows_[name];
    // Also when it seems to be of the future: the clock was wrong then, or is now.
    const Micros age = now - type.active().created_at;
    const bool is_old = age >= options_.tail_age_max || -age.count >= options_.tail_age_max.count;
    const bool is_due = is_old || rotations_due_.contains(name);
    if (rows >= options_.tail_rows_max || (rows > 0 && is_due)) due.push_back(name);
  }
  for (const std::string& name : due) {
    const std::string task = "rotating " + name;
    if (!may_try(task, now)) continue;
    const Status status = catalog_.rotate(*feed_, name, now, committed_);
    if (!status) {
      task_failed(task, status.error(), now, report);
      continue;
    }
    pauses_.erase(task);
    rotations_due_.erase(name);
    tail_rows_[name] = 0;
  }
}

void DuckHistory::start_seal(Timestamp now, MaintenanceReport& report) {
  if (!sealer_.is_idle()) return;
  std::vector<SealJob> jobs = due_jobs(now);
  if (jobs.empty()) return;
  if (options_.seal_in_background) {
    const Status status = sealer_.start(*database_, std::move(jobs.front()));
    watch_.set_upkeep(status.has_value());
    if (!status) report.problems.push_back("sealing: " + status.error().message);
    return;
  }
  for (const SealJob& job : jobs) {
    accept_seal(run_seal_job(*feed_, disk_, options_.directory, job), now, report);
  }
}

// A type whose sealing has failed does not keep the others from theirs.
std::vector<SealJob> DuckHistory::due_jobs(Timestamp now) {
  std::vector<SealJob> jobs;
  for (const auto& [name, type] : catalog_.types()) {
    if (!may_try(sealing(name), now)) continue;
    for (const Tail& tail : type.tails) {
      if (tail.sealing) jobs.push_back(seal_job(type, tail));
    }
  }
  if (!jobs.empty()) return jobs;
  if (std::optional<SealJob> merge = merge_job(now)) jobs.push_back(*std::move(merge));
  return jobs;
}

// Small files that should become one, when there is no tail to seal.
std::optional<SealJob> DuckHistory::merge_job(Timestamp now) {
  for (const auto& [name, type] : catalog_.types()) {
    if (!may_try(merging(name), now)) continue;
    CompactLimits limits;
    limits.files_min = options_.compact_files_min;
    limits.rows_max = options_.tail_rows_max;
    limits.span_max = options_.compact_span_max;
    // A file goes when its newest reading is too old: that must not keep the others much longer.
    const int days = retention_days(name);
    if (days > 0) limits.span_max = std::min(limits.span_max, Micros{kDay.count * days / 10});
    std::vector<SealedFile> files = files_to_merge(type, limits);
    if (files.empty()) continue;
    SealJob job{type, {}, {}, std::move(files), catalog_.take_number()};
    job.type.files.clear();
    return job;
  }
  return std::nullopt;
}

int DuckHistory::retention_days(const std::string& type) const {
  const auto own = options_.retention_days_by_type.find(type);
  return own == options_.retention_days_by_type.end() ? options_.retention_days : own->second;
}

// Every attempt has a number and so a file name of its own: what an earlier one left behind is
// removed, and must not be what a later one has written.
SealJob DuckHistory::seal_job(const HistoryType& type, const Tail& tail) {
  SealJob job{type, tail, {}, {}, catalog_.take_number()};
  job.type.files.clear();
  const std::optional<TypeId> id = schema_.find_type(type.type);
  if (!id) return job;
  for (const HistoryColumn& column : type.columns) {
    const std::optional<AttributeId> attribute = schema_.find_attribute(*id, column.attribute);
    if (attribute) job.decimals[column.name] = schema_.attribute(*id, *attribute).decimals;
  }
  return job;
}

void DuckHistory::expire(Timestamp now, MaintenanceReport& report) {
  std::map<std::string, std::vector<std::string>> due;
  for (const auto& [name, type] : catalog_.types()) {
    const int days = retention_days(name);
    if (days <= 0) continue;
    const Timestamp oldest = now - Micros{kDay.count * days};
    for (const SealedFile& file : type.files) {
      // A reading from a clock that runs ahead must not keep a file for ever.
      if (std::min(file.last_observed, file.last_received) < oldest) {
        due[name].push_back(file.file);
      }
    }
  }
  for (const auto& [name, files] : due) {
    const std::string task = "retention of " + name;
    if (!may_try(task, now)) continue;
    const Status status = catalog_.remove_files(*feed_, name, files);
    if (!status) {
      task_failed(task, status.error(), now, report);
      continue;
    }
    pauses_.erase(task);
    for (const std::string& file : files) {
      removals_.push_back({file, now});
      report.expired.push_back(file);
    }
  }
  expire_damaged(now, report);
}

// Nobody needs to know what is missing in a time that is over.
void DuckHistory::expire_damaged(Timestamp now, MaintenanceReport& report) {
  std::vector<std::string> due;
  for (const DamagedFile& file : catalog_.damaged()) {
    const int days = retention_days(file.type);
    if (days <= 0 || file.last_observed >= now - Micros{kDay.count * days}) continue;
    if (file.waiting.empty()) due.push_back(file.file);
  }
  for (const std::string& file : due) {
    const Status status = catalog_.forget_damaged(*feed_, file);
    if (status) continue;
    must_reopen_ = must_reopen_ || needs_reopening(status.error());
    report.problems.push_back("forgetting a damaged file failed: " + status.error().message);
  }
}

// What the log cannot give any more.
void DuckHistory::note_lost(MaintenanceReport& report) {
  std::vector<HistoryGap> lost;
  {
    const std::lock_guard lock(published_mutex_);
    lost.swap(lost_);
  }
  for (const HistoryGap& gap : lost) {
    const Status status = catalog_.store_lost(*feed_, span_of(gap.shard, gap.after, gap.until));
    if (status) continue;
    must_reopen_ = must_reopen_ || needs_reopening(status.error());
    report.problems.push_back("noting what is lost failed: " + status.error().message);
  }
}

void DuckHistory::trim_quarantine(Timestamp now, MaintenanceReport& report) {
  if (quarantine_trimmed_ && !has_passed(*quarantine_trimmed_, kQuarantineInterval, now)) return;
  quarantine_trimmed_ = now;
  const std::string statements[] = {
      fmt::format("DELETE FROM quarantine WHERE receivedAt < make_timestamp({})",
                  storable_micros(now - options_.quarantine_age_max)),
      fmt::format("DELETE FROM quarantine WHERE rowid NOT IN (SELECT rowid FROM quarantine ORDER "
                  "BY receivedAt DESC, rowid DESC LIMIT {})",
                  options_.quarantine_rows_max),
  };
  const auto count = feed_->select("SELECT count(*) FROM quarantine");
  if (count && integer_of(count->at(0)[0]) == 0) return;
  for (const std::string& sql : statements) {
    if (const Status status = feed_->run(sql); !status) {
      report.problems.push_back("trimming the quarantine failed: " + status.error().message);
    }
  }
}

// A query that began before the file left the list may still want to open it. A file whose
// transaction failed may be needed all the same (DuckDB may have lost its log only after the
// commit): the database is asked, and while it cannot answer, everything stays.
void DuckHistory::delete_removed(Timestamp now, MaintenanceReport& report) {
  if (must_reopen_) return;
  const bool is_quiet = queries_active_ == 0;
  std::vector<Removal> waiting;
  for (Removal& removal : removals_) {
    if (!is_quiet && !has_passed(removal.since, kRemovalDelayMax, now)) {
      waiting.push_back(std::move(removal));
      continue;
    }
    const Result<bool> is_needed = catalog_.stores_file(*feed_, removal.file);
    if (!is_needed) {
      must_reopen_ = must_reopen_ || needs_reopening(is_needed.error());
      waiting.push_back(std::move(removal));
      continue;
    }
    if (*is_needed) continue;
    const Status status = disk_.remove(options_.directory + "/" + removal.file);
    if (!status && status.error().code != ErrorCode::not_found) {
      report.problems.push_back("removing " + removal.file +
                                " failed (it goes at the next start): " + status.error().message);
    }
  }
  removals_ = std::move(waiting);
}

// One file a call, so that the feed waits for milliseconds only.
// Whatever fails meanwhile has another check follow, a while after this one: all files are read.
void DuckHistory::care_for_files(Timestamp now, MaintenanceReport& report) {
  if (!file_check_) {
    if (!files_suspect_) return;
    if (files_checked_ && !has_passed(*files_checked_, kFileCheckInterval, now)) return;
    files_suspect_ = false;
    file_check_.emplace(catalog_);
  }
  if (const Status status = file_check_->step(*feed_, disk_, catalog_, report); !status) {
    must_reopen_ = must_reopen_ || needs_reopening(status.error());
    files_suspect_ = true;
    report.problems.push_back("checking the files failed: " + status.error().message);
  }
  if (!file_check_->is_done()) return;
  file_check_.reset();
  files_checked_ = now;
}

// Large commits go past the log, straight into the database's file, and the blocks of a tail that
// was sealed can be written again only after a checkpoint. So what the file grows by counts, too;
// and one that has once grown is not to grow for want of blocks while there are some to be had.
void DuckHistory::checkpoint(MaintenanceReport& report) {
  const std::uint64_t size = database_bytes();
  database_bytes_ = std::min(database_bytes_, size);
  const std::uint64_t bytes = log_bytes() + size - database_bytes_;
  const bool would_free =
      has_freed_blocks_ && size >= options_.checkpoint_bytes && !has_free_blocks();
  if (bytes < options_.checkpoint_bytes && !would_free) return;
  const Status status = feed_->run("CHECKPOINT");
  if (status) {
    database_bytes_ = database_bytes();
    has_freed_blocks_ = false;
    return;
  }
  must_reopen_ = must_reopen_ || needs_reopening(status.error());
  // A running transaction may forbid it for a while; that it lasts is worth a word.
  if (must_reopen_ || bytes > 4 * options_.checkpoint_bytes) {
    report.problems.push_back("checkpoint failed: " + status.error().message);
  }
}

// For what comes until the next look.
bool DuckHistory::has_free_blocks() {
  const auto rows =
      feed_->select("SELECT CAST(free_blocks * block_size AS BIGINT) FROM pragma_database_size()");
  if (!rows || rows->empty()) return true;  // it cannot say: as if there were some
  const auto bytes = static_cast<std::uint64_t>(integer_of(rows->front().front()));
  return bytes >= options_.checkpoint_bytes / 4;
}

std::uint64_t DuckHistory::database_bytes() {
  return database_file_ ? database_file_->size().value_or(0) : 0;
}

std::uint64_t DuckHistory::log_bytes() {
  const std::string path = database_path() + ".wal";
  if (!disk_.exists(path)) return 0;
  const auto file = disk_.open(path, OpenMode::read);
  if (!file) return 0;
  return (*file)->size().value_or(0);
}

void DuckHistory::publish() {
  HistoryFigures next;
  for (const PendingRows& pending : pending_) next.rows_pending += pending.rows.batch->row_count();
  for (const auto& [type, rows] : tail_rows_) next.rows_tail += rows;
  for (const auto& [name, type] : catalog_.types()) {
    next.files_sealed += type.files.size();
    for (const SealedFile& file : type.files) {
      next.rows_sealed += file.row_count;
      next.bytes_sealed += file.bytes;
    }
  }
  next.bytes_log = log_bytes();
  auto tables = std::make_shared<const TableScope>(catalog_.tables());
  const std::lock_guard lock(published_mutex_);
  next.rows_committed = figures_.rows_committed;
  figures_ = next;
  tables_ = std::move(tables);
}

}  // namespace ficus::history
