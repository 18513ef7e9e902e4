#include "history/duck_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "history/catalog.h"
#include "history/duck.h"
#include "history/file_care.h"
#include "history/query_runner.h"
#include "history/query_watch.h"
#include "history/sealer.h"
#include "history/series.h"
#include "history/sql_guard.h"
#include "history/tail_writer.h"

namespace ficus::history {
namespace {

constexpr Micros kSealRetryAfter = Micros::from_seconds(60);
constexpr Micros kQuarantineInterval = Micros::from_seconds(60);
// A removed file is deleted when no query runs, or when none can run that long.
constexpr Micros kRemovalDelayMax = Micros::from_hours(1);
constexpr Micros kDay = Micros::from_hours(24);

struct Removal {
  std::string file;
  Timestamp since;
};

class DuckHistory final : public History {
 public:
  DuckHistory(DuckHistoryOptions options, const Schema& schema, Disk& disk, const Clock& clock)
      : options_(std::move(options)),
        schema_(schema),
        disk_(disk),
        clock_(clock),
        watch_(clock),
        sealer_(disk, options_.directory) {}
  DuckHistory(const DuckHistory&) = delete;
  DuckHistory& operator=(const DuckHistory&) = delete;
  ~DuckHistory() override {
    sealer_.stop();
    close();
  }

  Status open(MaintenanceReport& report);

  Result<std::vector<std::uint64_t>> positions() override;
  Status append(Rows rows) override;
  Status append_quarantine(std::string_view source, Timestamp received_at,
                           std::span<const QuarantinedItem> items) override;
  Status commit(std::span<const std::uint64_t> positions) override;
  Result<MaintenanceReport> maintain(Timestamp now) override;
  Result<QuerySummary> query(std::string_view sql, const QueryLimits& limits, RowSink& sink,
                             std::stop_token stop) override;
  Result<SeriesSummary> series(const SeriesRequest& request, RowSink& sink,
                               std::stop_token stop) override;
  HistoryFigures figures() override;

 private:
  using QueryWork = std::function<Status(QueryRunner&, const TableNames&)>;

  std::string database_path() const { return options_.directory + "/history.duckdb"; }

  // Opening.
  Status open_database();
  Status prepare_positions();
  Status count_tails();
  void rebuild_views(MaintenanceReport& report);
  void close();
  Status reopen();

  // Committing.
  Status create_missing();
  Status create_missing(PendingRows& pending);
  Status write(std::span<const std::uint64_t> positions);
  Status write_rows(std::map<std::string, std::uint64_t>& counts);
  Status write_positions(std::span<const std::uint64_t> positions);
  void forget_pending(std::size_t rows, std::size_t quarantined);

  // Maintaining.
  void finish_seal(Timestamp now, MaintenanceReport& report);
  void accept_seal(const SealOutcome& outcome, Timestamp now, MaintenanceReport& report);
  void rotate(Timestamp now, MaintenanceReport& report);
  void start_seal(Timestamp now, MaintenanceReport& report);
  SealJob seal_job(const HistoryType& type, const Tail& tail) const;
  void expire(Timestamp now, MaintenanceReport& report);
  void trim_quarantine(Timestamp now, MaintenanceReport& report);
  void delete_removed(Timestamp now, MaintenanceReport& report);
  void care_for_files(MaintenanceReport& report);
  void checkpoint(MaintenanceReport& report);
  std::uint64_t log_bytes();
  void publish();

  Status with_query(const QueryLimits& limits, std::stop_token stop, const QueryWork& work);

  const DuckHistoryOptions options_;
  const Schema& schema_;
  Disk& disk_;
  const Clock& clock_;

  // Queries hold this shared while they use the database; reopening it takes it alone.
  std::shared_mutex database_mutex_;
  std::unique_ptr<DuckDatabase> database_;
  QueryWatch watch_;
  std::atomic<std::uint32_t> queries_active_ = 0;
  std::atomic<bool> files_suspect_ = false;  // a query met an unreadable file

