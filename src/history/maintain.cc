#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "history/compact.h"
#include "history/duck_store.h"

namespace ficus::history {
namespace {

constexpr Micros kSealRetryAfter = Micros::from_seconds(60);
constexpr Micros kQuarantineInterval = Micros::from_seconds(60);
// A removed file is deleted when no query runs, or when none can run that long.
constexpr Micros kRemovalDelayMax = Micros::from_hours(1);
constexpr Micros kDay = Micros::from_hours(24);

}  // namespace

Result<MaintenanceReport> DuckHistory::maintain(Timestamp now) {
  if (must_reopen_) FICUS_TRY_VOID(reopen());
  MaintenanceReport report;
  declare_types(now, report);
  finish_seal(now, report);
  rotate(now, report);
  start_seal(now, report);
  expire(now, report);
  trim_quarantine(now, report);
  delete_removed(now, report);
  care_for_files(report);
  checkpoint(report);
  if (!report.set_aside.empty()) {
    const std::lock_guard lock(published_mutex_);
    damage_.insert(damage_.end(), report.set_aside.begin(), report.set_aside.end());
  }
  publish();
  return report;
}

void DuckHistory::finish_seal(Timestamp now, MaintenanceReport& report) {
  if (const std::optional<SealOutcome> outcome = sealer_.take_outcome()) {
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
    // Perhaps the transaction took place: then the file is needed, else the next start removes it.
    must_reopen_ = must_reopen_ || needs_reopening(status.error());
    seal_not_before_ = now + kSealRetryAfter;
    report.problems.push_back("merging files failed: " + status.error().message);
    return;
  }
  report.sealed.push_back(file.file);
  for (const std::string& name : outcome.merged) {
    removals_.push_back({name, now});
    report.merged.push_back(name);
  }
}

void DuckHistory::accept_seal(const SealOutcome& outcome, Timestamp now,
                              MaintenanceReport& report) {
  const auto failed = [&](const Error& error) {
    seal_not_before_ = now + kSealRetryAfter;
    report.problems.push_back(
        fmt::format("sealing {} failed, tried again later: {}", outcome.type, error.message));
  };
  if (!outcome.file) {
    files_suspect_ = files_suspect_ || outcome.file.error().code == ErrorCode::corrupt;
    return failed(outcome.file.error());
  }
  if (!outcome.merged.empty()) return accept_merge(outcome, now, report);
  const SealedFile* file = outcome.file->has_value() ? &**outcome.file : nullptr;
  const Status status = catalog_.replace_by_file(*feed_, outcome.type, outcome.tail, file);
  if (!status) {
    must_reopen_ = needs_reopening(status.error());
    files_suspect_ = true;  // perhaps another file of the view is damaged
    return failed(status.error());
  }
  if (file != nullptr) report.sealed.push_back(file->file);
}

void DuckHistory::rotate(Timestamp now, MaintenanceReport& report) {
  std::vector<std::string> due;
  for (const auto& [name, type] : catalog_.types()) {
    const std::uint64_t rows = tail_rows_[name];
    const bool is_old = now - type.active().created_at >= options_.tail_age_max;
    if (rows >= options_.tail_rows_max || (rows > 0 && is_old)) due.push_back(name);
  }
  for (const std::string& name : due) {
    const Status status = catalog_.rotate(*feed_, name, now, committed_);
    if (status) {
      tail_rows_[name] = 0;
    } else {
      must_reopen_ = must_reopen_ || needs_reopening(status.error());
      report.problems.push_back(
          fmt::format("rotating {} failed: {}", name, status.error().message));
    }
  }
}

void DuckHistory::start_seal(Timestamp now, MaintenanceReport& report) {
  if (!sealer_.is_idle() || now < seal_not_before_) return;
  std::vector<SealJob> jobs;
  for (const auto& [name, type] : catalog_.types()) {
    for (const Tail& tail : type.tails) {
      if (tail.sealing) jobs.push_back(seal_job(type, tail));
    }
  }
  if (jobs.empty()) {
    if (std::optional<SealJob> merge = merge_job()) jobs.push_back(*std::move(merge));
  }
  if (jobs.empty()) return;
  if (options_.seal_in_background) {
    const Status status = sealer_.start(*database_, std::move(jobs.front()));
    if (!status) report.problems.push_back("sealing: " + status.error().message);
    return;
  }
  for (const SealJob& job : jobs) {
    accept_seal(run_seal_job(*feed_, disk_, options_.directory, job), now, report);
  }
}

// Small files that should become one, when there is no tail to seal.
std::optional<SealJob> DuckHistory::merge_job() {
  for (const auto& [name, type] : catalog_.types()) {
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

SealJob DuckHistory::seal_job(const HistoryType& type, const Tail& tail) const {
  SealJob job{type, tail, {}, {}, 0};
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
    const Status status = catalog_.remove_files(*feed_, name, files);
    if (!status) {
      must_reopen_ = must_reopen_ || needs_reopening(status.error());
      report.problems.push_back(
          fmt::format("retention of {} failed: {}", name, status.error().message));
      continue;
    }
    for (const std::string& file : files) {
      removals_.push_back({file, now});
      report.expired.push_back(file);
    }
  }
}

void DuckHistory::trim_quarantine(Timestamp now, MaintenanceReport& report) {
  if (quarantine_trimmed_ != Timestamp::min() && now - quarantine_trimmed_ < kQuarantineInterval) {
    return;
  }
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

// A query that began before the file left the list may still want to open it.
void DuckHistory::delete_removed(Timestamp now, MaintenanceReport& report) {
  const bool is_quiet = queries_active_ == 0;
  std::vector<Removal> waiting;
  for (Removal& removal : removals_) {
    if (!is_quiet && now - removal.since < kRemovalDelayMax) {
      waiting.push_back(std::move(removal));
      continue;
    }
    const Status status = disk_.remove(options_.directory + "/" + removal.file);
    if (!status && status.error().code != ErrorCode::not_found) {
      report.problems.push_back("removing " + removal.file +
                                " failed (it goes at the next start): " + status.error().message);
    }
  }
  removals_ = std::move(waiting);
}

// One file a call, so that the feed waits for milliseconds only.
void DuckHistory::care_for_files(MaintenanceReport& report) {
  if (files_suspect_.exchange(false)) file_check_.emplace(catalog_);
  if (!file_check_) return;
  const Result<bool> is_done = file_check_->step(*feed_, disk_, catalog_, report);
  if (!is_done) report.problems.push_back("checking the files failed: " + is_done.error().message);
  if (!is_done || *is_done) file_check_.reset();
}

void DuckHistory::checkpoint(MaintenanceReport& report) {
  const std::uint64_t bytes = log_bytes();
  if (bytes < options_.checkpoint_log_bytes) return;
  const Status status = feed_->run("CHECKPOINT");
  if (status) return;
  must_reopen_ = must_reopen_ || needs_reopening(status.error());
  // A running transaction may forbid it for a while; that it lasts is worth a word.
  if (must_reopen_ || bytes > 4 * options_.checkpoint_log_bytes) {
    report.problems.push_back("checkpoint failed: " + status.error().message);
  }
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
