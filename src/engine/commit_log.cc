#include "engine/commit_log.h"

#include <fmt/format.h>

namespace ficus {
namespace {

constexpr log::RecordKind kStep{1};

}  // namespace

CommitLog::CommitLog(Disk& disk, Logger& logger, std::string directory,
                     const CommitLogOptions& options, std::function<void()> on_progress)
    : disk_(disk),
      logger_(logger),
      directory_(std::move(directory)),
      options_(options),
      on_progress_(std::move(on_progress)) {}

Result<std::unique_ptr<CommitLog>> CommitLog::open(Disk& disk, Logger& logger,
                                                   std::string directory,
                                                   const log::RecoverOptions& recover,
                                                   const CommitLogOptions& options,
                                                   std::function<void()> on_progress) {
  std::unique_ptr<CommitLog> self(
      new CommitLog(disk, logger, std::move(directory), options, std::move(on_progress)));
  FICUS_TRY(self->recovered_, log::recover(disk, self->directory_, recover));
  if (self->recovered_.bytes_cut > 0) {
    logger.warning("log", "cut off a torn tail; nothing in it had been acknowledged",
                   {{"directory", self->directory_},
                    {"bytes", std::to_string(self->recovered_.bytes_cut)},
                    {"reason", self->recovered_.cut_reason}});
  }
  FICUS_TRY(self->writer_,
            log::LogWriter::open(disk, self->directory_, self->recovered_, options.log));
  self->last_snapshot_ = recover.verify_from;
  if (options.sync_place == SyncPlace::own_thread) {
    self->thread_ = std::thread([raw = self.get()] { raw->sync_loop(); });
  }
  return self;
}

CommitLog::~CommitLog() { stop_thread(); }

Result<log::Position> CommitLog::append(Timestamp time, std::string_view payload) {
  FICUS_TRY_VOID(writer_->append(kStep, time, std::as_bytes(std::span(payload))));
  return writer_->end();
}

Status CommitLog::commit() {
  FICUS_TRY_VOID(writer_->write());
  if (options_.sync_place == SyncPlace::inline_with_commit) return sync_once();
  {
    const std::lock_guard lock(mutex_);
    sync_requested_ = true;
  }
  requested_.notify_one();
  return {};
}

Status CommitLog::sync_once() {
  const auto synced = writer_->sync();
  if (!synced) {
    const std::lock_guard lock(mutex_);
    sync_failure_ = synced.error();
    return std::unexpected(synced.error());
  }
  if (on_progress_) on_progress_();
  return {};
}

void CommitLog::sync_loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    requested_.wait(lock, [&] { return sync_requested_ || stopping_; });
    if (stopping_) return;
    sync_requested_ = false;
    lock.unlock();
    const Status status = sync_once();
    lock.lock();
    if (!status) {
      logger_.error("log", "the log cannot be synced: nothing more is acknowledged, restart needed",
                    {{"directory", directory_}, {"error", status.error().message}});
      return;
    }
    if (options_.policy != log::SyncPolicy::each_commit) {
      // Acknowledgements do not wait for this sync: let commits gather for the interval.
      requested_.wait_for(lock, std::chrono::microseconds(options_.sync_interval.count),
                          [&] { return stopping_; });
    }
  }
}

std::optional<Error> CommitLog::sync_failure() const {
  const std::lock_guard lock(mutex_);
  return sync_failure_;
}

Status CommitLog::write_snapshot(log::Position position,
                                 std::span<const std::pair<std::string, std::string>> sections) {
  FICUS_TRY(auto snapshot, log::SnapshotWriter::create(disk_, directory_, position));
  for (const auto& [name, content] : sections) {
    FICUS_TRY_VOID(snapshot->begin_section(name));
    FICUS_TRY_VOID(snapshot->append(std::as_bytes(std::span(content))));
  }
  FICUS_TRY_VOID(snapshot->finish());
  snapshot.reset();
  last_snapshot_ = position;
  FICUS_TRY(const log::SnapshotsKept kept, log::remove_old_snapshots(disk_, directory_));
  // With a single snapshot the log is kept whole: should that one be damaged, the log alone
  // suffices.
  if (kept.positions.size() < 2) return {};
  FICUS_TRY_VOID(writer_->truncate_before(kept.positions.front()));
  return {};
}

void CommitLog::stop_thread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  requested_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Status CommitLog::close(Timestamp time) {
  stop_thread();
  const Status closed = writer_->close(time);
  if (closed && on_progress_) on_progress_();
  return closed;
}

}  // namespace ficus
