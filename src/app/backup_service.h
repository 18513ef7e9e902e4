#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/api_server.h"
#include "app/backup_set.h"
#include "base/clock.h"
#include "base/logger.h"
#include "engine/commit_log.h"
#include "history/feed.h"

namespace ficus::app {

// Backs the running brain up, on a thread of its own. The order makes it consistent: the files of
// all logs are held, then history is copied as it lies on the disk, then each log as far as it is
// durable by now. So the logs reach at least as far as history, and whatever was acknowledged
// before the backup began is in it; after a restore history is fed from the logs, as after a crash.
class BackupService final : public api::Backups {
 public:
  struct Parts {
    Disk& disk;
    const Clock& clock;
    Logger& logger;
    std::string data_directory;
    std::vector<CommitLog*> logs;
    history::History& history;
    history::HistoryFeed& feed;
  };
  explicit BackupService(Parts parts) : parts_(std::move(parts)) {}
  ~BackupService() override { stop(); }

  Status start(const std::string& directory) override;
  std::string status_json() const override;
  // Breaks off what is under way; stop() waits for that.
  void ask_to_stop() { progress_.stop = true; }
  void stop();

 private:
  void run(const std::string& directory);
  Status make(BackupCopy& copy, const std::string& directory);
  void forget_database(const std::string& directory);
  Status copy_history(BackupCopy& copy, const std::string& directory);
  Result<std::vector<history::FinishedFile>> copy_database(const std::string& directory);

  const Parts parts_;
  CopyProgress progress_;
  std::thread thread_;

  mutable std::mutex mutex_;  // what the loop reads and the thread writes
  enum class State : std::uint8_t { none, running, done, failed };
  State state_ = State::none;
  std::string directory_;
  Timestamp began_at_;
  Timestamp ended_at_;
  std::string error_;
  BackupManifest manifest_;
};

}  // namespace ficus::app
