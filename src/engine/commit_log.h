#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/disk.h"
#include "base/logger.h"
#include "engine/intake.h"
#include "log/log_writer.h"
#include "log/snapshot.h"

namespace ficus {

// Where the sync runs: a thread of the log's own, inside commit() (tools, tests), or where the
// owner calls sync_if_asked() (simulation).
enum class SyncPlace : std::uint8_t { own_thread, inline_with_commit, driven };

struct CommitLogOptions {
  log::LogOptions log;
  log::SyncPolicy policy = log::SyncPolicy::each_commit;
  Micros sync_interval = Micros::from_millis(1000);  // for SyncPolicy::interval
  SyncPlace sync_place = SyncPlace::own_thread;
  std::uint64_t snapshot_every_bytes = std::uint64_t{512} << 20;
  // While a snapshot is taken its owner gathers about so many values of its state a turn: some
  // milliseconds, so that the work goes on.
  std::size_t snapshot_values_a_turn = 128 << 10;
  Intake* intake = nullptr;  // borrowed; told when the log cannot be written or synced
};

// What a log is folded into: its owner's state.
class LogFold {
 public:
  using Sections =
      std::vector<std::pair<std::string, std::string>>;  // name and bytes, of a snapshot
  virtual Status restore(const Sections& sections) = 0;
  virtual Status replay(std::string_view payload, Timestamp time, log::Position end) = 0;

 protected:
  ~LogFold() = default;
};

// Writes the sections of a snapshot, on a thread of its own: it uses nothing that others change.
using WriteSections = std::move_only_function<Status(log::SnapshotWriter&)>;
WriteSections write_all(LogFold::Sections sections);

// All sections of a snapshot, in memory.
Result<LogFold::Sections> read_sections(log::SnapshotReader& snapshot);

// A log with group commit: its owner appends and commits; everything committed while a sync is
// under way shares the next one. Both a shard and the MQTT broker own one.
//
// Threads: the owner thread calls everything but what is said otherwise. `on_progress` is called
// from the sync thread each time acknowledged() has advanced or syncing has failed, and must only
// wake the owner.
class CommitLog {
 public:
  // Opens the log of the directory (made if missing): restores the newest snapshot into the fold,
  // replays what is behind it, and is ready to be written. `known_durable`: up to there it was
  // synced, as is known from elsewhere; a log that ends before is corrupt.
  static Result<std::unique_ptr<CommitLog>> open(Disk& disk, Logger& logger, std::string directory,
                                                 log::Position known_durable,
                                                 const CommitLogOptions& options, LogFold& fold,
                                                 std::function<void()> on_progress);
  ~CommitLog();
  CommitLog(const CommitLog&) = delete;
  CommitLog& operator=(const CommitLog&) = delete;

  // Puts a step behind the others, in memory; returns where it ends. A step of any size is kept as
  // a whole or not at all (step_record.h). Fails only as overloaded: while log.buffer_bytes_max
  // wait to be written.
  Result<log::Position> append(Timestamp time, std::string_view payload);
  // Hands what was appended to the file and asks for a sync. On a full disk everything stays
  // appended and commit() may be called again: nothing of it is acknowledged before.
  Status commit();

  // What the sync thread does for one commit or several, where there is no such thread. REQUIRES:
  // SyncPlace::driven.
  void sync_if_asked();

  // Records that end here or before may be acknowledged. Any thread.
  log::Position acknowledged() const { return writer_->acknowledgeable_end(options_.policy); }
  log::Position durable() const { return writer_->durable_end(); }  // any thread
  log::Position end() const { return writer_->end(); }
  log::Position begin() const { return writer_->begin(); }
  // The error that ended syncing for good, if there was one. Any thread.
  std::optional<Error> sync_failure() const;

  std::size_t buffered_bytes() const { return writer_->buffered_bytes(); }  // not yet written

  // Where the last record ends that says something: behind it stand at most marks of the log's own.
  // The place for a snapshot.
  log::Position facts_end() const { return facts_end_; }
  // When the log has been silent for some seconds: leaves a witness that all of it was synced.
  // Call it often.
  void mark_if_idle(Timestamp now);

  // One is written at a time. After one that failed, another share of the log is waited for before
  // the next try.
  bool snapshot_due() const {
    return end() - snapshot_tried_ >= options_.snapshot_every_bytes && !snapshot_.is_busy();
  }
  // Writes the snapshot, keeps two, truncates the log before the older; on a thread of its own,
  // unless syncs are inline. What fails is logged. REQUIRES: position <= durable(), snapshot_due().
  void write_snapshot(log::Position position, WriteSections sections);
  // The same, done when it returns.
  Status write_snapshot_now(log::Position position, WriteSections sections);
  log::Position last_snapshot() const { return {last_snapshot_.load()}; }

  // While held, no segment and no snapshot is removed, so that they can be copied. Any thread.
  void hold_files();
  void release_files();
  const std::string& directory() const { return directory_; }

  // Commits, syncs and ends the sync thread. The log can only be destroyed afterwards.
  Status close(Timestamp time);

 private:
  CommitLog(Disk& disk, Logger& logger, std::string directory, const CommitLogOptions& options,
            std::function<void()> on_progress);
  Status restore(LogFold& fold);
  Status require_whole_log(const std::vector<std::string>& skipped) const;
  Status replay(LogFold& fold);
  Status append_pieces(Timestamp time, std::string_view payload, std::size_t piece_bytes);
  Status write();
  void sync_loop();
  Status sync_once();
  Status save_snapshot(log::Position position, WriteSections& sections);
  Status remove_what_is_covered();
  void stop_thread();

  Disk& disk_;
  Logger& logger_;
  const std::string directory_;
  const CommitLogOptions options_;
  const std::function<void()> on_progress_;
  std::unique_ptr<log::LogWriter> writer_;
  bool write_fails_ = false;
  std::atomic<std::uint64_t> last_snapshot_ = 0;
  log::Position snapshot_tried_;  // where the last one was begun
  log::Position facts_end_;
  log::Position idle_end_;  // the end when it was last seen to move, and when that was
  Timestamp idle_since_;
  log::Position marked_end_;

  std::mutex files_mutex_;  // held while files are removed, and to begin a hold
  int holds_ = 0;

  // Hand-over to the sync thread: a flag and a condition, since there is nothing to queue.
  mutable std::mutex mutex_;
  std::condition_variable requested_;
  bool sync_requested_ = false;
  bool stopping_ = false;
  std::optional<Error> sync_failure_;
  std::thread thread_;

  // The thread of one snapshot.
  class Background {
   public:
    ~Background() { wait(); }
    bool is_busy() const { return busy_.load(); }
    void run(std::move_only_function<void()> work);
    void wait();

   private:
    std::atomic<bool> busy_ = false;
    std::thread thread_;
  };
  Background snapshot_;
};

}  // namespace ficus