  // Of the history thread.
  std::unique_ptr<DuckConnection> feed_;
  Catalog catalog_;
  Sealer sealer_;
  std::map<std::string, std::uint64_t> tail_rows_;  // of the active tail, by type
  std::vector<PendingRows> pending_;
  std::vector<PendingQuarantine> pending_quarantine_;
  std::vector<std::uint64_t> committed_;  // positions
  std::vector<std::uint64_t> attempted_;  // of the last commit that may or may not have happened
  std::size_t attempted_rows_ = 0;
  std::size_t attempted_quarantine_ = 0;
  bool must_reopen_ = false;
  Timestamp seal_not_before_ = Timestamp::min();
  Timestamp quarantine_trimmed_ = Timestamp::min();
  std::vector<Removal> removals_;
  std::optional<FileCheck> file_check_;

  mutable std::mutex published_mutex_;  // what other threads read: swapped once a commit
  HistoryFigures figures_;
  std::shared_ptr<const TableNames> table_names_ = std::make_shared<TableNames>();
};

// ---------------------------------------------------------------------------------------- opening

Status DuckHistory::open(MaintenanceReport& report) {
  FICUS_TRY_VOID(disk_.make_directories(options_.directory));
  FICUS_TRY_VOID(open_database());
  FICUS_TRY_VOID(set_damaged_aside(*feed_, disk_, catalog_, report));
  FICUS_TRY_VOID(remove_orphans(disk_, catalog_, report));
  rebuild_views(report);
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

// ------------------------------------------------------------------------------------- committing

Result<std::vector<std::uint64_t>> DuckHistory::positions() {
  const std::shared_lock lock(database_mutex_);
  if (database_ == nullptr) return fail(ErrorCode::unavailable, "the history is closed");
  FICUS_TRY(const auto connection, DuckConnection::open(*database_));
  FICUS_TRY(
      const auto rows,
      connection->select("SELECT CAST(position AS BIGINT) FROM ficus_position ORDER BY shard"));
  std::vector<std::uint64_t> out;
  for (const DatumRow& row : rows) out.push_back(static_cast<std::uint64_t>(integer_of(row[0])));
  return out;
}

Status DuckHistory::append(Rows rows) {
  FICUS_CHECK(rows.batch != nullptr);
  FICUS_CHECK(rows.keep.empty() || rows.keep.size() == rows.batch->row_count());
  pending_.push_back({std::move(rows), false, {}});
  return {};
}

Status DuckHistory::append_quarantine(std::string_view source, Timestamp received_at,
                                      std::span<const QuarantinedItem> items) {
  for (const QuarantinedItem& item : items) {
    pending_quarantine_.push_back({std::string(source), received_at, item});
  }
  return {};
}

Status DuckHistory::commit(std::span<const std::uint64_t> positions) {
  FICUS_CHECK(positions.size() == options_.shard_count);
  if (must_reopen_) FICUS_TRY_VOID(reopen());
  const bool is_ahead = !std::equal(positions.begin(), positions.end(), committed_.begin());
  if (pending_.empty() && pending_quarantine_.empty() && !is_ahead) return {};
  Status status = create_missing();
  if (status) status = write(positions);
  if (status) {
    publish();
    return {};
  }
  must_reopen_ = needs_reopening(status.error());
  if (!must_reopen_) {
    attempted_.clear();
    files_suspect_ = true;  // a view with a damaged file cannot be replaced
  }
  return in_context("history: ", std::move(status).error());
}

Status DuckHistory::create_missing() {
  for (PendingRows& pending : pending_) {
    if (!pending.is_placed) FICUS_TRY_VOID(create_missing(pending));
  }
  return {};
}

Status DuckHistory::create_missing(PendingRows& pending) {
  const ObservationBatch& batch = *pending.rows.batch;
  const std::string& name = schema_.type_name(batch.type());
  const HistoryType* type = catalog_.find(name);
  if (type == nullptr) {
    FICUS_TRY(type, catalog_.add_type(*feed_, name, pending.rows.received_at));
  }
  std::vector<HistoryColumn> missing;
  for (const Column& column : batch.columns()) {
    const std::string& attribute = schema_.attribute_name(batch.type(), column.attribute);
    if (type->find(attribute, column.kind) == nullptr) {
      missing.push_back({attribute, column.kind, ""});
    }
  }
  if (!missing.empty()) FICUS_TRY_VOID(catalog_.add_columns(*feed_, name, std::move(missing)));
  type = catalog_.find(name);
  std::vector<std::uint32_t> column_of;
  for (const Column& column : batch.columns()) {
    const HistoryColumn* target =
        type->find(schema_.attribute_name(batch.type(), column.attribute), column.kind);
    column_of.push_back(static_cast<std::uint32_t>(target - type->columns.data()));
  }
  pending.column_of = std::move(column_of);
  pending.is_placed = true;
  return {};
}

Status DuckHistory::write(std::span<const std::uint64_t> positions) {
  attempted_.assign(positions.begin(), positions.end());
  attempted_rows_ = pending_.size();
  attempted_quarantine_ = pending_quarantine_.size();
  std::map<std::string, std::uint64_t> counts;
  DuckTransaction transaction(*feed_);
  FICUS_TRY_VOID(transaction.begin());
  FICUS_TRY_VOID(write_rows(counts));
  if (!pending_quarantine_.empty()) {
    FICUS_TRY_VOID(append_quarantine_rows(*feed_, pending_quarantine_));
  }
  FICUS_TRY_VOID(write_positions(positions));
  FICUS_TRY_VOID(transaction.commit());
  committed_ = attempted_;
  attempted_.clear();
  for (const auto& [type, count] : counts) {
    tail_rows_[type] += count;
    figures_.rows_committed += count;
  }
  forget_pending(pending_.size(), pending_quarantine_.size());
  return {};
}

Status DuckHistory::write_rows(std::map<std::string, std::uint64_t>& counts) {
  std::map<std::string, std::vector<const PendingRows*>> by_type;
  for (const PendingRows& pending : pending_) {
    by_type[schema_.type_name(pending.rows.batch->type())].push_back(&pending);
  }
  for (const auto& [name, rows] : by_type) {
    FICUS_TRY(counts[name], append_rows(*feed_, *catalog_.find(name), rows));
  }
  return {};
}

Status DuckHistory::write_positions(std::span<const std::uint64_t> positions) {
  for (std::size_t shard = 0; shard < positions.size(); ++shard) {
    if (positions[shard] == committed_[shard]) continue;
    FICUS_TRY_VOID(feed_->run(fmt::format(
        "UPDATE ficus_position SET position = {} WHERE shard = {}", positions[shard], shard)));
  }
  return {};
}

void DuckHistory::forget_pending(std::size_t rows, std::size_t quarantined) {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(rows));
  pending_quarantine_.erase(pending_quarantine_.begin(),
                            pending_quarantine_.begin() + static_cast<std::ptrdiff_t>(quarantined));
}

// ------------------------------------------------------------------------------------ maintaining

Result<MaintenanceReport> DuckHistory::maintain(Timestamp now) {
  if (must_reopen_) FICUS_TRY_VOID(reopen());
  MaintenanceReport report;
  finish_seal(now, report);
  rotate(now, report);
  start_seal(now, report);
  expire(now, report);
  trim_quarantine(now, report);
  delete_removed(now, report);
  care_for_files(report);
  checkpoint(report);
  publish();
  return report;
}

void DuckHistory::finish_seal(Timestamp now, MaintenanceReport& report) {
  if (const std::optional<SealOutcome> outcome = sealer_.take_outcome()) {
    accept_seal(*outcome, now, report);
  }
}

void DuckHistory::accept_seal(const SealOutcome& outcome, Timestamp now,
                              MaintenanceReport& report) {
  const auto failed = [&](const Error& error) {
    seal_not_before_ = now + kSealRetryAfter;
    report.problems.push_back(
        fmt::format("sealing {} failed, tried again later: {}", outcome.type, error.message));
  };
  if (!outcome.file) return failed(outcome.file.error());
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
    const Status status = catalog_.rotate(*feed_, name, now);
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
  if (jobs.empty()) return;
  if (options_.seal_in_background) {
    const Status status = sealer_.start(*database_, std::move(jobs.front()));
    if (!status) report.problems.push_back("sealing: " + status.error().message);
    return;
  }
  for (const SealJob& job : jobs) {
    accept_seal({job.type.type, job.tail.number, seal_tail(*feed_, disk_, options_.directory, job)},
                now, report);
  }
}

SealJob DuckHistory::seal_job(const HistoryType& type, const Tail& tail) const {
  SealJob job{type, tail, {}};
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
    const auto own = options_.retention_days_by_type.find(name);
    const int days =
        own == options_.retention_days_by_type.end() ? options_.retention_days : own->second;
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
  auto names = std::make_shared<const TableNames>(catalog_.table_names());
  const std::lock_guard lock(published_mutex_);
  next.rows_committed = figures_.rows_committed;
  figures_ = next;
  table_names_ = std::move(names);
}

// --------------------------------------------------------------------------------------- querying

HistoryFigures DuckHistory::figures() {
  HistoryFigures out;
  {
    const std::lock_guard lock(published_mutex_);
    out = figures_;
  }
  out.queries_active = queries_active_;
  const std::shared_lock lock(database_mutex_);
  if (database_ == nullptr) return out;
  const auto connection = DuckConnection::open(*database_);
  if (!connection) return out;
  const auto rows =
      (*connection)->select("SELECT CAST(sum(memory_usage_bytes) AS BIGINT) FROM duckdb_memory()");
  if (rows) out.bytes_memory = static_cast<std::uint64_t>(integer_of(rows->at(0)[0]));
  return out;
}

Status DuckHistory::with_query(const QueryLimits& limits, std::stop_token stop,
                               const QueryWork& work) {
  const std::shared_lock lock(database_mutex_);
  if (database_ == nullptr) return fail(ErrorCode::unavailable, "the history is closed");
  struct Count {
    std::atomic<std::uint32_t>& count;
    std::uint32_t now = ++count;
    ~Count() { --count; }
  } const active{queries_active_};
  if (active.now > options_.queries_max) {
    return fail(ErrorCode::overloaded,
                fmt::format("{} queries are running, the most allowed: try again later",
                            options_.queries_max));
  }
  std::shared_ptr<const TableNames> names;
  {
    const std::lock_guard published(published_mutex_);
    names = table_names_;
  }
  FICUS_TRY(const auto connection, DuckConnection::open(*database_));
  QueryRunner runner(*connection, watch_, clock_, limits, std::move(stop));
  DuckTransaction transaction(*connection);
  FICUS_TRY_VOID(transaction.begin(true));
  Status status = work(runner, *names);
  if (status) return {};
  const Error& error = status.error();
  if (error.code == ErrorCode::internal || error.code == ErrorCode::unavailable ||
      error.message.contains(".parquet")) {
    files_suspect_ =
        true;  // perhaps a file is damaged or has been taken away: maintain() will look
  }
  return status;
}

Result<QuerySummary> DuckHistory::query(std::string_view sql, const QueryLimits& limits,
                                        RowSink& sink, std::stop_token stop) {
  if (sql.size() > limits.sql_bytes_max) {
    return invalid(
        fmt::format("the statement has {} bytes, more than {}", sql.size(), limits.sql_bytes_max));
  }
  QuerySummary summary;
  FICUS_TRY_VOID(with_query(
      limits, std::move(stop), [&](QueryRunner& runner, const TableNames& names) -> Status {
        Status checked = check_statement(runner.connection(), sql, names);
        if (!checked) return std::unexpected(runner.explained(std::move(checked).error()));
        FICUS_TRY(summary, runner.run(std::string(sql), {}, sink));
        return {};
      }));
  return summary;
}

Result<SeriesSummary> DuckHistory::series(const SeriesRequest& request, RowSink& sink,
                                          std::stop_token stop) {
  SeriesSummary summary;
  FICUS_TRY_VOID(with_query(
      request.limits, std::move(stop), [&](QueryRunner& runner, const TableNames&) -> Status {
        FICUS_TRY(summary, run_series(runner, options_.directory, request, sink));
        return {};
      }));
  return summary;
}

}  // namespace

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
