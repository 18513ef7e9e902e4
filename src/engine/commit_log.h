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

// Where the sync runs: a thread of the log's own, or inside commit() (simulation, tools, tests).
enum class SyncPlace : std::uint8_t { own_thread, inline_with_commit };

struct CommitLogOptions {
  log::LogOptions log;
  log::SyncPolicy policy = log::SyncPolicy::each_commit;
  Micros sync_interval = Micros::from_millis(1000);  // for SyncPolicy::interval
  SyncPlace sync_place = SyncPlace::own_thread;
  std::uint64_t snapshot_every_bytes = std::uint64_t{512} << 20;
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

  // Puts a record behind the others, in memory; returns where it ends.
  Result<log::Position> append(Timestamp time, std::string_view payload);
  // Hands what was appended to the file and asks for a sync. On a full disk everything stays
  // appended and commit() may be called again: nothing of it is acknowledged before.
  Status commit();

  // Records that end here or before may be acknowledged. Any thread.
  log::Position acknowledged() const { return writer_->acknowledgeable_end(options_.policy); }
  log::Position durable() const { return writer_->durable_end(); }  // any thread
  log::Position end() const { return writer_->end(); }
  log::Position begin() const { return writer_->begin(); }
  // The error that ended syncing for good, if there was one. Any thread.
  std::optional<Error> sync_failure() const;

  std::size_t buffered_bytes() const { return writer_->buffered_bytes(); }  // not yet written

  // After a snapshot that failed, another share of the log is waited for before the next try.
  bool snapshot_due() const { return end() - snapshot_tried_ >= options_.snapshot_every_bytes; }
  // Writes the snapshot, keeps two, truncates the log before the older. REQUIRES: position <=
  // durable().
  Status write_snapshot(log::Position position, const LogFold::Sections& sections);
  log::Position last_snapshot() const { return last_snapshot_; }

  // Commits, syncs and ends the sync thread. The log can only be destroyed afterwards.
  Status close(Timestamp time);

 private:
  CommitLog(Disk& disk, Logger& logger, std::string directory, const CommitLogOptions& options,
            std::function<void()> on_progress);
  Status restore(LogFold& fold);
  Status replay(LogFold& fold);
  Status write();
  void sync_loop();
  Status sync_once();
  Status save_snapshot(log::Position position, const LogFold::Sections& sections);
  void stop_thread();

  Disk& disk_;
  Logger& logger_;
  const std::string directory_;
  const CommitLogOptions options_;
  const std::function<void()> on_progress_;
  std::unique_ptr<log::LogWriter> writer_;
  bool write_fails_ = false;
  log::Position last_snapshot_;
  log::Position snapshot_tried_;  // at the last one written, or at the last that failed

  // Hand-over to the sync thread: a flag and a condition, since there is nothing to queue.
  mutable std::mutex mutex_;
  std::condition_variable requested_;
  bool sync_requested_ = false;
  bool stopping_ = false;
  std::optional<Error> sync_failure_;
  std::thread thread_;
};

}  // namespace ficus
