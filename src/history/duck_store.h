#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <vector>

#include "history/catalog.h"
#include "history/duck.h"
#include "history/duck_history.h"
#include "history/file_care.h"
#include "history/query_runner.h"
#include "history/query_watch.h"
#include "history/retry.h"
#include "history/sealer.h"
#include "history/tail_writer.h"

namespace ficus::history {

// Answers as files are written there.
inline constexpr const char* kAnswersFolder = ".answers";

// A file that the catalog should not name any more: replaced, expired, or written for a transaction
// that failed. Whether it did the database says before the file goes.
struct Removal {
  std::string file;
  Timestamp since;
};

// History in DuckDB, one file a subject: opening and closing (duck_history.cc), committing
// (commit.cc), sealing, retention and other upkeep (maintain.cc), questions (ask.cc). Of this room
// only.
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
  std::vector<std::uint64_t> known_positions() override;
  std::vector<HistoryGap> wanted() override;
  void note_given(const HistoryGap& given) override { pending_given_.push_back(given); }
  std::string name_loss(const HistoryGap& gap) override;
  Status append(Rows rows) override;
  Status append_quarantine(std::string_view source, Timestamp received_at,
                           std::span<const QuarantinedItem> items) override;
  Status commit(std::span<const std::uint64_t> positions) override;
  Result<MaintenanceReport> maintain(Timestamp now) override;
  Result<QuerySummary> query(std::string_view sql, const QueryLimits& limits, RowSink& sink,
                             std::stop_token stop) override;
  Result<QuerySummary> query_arrow(std::string_view sql, const QueryLimits& limits, ByteSink& sink,
                                   std::stop_token stop) override;
  Result<FileAnswer> query_parquet(std::string_view sql, const QueryLimits& limits,
                                   std::stop_token stop) override;
  Result<SeriesSummary> series(const SeriesRequest& request, RowSink& sink,
                               std::stop_token stop) override;
  Result<std::vector<FinishedFile>> copy_database(const std::string& to_directory) override;
  HistoryFigures figures() override;
  std::vector<std::string> damage() override;

 private:
  using QueryWork = std::function<Status(QueryRunner&, const TableScope&)>;

  std::string database_path() const { return options_.directory + "/history.duckdb"; }

  // Opening.
  Status open_database(MaintenanceReport& report);
  Status adopt_sealed_files(MaintenanceReport& report);
  void note_sealed();
  void want_again(MaintenanceReport& report);
  std::string name_lost_files(const HistoryGap& gap);
  Status prepare_positions();
  Status count_tails();
  void rebuild_views(MaintenanceReport& report);
  void close();
  Status reopen();

  // Committing.
  bool is_sealed(const Rows& rows) const;
  void declare_types(Timestamp now, MaintenanceReport& report);
  Status create_type(TypeId type, Timestamp now);
  Status create_missing();
  Status create_missing(PendingRows& pending);
  Status write(std::span<const std::uint64_t> positions);
  Status write_rows(std::map<std::string, std::uint64_t>& counts);
  Status write_positions(std::span<const std::uint64_t> positions);
  Result<GivenAgain> write_given();
  void forget_pending(std::size_t rows, std::size_t quarantined, std::size_t given);

  // Maintaining.
  void finish_seal(Timestamp now, MaintenanceReport& report);
  void accept_seal(const SealOutcome& outcome, Timestamp now, MaintenanceReport& report);
  void rotate(Timestamp now, MaintenanceReport& report);
  void accept_merge(const SealOutcome& outcome, Timestamp now, MaintenanceReport& report);
  void start_seal(Timestamp now, MaintenanceReport& report);
  std::vector<SealJob> due_jobs(Timestamp now);
  std::optional<SealJob> merge_job(Timestamp now);
  bool may_try(const std::string& task, Timestamp now) const;
  void task_failed(const std::string& task, const Error& error, Timestamp now,
                   MaintenanceReport& report);
  int retention_days(const std::string& type) const;
  SealJob seal_job(const HistoryType& type, const Tail& tail);
  void expire(Timestamp now, MaintenanceReport& report);
  void expire_damaged(Timestamp now, MaintenanceReport& report);
  void note_lost(MaintenanceReport& report);
  void trim_quarantine(Timestamp now, MaintenanceReport& report);
  void delete_removed(Timestamp now, MaintenanceReport& report);
  void care_for_files(Timestamp now, MaintenanceReport& report);
  void checkpoint(MaintenanceReport& report);
  bool has_free_blocks();
  std::uint64_t log_bytes();
  std::uint64_t database_bytes();
  void publish();

  Status with_statement(std::string_view sql, const QueryLimits& limits, std::stop_token stop,
                        const std::function<Status(QueryRunner&)>& work);
  Result<FileAnswer> take_file(const std::string& path);
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
  std::atomic<std::uint64_t> answer_files_ = 0;  // numbers their names
  std::atomic<bool> files_suspect_ = false;      // a query met an unreadable file

  // Opened and closed with the database: POSIX takes all of a process's locks from a file when it
  // closes any descriptor of it (fcntl, F_SETLK), and DuckDB keeps others out with one.
  std::unique_ptr<File> database_file_;

  // Of the history thread.
  std::uint64_t database_bytes_ = 0;  // the file's size at open and after the last checkpoint
  bool has_freed_blocks_ = false;     // since the last checkpoint, which makes them free
  std::size_t declared_types_ = 0;    // of the schema, have their views
  std::unique_ptr<DuckConnection> feed_;
  Catalog catalog_;
  Sealer sealer_;
  std::map<std::string, std::uint64_t> tail_rows_;  // of the active tail, by type
  std::vector<PendingRows> pending_;
  std::vector<PendingQuarantine> pending_quarantine_;
  std::vector<HistoryGap> pending_given_;
  std::vector<std::uint64_t> committed_;     // positions
  std::vector<std::uint64_t> sealed_until_;  // per shard, of the files that were there at open
  std::vector<std::uint64_t> attempted_;     // of the last commit that may or may not have happened
  std::size_t attempted_rows_ = 0;
  std::size_t attempted_quarantine_ = 0;
  std::size_t attempted_given_ = 0;
  bool must_reopen_ = false;
  std::set<std::string> rotations_due_;       // types whose tail ends with what was given again
  std::vector<std::string> restored_;         // files, for the next report
  std::map<std::string, RetryPause> pauses_;  // of what failed, by its name in reports
  std::optional<Timestamp> quarantine_trimmed_;
  std::vector<Removal> removals_;
  std::optional<FileCheck> file_check_;
  std::optional<Timestamp> files_checked_;
  MaintenanceReport reopened_;  // what a reopening found, until maintain() tells

  mutable std::mutex published_mutex_;  // what other threads read: swapped once a commit
  HistoryFigures figures_;
  std::vector<std::string> damage_;
  std::vector<HistoryType> types_at_open_;    // with their files; never changed after open
  std::vector<DamagedFile> damaged_at_open_;  // nor these
  std::vector<HistoryGap> lost_;              // named, not noted in the database yet
  std::shared_ptr<const TableScope> tables_ = std::make_shared<TableScope>();
};

}  // namespace ficus::history
