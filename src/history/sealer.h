#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "history/catalog.h"
#include "history/duck.h"

namespace ficus::history {

// A tail to be written as a Parquet file, as things stood when it was given; or small files that
// become one (compact.h).
struct SealJob {
  HistoryType type;
  Tail tail;
  std::map<std::string, int> decimals;  // by column name: digits after the point that matter
  std::vector<SealedFile> merge;        // not empty: these instead of the tail
  std::int64_t number = 0;              // of the new file
};

// What became of it. No file and no error: the tail had no rows.
struct SealOutcome {
  std::string type;
  std::int64_t tail = 0;
  Result<std::optional<SealedFile>> file;
  std::vector<std::string> merged;  // files that `file` stands for, instead of the tail
};

// Writes the file: sorted by id and time, so that one entity's rows lie together; receivedAt to the
// millisecond (its microseconds are our own scheduling, and a fifth of the file); DECIMAL for a
// number column with declared decimals if every value survives the way there and back, else DOUBLE.
// When it returns, the file is complete, verified and durable, but not in the catalog: a crash
// before that leaves an orphan, which is removed at the next start. A failure leaves no file.
Result<std::optional<SealedFile>> seal_tail(DuckConnection& connection, Disk& disk,
                                            const std::string& directory, SealJob job);

// Writes a file with `statement` (a COPY to the path of `file` + ".tmp"), verifies that it has all
// rows, makes it durable, and completes `file` with its size and checksum.
Status write_sealed(DuckConnection& connection, Disk& disk, const std::string& directory,
                    const std::string& statement, SealedFile& file);
std::string sealed_name(const HistoryType& type, const SealedFile& file);
// COPY (SELECT `columns` FROM `from` in order) TO the path, as sealed files are. `metadata`: from
// sealed_metadata().
std::string sealing_statement(const std::string& columns, const std::string& from,
                              const std::string& path, const std::string& metadata);

// Does the job, whichever it is.
SealOutcome run_seal_job(DuckConnection& connection, Disk& disk, const std::string& directory,
                         const SealJob& job);

// Runs seal jobs in a thread of its own, one job at a time. Its priority is not lowered: a thread
// that may not run while it holds what others wait for made durable messages wait for 0.3 s.
// Used by the history thread.
class Sealer {
 public:
  Sealer(Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;
  ~Sealer() { stop(); }

  bool is_idle() const { return !thread_.joinable(); }
  // REQUIRES: is_idle(). `database` is borrowed until the outcome is taken or `stop` returns.
  Status start(DuckDatabase& database, SealJob job);
  // The outcome once it is there; then idle again.
  std::optional<SealOutcome> take_outcome();
  // Interrupts and waits. What was begun is begun anew later.
  void stop();

 private:
  Disk& disk_;
  const std::string directory_;
  std::unique_ptr<DuckConnection> connection_;
  std::optional<SealOutcome> outcome_;  // written by the thread before done_
  std::atomic<bool> done_ = false;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// CRC-32C of a whole file.
Result<std::uint32_t> file_checksum(Disk& disk, const std::string& path);

}  // namespace ficus::history
