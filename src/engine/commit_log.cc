#include "engine/commit_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/log_reader.h"
#include "log/recover.h"

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
                                                   log::Position known_durable,
                                                   const CommitLogOptions& options, LogFold& fold,
                                                   std::function<void()> on_progress) {
  FICUS_TRY_VOID(disk.make_directories(directory));
  std::unique_ptr<CommitLog> self(
      new CommitLog(disk, logger, std::move(directory), options, std::move(on_progress)));
  FICUS_TRY_VOID(self->restore(fold));
  FICUS_TRY(const log::Recovered recovered,
            log::recover(disk, self->directory_,
                         {.known_durable = std::max(known_durable, self->last_snapshot_),
                          .verify_from = self->last_snapshot_}));
  if (recovered.bytes_cut > 0) {
    logger.warning("log", "cut off a torn tail; nothing in it had been acknowledged",
                   {{"directory", self->directory_},
                    {"bytes", std::to_string(recovered.bytes_cut)},
                    {"reason", recovered.cut_reason}});
  }
  FICUS_TRY(self->writer_, log::LogWriter::open(disk, self->directory_, recovered, options.log));
  FICUS_TRY_VOID(self->replay(fold));
  if (options.sync_place == SyncPlace::own_thread) {
    self->thread_ = std::thread([raw = self.get()] { raw->sync_loop(); });
  }
  return self;
}

Status CommitLog::restore(LogFold& fold) {
  FICUS_TRY(const log::SnapshotSearch search, log::find_newest_snapshot(disk_, directory_));
  for (const std::string& skipped : search.skipped) {
    logger_.warning("log", "passed over a damaged snapshot", {{"reason", skipped}});
  }
  if (search.newest == nullptr) return {};
  LogFold::Sections sections;
  for (const log::SnapshotSection& section : search.newest->sections()) {
    std::string bytes(section.bytes, '\0');
    FICUS_TRY_VOID(search.newest->read(section, 0, std::as_writable_bytes(std::span(bytes))));
    sections.emplace_back(section.name, std::move(bytes));
  }
  FICUS_TRY_VOID(fold.restore(sections));
  last_snapshot_ = search.newest->position();
  snapshot_tried_ = last_snapshot_;
  return {};
}

Status CommitLog::replay(LogFold& fold) {
  if (writer_->end() == last_snapshot_) return {};
  FICUS_TRY(const auto reader,
            log::LogReader::open(disk_, directory_, last_snapshot_, writer_->end()));
  while (true) {
    FICUS_TRY(const log::Record* const record, reader->next());
    if (record == nullptr) return {};
    const std::string_view payload(reinterpret_cast<const char*>(record->payload.data()),
                                   record->payload.size());
    if (auto replayed = fold.replay(payload, record->time, record->end); !replayed) {
      return in_context(fmt::format("{}: record at {}: ", directory_, record->position.offset),
                        std::move(replayed).error());
    }
  }
}

CommitLog::~CommitLog() { stop_thread(); }

Result<log::Position> CommitLog::append(Timestamp time, std::string_view payload) {
  FICUS_TRY_VOID(writer_->append(kStep, time, std::as_bytes(std::span(payload))));
  return writer_->end();
}

Status CommitLog::write() {
  const Status written = writer_->write();
  if (written.has_value() != write_fails_) return written;
  write_fails_ = !written;
  if (options_.intake == nullptr) return written;
  if (write_fails_) {
    options_.intake->log_failed(directory_, written.error());
  } else {
    options_.intake->log_works(directory_);
  }
  return written;
}

Status CommitLog::commit() {
  FICUS_TRY_VOID(write());
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
    // Final, whatever the device said: not "overloaded", which callers take for a decision that is
    // durable, nor "disk_full", which passes.
    const Error final_error{ErrorCode::unavailable, synced.error().message};
    // Never taken back: the log is of no use until it is opened again.
    if (options_.intake != nullptr) options_.intake->log_failed(directory_ + "#sync", final_error);
    const std::lock_guard lock(mutex_);
    sync_failure_ = final_error;
  }
  if (on_progress_) on_progress_();
  if (!synced) return std::unexpected(synced.error());
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

Status CommitLog::write_snapshot(log::Position position, const LogFold::Sections& sections) {
  snapshot_tried_ = end();
  return save_snapshot(position, sections);
}

Status CommitLog::save_snapshot(log::Position position, const LogFold::Sections& sections) {
  FICUS_TRY(auto snapshot, log::SnapshotWriter::create(disk_, directory_, position));
  for (const auto& [name, content] : sections) {
    FICUS_TRY_VOID(snapshot->begin_section(name));
    FICUS_TRY_VOID(snapshot->append(std::as_bytes(std::span(content))));
  }
  FICUS_TRY_VOID(snapshot->finish());
  snapshot.reset();
  last_snapshot_ = position;
  snapshot_tried_ = position;
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
