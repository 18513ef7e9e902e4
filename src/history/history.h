#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "history/query.h"
#include "model/observation_batch.h"
#include "model/source_batch.h"

namespace ficus::history {

// Rows of one entity type that one source (or a rule) gave.
struct Rows {
  std::shared_ptr<const ObservationBatch> batch;
  std::vector<std::uint8_t> keep;  // per row: 0 leaves the row out (a duplicate); empty keeps all
  Timestamp received_at;
  std::string source;
  std::uint32_t shard = 0;     // whose log has them,
  std::uint64_t position = 0;  // and where the record ends there; 0: not from a log
  bool is_again = false;       // only wanted() makes them welcome: they were in a damaged file
};

// A stretch of a shard's log that history lacks.
struct HistoryGap {
  std::uint32_t shard = 0;
  std::uint64_t after = 0;
  std::uint64_t until = 0;
  bool is_of_files = false;  // only what was in files that are damaged; else everything
};

// What became of the files at open and in maintain(); each list names files relative to the
// directory. For the operator's log.
struct MaintenanceReport {
  std::vector<std::string> sealed;           // new files
  std::vector<std::string> merged;           // deleted since a larger file holds their rows
  std::vector<std::string> expired;          // deleted because of their age
  std::vector<std::string> orphans_removed;  // left behind by a crash; their rows are in the tail
  std::vector<std::string> cut;              // the database's log, behind its last sync
  std::vector<std::string> set_aside;        // missing or damaged: "<file>: <why>, kept as <file>"
  std::vector<std::string> wanted;           // whose rows are to be given again from the log
  std::vector<std::string> restored;         // whose rows have been given again
  std::vector<std::string> problems;         // what failed and will be tried again

  bool is_empty() const {
    return sealed.empty() && merged.empty() && expired.empty() && orphans_removed.empty() &&
           cut.empty() && set_aside.empty() && wanted.empty() && restored.empty() &&
           problems.empty();
  }
};

// A file that history will never write again; it may be deleted by retention.
struct FinishedFile {
  std::string file;  // relative to the directory
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;  // CRC-32C
};

struct HistoryFigures {
  std::uint64_t rows_committed = 0;  // since open
  std::uint64_t rows_pending = 0;    // appended, not committed
  std::uint64_t rows_tail = 0;       // not sealed yet
  std::uint64_t rows_sealed = 0;
  std::uint64_t files_sealed = 0;
  std::uint64_t bytes_sealed = 0;
  std::uint64_t bytes_log = 0;     // DuckDB's write-ahead log
  std::uint64_t bytes_memory = 0;  // used by DuckDB
  std::uint64_t queries_active = 0;
};

// The past: every observation that was not a duplicate, in one view per entity type, and what could
// not be understood, in `quarantine`. A fold over the log: it remembers, in the same transaction as
// the rows, up to where in each shard's log it has come.
//
// Threads: append*, commit and maintain belong to one thread (HistoryFeed's); positions, figures,
// query and series may be called by any thread at any time and see the last commit.
class History {
 public:
  virtual ~History() = default;

  // Per shard the log position up to which everything is committed (0: nothing). Replay from there.
  virtual Result<std::vector<std::uint64_t>> positions() = 0;

  // Up to where each shard's log is known to have been: a log that ends before is damaged. More
  // than positions() when the log is replayed anew. Before the first commit only.
  virtual std::vector<std::uint64_t> known_positions() { return {}; }
  // What lies before positions() and is to be given again all the same, since it was in a file that
  // is damaged: rows with `is_again`, each record followed by note_given. Of open; any thread.
  virtual std::vector<HistoryGap> wanted() { return {}; }
  // All that history wants of this stretch has been appended: it will not ask for it again.
  virtual void note_given(const HistoryGap&) {}
  // The log cannot give this any more. Names exactly what is missing because of it, for the
  // operator; damage() has it from then on. Any thread.
  virtual std::string name_loss(const HistoryGap&) { return {}; }

  // Remembers rows for the next commit; cheap, the batch is shared. Types and attributes are
  // created in the database as they appear in the Schema.
  virtual Status append(Rows rows) = 0;
  virtual Status append_quarantine(std::string_view source, Timestamp received_at,
                                   std::span<const QuarantinedItem> items) = 0;
  // Writes everything appended and the positions (index: shard) in one transaction, durably.
  // After a failure all of it is still pending: call again, with these or later positions.
  virtual Status commit(std::span<const std::uint64_t> positions) = 0;

  // Bounded work between commits: rotation, sealing (in the background), retention, checkpoint.
  virtual Result<MaintenanceReport> maintain(Timestamp now) = 0;

  // Runs one read-only SQL statement (README.md: what is allowed) on a snapshot of the last commit.
  // The answer goes to `sink` in this thread. A stop request ends it within milliseconds.
  virtual Result<QuerySummary> query(std::string_view sql, const QueryLimits& limits, RowSink& sink,
                                     std::stop_token stop = {}) = 0;
  // The same as an Arrow IPC stream (media type application/vnd.apache.arrow.stream). What does
  // not fit rows_max is left out and the summary says so; the stream is whole in any case.
  virtual Result<QuerySummary> query_arrow(std::string_view sql, const QueryLimits& limits,
                                           ByteSink& sink, std::stop_token stop = {}) = 0;
  // The same as a Parquet file. rows_max does not hold, file_bytes_max does.
  virtual Result<FileAnswer> query_parquet(std::string_view sql, const QueryLimits& limits,
                                           std::stop_token stop = {}) = 0;
  virtual Result<SeriesSummary> series(const SeriesRequest& request, RowSink& sink,
                                       std::stop_token stop = {}) = 0;

  // Copies the database as it lies on the disk into the directory, and names the files that belong
  // to it: together they are a history at one position, as after a crash. Of the thread that
  // commits.
  virtual Result<std::vector<FinishedFile>> copy_database(const std::string& to_directory);

  virtual HistoryFigures figures() = 0;

  // Since open: what was set aside, and what is lost. Any thread.
  virtual std::vector<std::string> damage() { return {}; }
};

}  // namespace ficus::history
