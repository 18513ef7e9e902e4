#include "engine/commit_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/planted.h"
#include "engine/step_record.h"
#include "log/recover.h"
#include "log/segments.h"

namespace ficus {
namespace {

// A log that was silent for so long gets a mark of its own; see mark_if_idle.
constexpr Micros kIdleAfter = Micros::from_seconds(2);

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
                         {.known_durable = std::max(known_durable, self->last_snapshot()),
                          .verify_from = self->last_snapshot()}));
  if (recovered.bytes_cut > 0) {
    logger.warning("log", "cut off a torn tail; nothing in it had been acknowledged",
                   {{"directory", self->directory_},
                    {"bytes", std::to_string(recovered.bytes_cut)},
                    {"reason", recovered.cut_reason}});
  }
  log::LogOptions log_options = options.log;
  log_options.buffer_bytes_max = SIZE_MAX;  // append() sees to it, for a step as a whole
  FICUS_TRY(self->writer_, log::LogWriter::open(disk, self->directory_, recovered, log_options));
  FICUS_TRY_VOID(self->replay(fold));
  if (options.sync_place == SyncPlace::own_thread) {
    self->thread_ = std::thread([raw = self.get()] { raw->sync_loop(); });
  }
  return self;
}

WriteSections write_all(LogFold::Sections sections) {
  return [sections = std::move(sections)](log::SnapshotWriter& snapshot) -> Status {
    for (const auto& [name, content] : sections) {
      FICUS_TRY_VOID(snapshot.begin_section(name));
      FICUS_TRY_VOID(snapshot.append(std::as_bytes(std::span(content))));
    }
    return {};
  };
}

Result<LogFold::Sections> read_sections(log::SnapshotReader& snapshot) {
  LogFold::Sections sections;
  for (const log::SnapshotSection& section : snapshot.sections()) {
    std::string bytes(section.bytes, '\0');
    FICUS_TRY_VOID(snapshot.read(section, 0, std::as_writable_bytes(std::span(bytes))));
    sections.emplace_back(section.name, std::move(bytes));
  }
  return sections;
}

Status CommitLog::restore(LogFold& fold) {
  FICUS_TRY(const log::SnapshotSearch search, log::find_newest_snapshot(disk_, directory_));
  for (const std::string& skipped : search.skipped) {
    logger_.warning("log", "passed over a damaged snapshot", {{"reason", skipped}});
  }
  if (search.newest == nullptr) return require_whole_log(search.skipped);
  FICUS_TRY(const LogFold::Sections sections, read_sections(*search.newest));
  FICUS_TRY_VOID(fold.restore(sections));
  last_snapshot_ = search.newest->position().offset;
  snapshot_tried_ = last_snapshot();
  facts_end_ = last_snapshot();
  return {};
}

// Without a snapshot all that was acknowledged must be in the log: from its very begin.
Status CommitLog::require_whole_log(const std::vector<std::string>& skipped) const {
  FICUS_TRY(const std::vector<log::Position> segments, log::list_segments(disk_, directory_));
  if (segments.empty() || segments.front().offset == 0) return {};
  std::string why;
  for (const std::string& reason : skipped) why += "; " + reason;
  return fail(ErrorCode::corrupt,
              fmt::format("the log in {} begins at position {}, and no sound snapshot is left of "
                          "what was before{}: restore a backup",
                          directory_, segments.front().offset, why));
}

Status CommitLog::replay(LogFold& fold) {
  if (writer_->end() == last_snapshot()) return {};
  FICUS_TRY(StepReader reader,
            StepReader::open(disk_, directory_, last_snapshot(), writer_->end()));
  if (FICUS_PLANTED(replay_off_by_one)) FICUS_TRY_VOID(reader.next());
  while (true) {
    FICUS_TRY(const StepRecord* const step, reader.next());
    if (step == nullptr) {
      if (facts_end_ != writer_->end()) marked_end_ = writer_->end();
      return {};
    }
    if (auto replayed = fold.replay(step->payload, step->time, step->end); !replayed) {
      return in_context(fmt::format("{}: record at {}: ", directory_, step->position.offset),
                        std::move(replayed).error());
    }
    facts_end_ = step->end;
  }
}

CommitLog::~CommitLog() {
  snapshot_.wait();
  stop_thread();
}

