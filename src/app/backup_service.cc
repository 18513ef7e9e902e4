#include "app/backup_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>

#include "codec/json/json_writer.h"

namespace ficus::app {
namespace {

// Retention may delete a file between its being named and its being copied; then once more.
constexpr int kHistoryTriesMax = 3;

const char* const kStateNames[] = {"none", "running", "done", "failed"};

// Keeps the files of the logs from being removed.
class Hold {
 public:
  explicit Hold(const std::vector<CommitLog*>& logs) : logs_(logs) {
    for (CommitLog* const log : logs_) log->hold_files();
  }
  ~Hold() {
    for (CommitLog* const log : logs_) log->release_files();
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  const std::vector<CommitLog*>& logs_;
};

}  // namespace

Status BackupService::start(const std::string& directory) {
  FICUS_TRY_VOID(require_empty(parts_.disk, directory));
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::running) {
      return fail(ErrorCode::conflict,
                  fmt::format("a backup into {} is under way: wait for it", directory_));
    }
    state_ = State::running;
    directory_ = directory;
    began_at_ = parts_.clock.now();
    error_.clear();
  }
  stop();
  progress_.stop = false;
  progress_.files = 0;
  progress_.bytes = 0;
  thread_ = std::thread([this, directory] { run(directory); });
  return {};
}

void BackupService::stop() {
  progress_.stop = true;
  if (thread_.joinable()) thread_.join();
}

void BackupService::run(const std::string& directory) {
  parts_.logger.info("backup", "begun", {{"directory", directory}});
  BackupCopy copy(parts_.disk, directory, progress_);
  const Status made = make(copy, directory);
  if (!made) {
    copy.remove_all();
    forget_database(directory + "/history");
  }
  if (made) {
    parts_.logger.info("backup", "done",
                       {{"directory", directory}, {"files", std::to_string(progress_.files)}});
  } else {
    parts_.logger.error("backup", "failed",
                        {{"directory", directory}, {"error", made.error().message}});
  }
  const std::lock_guard lock(mutex_);
  state_ = made ? State::done : State::failed;
  ended_at_ = parts_.clock.now();
  if (!made) error_ = made.error().message;
}

Status BackupService::make(BackupCopy& copy, const std::string& directory) {
  BackupManifest manifest;
  manifest.version = FICUS_VERSION;
  manifest.began_at = parts_.clock.now();
  FICUS_TRY_VOID(parts_.disk.make_directories(directory));
  FICUS_TRY_VOID(copy.copy(parts_.data_directory + "/shards", "shards"));
  {
    const Hold hold(parts_.logs);
    FICUS_TRY_VOID(copy_history(copy, directory));
    for (CommitLog* const log : parts_.logs) {
      const std::string name = log->directory().substr(log->directory().rfind('/') + 1);
      const std::uint64_t position = log->durable().offset;
      FICUS_TRY_VOID(copy.copy_log(log->directory(), "log/" + name, position));
      manifest.logs.push_back({name, position});
    }
  }
  manifest.files = copy.files();
  const std::string text = manifest.encode();
  const std::string path = directory + "/" + std::string(kBackupManifest);
  FICUS_TRY_VOID(write_file_atomically(parts_.disk, path, std::as_bytes(std::span(text))));
  // What can be read and fits together now is a backup; what cannot is none.
  const std::uint64_t copied_files = progress_.files;
  const std::uint64_t copied_bytes = progress_.bytes;
  auto verified = verify_backup(parts_.disk, directory, progress_);
  progress_.files = copied_files;
  progress_.bytes = copied_bytes;
  if (!verified) {
    static_cast<void>(parts_.disk.remove(path));
    return std::unexpected(std::move(verified).error());
  }
  const std::lock_guard lock(mutex_);
  manifest_ = std::move(manifest);
  return {};
}

void BackupService::forget_database(const std::string& directory) {
  for (const char* const name : {"/history.duckdb", "/history.duckdb.wal"}) {
    static_cast<void>(parts_.disk.remove(directory + name));
  }
}

Status BackupService::copy_history(BackupCopy& copy, const std::string& directory) {
  const std::string from = parts_.data_directory + "/history/";
  const std::string to = directory + "/history";
  FICUS_TRY_VOID(parts_.disk.make_directories(to));
  std::vector<history::FinishedFile> files;
  for (int tries = 1;; ++tries) {
    forget_database(to);  // an earlier try's write-ahead log does not belong to a later database
    FICUS_TRY(files, copy_database(to));
    Status kept;
    for (const history::FinishedFile& file : files) {
      const auto& done = copy.files();
      if (std::any_of(done.begin(), done.end(),
                      [&](const BackupFile& f) { return f.file == "history/" + file.file; })) {
        continue;
      }
      kept = copy.keep(from + file.file, "history/" + file.file);
      if (!kept) break;
      if (copy.files().back().crc != file.crc) {
        return fail(ErrorCode::corrupt,
                    fmt::format("history/{} is damaged: the next query of it sets it aside; then "
                                "back up again",
                                file.file));
      }
    }
    if (kept) break;
    if (kept.error().code != ErrorCode::not_found || tries == kHistoryTriesMax) return kept;
  }
  FICUS_TRY_VOID(copy.add_present("history/history.duckdb"));
  if (!parts_.disk.exists(to + "/history.duckdb.wal")) return {};
  return copy.add_present("history/history.duckdb.wal");
}

Result<std::vector<history::FinishedFile>> BackupService::copy_database(
    const std::string& directory) {
  std::mutex mutex;
  std::condition_variable done;
  std::optional<Result<std::vector<history::FinishedFile>>> result;
  const bool accepted = parts_.feed.run_between_commits([&] {
    auto files = parts_.history.copy_database(directory);
    const std::lock_guard lock(mutex);
    result = std::move(files);
    done.notify_one();  // with the lock: the waiting side destroys the condition
  });
  if (!accepted) return fail(ErrorCode::unavailable, "the brain is stopping");
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return result.has_value(); });
  return *std::move(result);
}

std::string BackupService::status_json() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  json::JsonWriter json(text);
  json.begin_object().key("state").text(kStateNames[static_cast<std::size_t>(state_)]);
  json.key("directory").text(directory_);
  json.key("files").integer(static_cast<std::int64_t>(progress_.files.load()));
  json.key("bytes").integer(static_cast<std::int64_t>(progress_.bytes.load()));
  if (state_ != State::none) json.key("beganAt").time(began_at_);
  if (state_ == State::done || state_ == State::failed) json.key("endedAt").time(ended_at_);
  if (state_ == State::failed) json.key("error").text(error_);
  if (state_ == State::done) {
    json.key("logs").begin_array();
    for (const BackupLog& log : manifest_.logs) {
      json.begin_object().key("log").text(log.log);
      json.key("position").integer(static_cast<std::int64_t>(log.position)).end_object();
    }
    json.end_array();
  }
  json.end_object();
  return text;
}

}  // namespace ficus::app