Result<log::Position> CommitLog::append(Timestamp time, std::string_view payload) {
  const std::size_t buffered = writer_->buffered_bytes();
  const std::size_t limit = options_.log.buffer_bytes_max;
  // One step always fits, or a limit set too low would refuse it for ever.
  if (buffered > 0 && (buffered >= limit || payload.size() > limit - buffered)) {
    return fail(ErrorCode::overloaded,
                fmt::format("the log holds {} bytes that are not written yet, the limit is {}",
                            buffered, limit));
  }
  const std::size_t piece_bytes = std::min(options_.log.payload_bytes_max, kPieceBytesMax);
  FICUS_CHECK(piece_bytes > kPieceHeadBytes);
  if (payload.size() <= piece_bytes) {
    FICUS_TRY_VOID(writer_->append(kStep, time, std::as_bytes(std::span(payload))));
  } else {
    FICUS_TRY_VOID(append_pieces(time, payload, piece_bytes - kPieceHeadBytes));
  }
  facts_end_ = writer_->end();
  return facts_end_;
}

Status CommitLog::append_pieces(Timestamp time, std::string_view payload, std::size_t piece_bytes) {
  const log::Position begin = writer_->end();
  for (std::uint32_t number = 0; !payload.empty(); ++number) {
    const std::string_view content = payload.substr(0, piece_bytes);
    payload.remove_prefix(content.size());
    const std::string head = piece_head(begin, number);
    const std::span<const std::byte> parts[] = {std::as_bytes(std::span(head)),
                                                std::as_bytes(std::span(content))};
    FICUS_TRY_VOID(writer_->append(payload.empty() ? kStepEnd : kStepPiece, time, parts));
  }
  return {};
}

void CommitLog::mark_if_idle(Timestamp now) {
  if (end() != idle_end_ || now < idle_since_) {  // a clock set back would have it wait for long
    idle_end_ = end();
    idle_since_ = now;
    return;
  }
  if (end() == marked_end_ || now - idle_since_ < kIdleAfter) return;
  if (writer_->buffered_bytes() > 0) {
    // A mark that found no room. Nobody else tries again: while the intake is closed for it,
    // nothing new comes.
    idle_since_ = now;
    if (commit()) marked_end_ = end();
    return;
  }
  if (durable() != end()) return;
  // Worth no word if it fails: the log is what it was without the mark.
  if (writer_->append_durable_mark(now) && !commit()) return;
  marked_end_ = end();
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

void CommitLog::sync_if_asked() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(sync_requested_, false) || sync_failure_) return;
  }
  (void)sync_once();  // remembers its failure
}

std::optional<Error> CommitLog::sync_failure() const {
  const std::lock_guard lock(mutex_);
  return sync_failure_;
}

void CommitLog::write_snapshot(log::Position position, WriteSections sections) {
  snapshot_tried_ = end();
  auto work = [this, position, sections = std::move(sections)]() mutable {
    if (const Status saved = save_snapshot(position, sections); !saved) {
      logger_.warning("log", "cannot write a snapshot: the log keeps all",
                      {{"directory", directory_}, {"error", saved.error().message}});
    }
  };
  if (options_.sync_place != SyncPlace::own_thread) return work();
  snapshot_.run(std::move(work));
}

Status CommitLog::write_snapshot_now(log::Position position, WriteSections sections) {
  snapshot_.wait();
  snapshot_tried_ = end();
  return save_snapshot(position, sections);
}

Status CommitLog::save_snapshot(log::Position position, WriteSections& sections) {
  FICUS_TRY(auto snapshot, log::SnapshotWriter::create(disk_, directory_, position));
  FICUS_TRY_VOID(sections(*snapshot));
  FICUS_TRY_VOID(snapshot->finish());
  snapshot.reset();
  last_snapshot_ = position.offset;
  return remove_what_is_covered();
}

Status CommitLog::remove_what_is_covered() {
  const std::lock_guard lock(files_mutex_);
  if (holds_ > 0) return {};  // the next snapshot does it
  FICUS_TRY(const log::SnapshotsKept kept, log::remove_old_snapshots(disk_, directory_));
  // With a single snapshot the log is kept whole: should that one be damaged, the log alone
  // suffices.
  if (kept.positions.size() < 2) return {};
  FICUS_TRY_VOID(writer_->truncate_before(kept.positions.front()));
  return {};
}

void CommitLog::hold_files() {
  const std::lock_guard lock(files_mutex_);
  ++holds_;
}

void CommitLog::release_files() {
  const std::lock_guard lock(files_mutex_);
  --holds_;
}

void CommitLog::Background::run(std::move_only_function<void()> work) {
  wait();
  busy_ = true;
  thread_ = std::thread([this, work = std::move(work)]() mutable {
    work();
    work = nullptr;  // what it holds goes before the next one begins
    busy_ = false;
  });
}

void CommitLog::Background::wait() {
  if (thread_.joinable()) thread_.join();
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
  snapshot_.wait();
  stop_thread();
  const Status closed = writer_->close(time);
  if (closed && on_progress_) on_progress_();
  return closed;
}

}  // namespace ficus
