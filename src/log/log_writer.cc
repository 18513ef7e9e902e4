#include "log/log_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/planted.h"
#include "log/format.h"
#include "log/segments.h"

namespace ficus::log {
namespace {

// A buffer that one burst made larger than this is given back once it is written.
constexpr std::size_t kBufferBytesKept = std::size_t{8} << 20;

}  // namespace

LogWriter::LogWriter(Disk& disk, std::string directory, const Recovered& recovered,
                     const LogOptions& options)
    : disk_(disk),
      directory_(std::move(directory)),
      options_(options),
      salt_(recovered.segments.empty() ? options.salt : recovered.salt),
      end_(recovered.end),
      written_end_(recovered.end.offset),
      durable_end_(recovered.end.offset),
      segments_(recovered.segments) {}

Result<std::unique_ptr<LogWriter>> LogWriter::open(Disk& disk, std::string directory,
                                                   const Recovered& recovered,
                                                   const LogOptions& options) {
  std::unique_ptr<LogWriter> writer(new LogWriter(disk, std::move(directory), recovered, options));
  if (recovered.segments.empty()) {
    FICUS_TRY_VOID(writer->start_segment());
    // All of this now, not at the first sync(): without the header the salt is unknown, and with it
    // which records are ours; were the name lost and that of a second segment kept, the log would
    // look truncated.
    FICUS_TRY_VOID(writer->active_->sync());
    FICUS_TRY_VOID(disk.sync_directory(writer->directory_));
    FICUS_TRY_VOID(disk.sync_directory(parent_directory(writer->directory_)));
    return writer;
  }
  writer->active_first_ = recovered.segments.back();
  const std::string path = segment_path(writer->directory_, writer->active_first_);
  FICUS_TRY(writer->active_, disk.open(path, OpenMode::append));
  FICUS_TRY(const std::uint64_t bytes, writer->active_->size());
  if (bytes != writer->active_file_bytes()) {
    return fail(ErrorCode::conflict,
                fmt::format("{} has {} bytes, but had {} when it was recovered: is another process "
                            "using this log?",
                            path, bytes, writer->active_file_bytes()));
  }
  return writer;
}

// ---- writer thread

Result<Position> LogWriter::append(RecordKind kind, Timestamp time,
                                   std::span<const std::span<const std::byte>> parts) {
  FICUS_CHECK(kind != kDurableMark && kind != kLost);
  const Position begin = end_;
  FICUS_TRY_VOID(append_record(kind, time, parts));
  return begin;
}

Result<Position> LogWriter::append(RecordKind kind, Timestamp time,
                                   std::span<const std::byte> payload) {
  return append(kind, time, std::span(&payload, 1));
}

Status LogWriter::append_durable_mark(Timestamp time) {
  return append_record(kDurableMark, time, {});
}

Status LogWriter::append_record(RecordKind kind, Timestamp time,
                                std::span<const std::span<const std::byte>> parts) {
  std::size_t payload_bytes = 0;
  for (const auto part : parts) payload_bytes += part.size();
  if (payload_bytes > std::min(options_.payload_bytes_max, kPayloadBytesLimit)) {
    return invalid(fmt::format("a log record of {} bytes is above the limit of {}", payload_bytes,
                               std::min(options_.payload_bytes_max, kPayloadBytesLimit)));
  }
  const std::size_t record_bytes = kRecordHeaderBytes + payload_bytes;
  const std::size_t start = buffer_.size();
  // One record always fits, or a limit set too low would refuse it for ever.
  if (start > 0 && record_bytes + start > options_.buffer_bytes_max) {
    return fail(ErrorCode::overloaded,
                fmt::format("the log holds {} bytes that are not written yet, the limit is {}",
                            start, options_.buffer_bytes_max));
  }
  buffer_.resize(start + kRecordHeaderBytes);
  for (const auto part : parts) buffer_.insert(buffer_.end(), part.begin(), part.end());
  seal_record({.payload_bytes = static_cast<std::uint32_t>(payload_bytes),
               .position = end_,
               .durable = durable_end(),
               .time = time,
               .salt = salt_,
               .kind = kind},
              std::span(buffer_).subspan(start));
  end_ = end_ + record_bytes;
  return {};
}

Status LogWriter::write() {
  FICUS_TRY_VOID(final_error());
  if (buffer_.empty()) return {};
  FICUS_TRY_VOID(restore_tail());
  if (written_end() - active_first_ >= options_.segment_bytes_max) FICUS_TRY_VOID(start_segment());
  if (Status written = active_->append(buffer_); !written) {
    tail_broken_ = true;
    // If this fails too, the next write() tries again before it adds anything.
    static_cast<void>(restore_tail());
    return in_context("log not written: ", std::move(written).error());
  }
  written_end_.store(end_.offset, std::memory_order_release);
  buffer_.clear();
  if (buffer_.capacity() > kBufferBytesKept) buffer_ = {};
  return {};
}

void LogWriter::discard_unwritten() {
  buffer_.clear();
  end_ = written_end();
}

Status LogWriter::close(Timestamp time) {
  FICUS_TRY_VOID(write());
  FICUS_TRY_VOID(sync());
  FICUS_TRY_VOID(append_durable_mark(time));
  FICUS_TRY_VOID(write());
  FICUS_TRY_VOID(sync());
  return {};
}

Status LogWriter::restore_tail() {
  if (!tail_broken_) return {};
  FICUS_TRY_VOID(active_->truncate(active_file_bytes()));
  // The bytes of the failed write must not come back behind what is written next, as they could if
  // the power failed before the truncation reached the device: whole records may be among them.
  if (Status synced = active_->sync(); !synced) return fail_for_good(std::move(synced).error());
  tail_broken_ = false;
  return {};
}

Status LogWriter::start_segment() {
  const Position first = written_end();
  const std::string path = segment_path(directory_, first);
  std::array<std::byte, kSegmentHeaderBytes> header{};
  encode_segment_header({.first = first, .durable = durable_end(), .salt = salt_}, header);
  FICUS_TRY(std::shared_ptr<File> file, disk_.open(path, OpenMode::create));
  if (Status written = file->append(header); !written) {
    static_cast<void>(disk_.remove(path));  // a leftover is a torn tail, or emptied by the next try
    return in_context("log segment not begun: ", std::move(written).error());
  }
  active_first_ = first;
  const std::lock_guard lock(mutex_);
  if (active_) rolled_.push_back(std::move(active_));
  active_ = std::move(file);
  directory_changed_ = true;
  segments_.push_back(first);
  return {};
}

std::uint64_t LogWriter::active_file_bytes() const {
  return kSegmentHeaderBytes + (written_end() - active_first_);
}

// ---- any thread

Result<Position> LogWriter::sync() {
  const std::lock_guard one_at_a_time(sync_mutex_);
  std::vector<std::shared_ptr<File>> files;
  bool directory_changed = false;
  Position target;
  {
    const std::lock_guard lock(mutex_);
    if (sync_error_) return std::unexpected(*sync_error_);
    // The writer stores written_end_ only after the bytes, and these only after the roll, which
    // takes the lock: so every byte before `target` is in one of these files.
    target = written_end();
    if (target == durable_end() && !directory_changed_) return target;
    files = std::exchange(rolled_, {});
    files.push_back(active_);
    directory_changed = std::exchange(directory_changed_, false);
  }
  for (const std::shared_ptr<File>& file : files) {
    if (Status synced = file->sync(); !synced) return fail_for_good(std::move(synced).error());
  }
  if (directory_changed && !FICUS_PLANTED(segment_name_not_synced)) {
    if (Status synced = disk_.sync_directory(directory_); !synced) {
      return fail_for_good(std::move(synced).error());
    }
  }
  durable_end_.store(target.offset, std::memory_order_release);
  return target;
}

std::unexpected<Error> LogWriter::fail_for_good(Error error) {
  error.message.insert(0, "log not synced, restart to recover: ");
  const std::lock_guard lock(mutex_);
  if (!sync_error_) sync_error_ = std::move(error);
  return std::unexpected(*sync_error_);
}

Status LogWriter::final_error() const {
  const std::lock_guard lock(mutex_);
  if (sync_error_) return std::unexpected(*sync_error_);
  return {};
}

Position LogWriter::acknowledgeable_end(SyncPolicy policy) const {
  if (FICUS_PLANTED(acknowledge_before_sync)) return written_end();
  return policy == SyncPolicy::each_commit ? durable_end() : written_end();
}

Position LogWriter::begin() const {
  const std::lock_guard lock(mutex_);
  return segments_.front();
}

Result<std::uint64_t> LogWriter::truncate_before(Position position) {
  const std::lock_guard one_at_a_time(truncate_mutex_);
  for (std::uint64_t removed = 0;; ++removed) {
    Position oldest;
    {
      const std::lock_guard lock(mutex_);
      if (segments_.size() < 2) return removed;
      oldest = segments_[0];
      const Position next = segments_[1];
      // Something in the next segment is durable: then its header and its name are too, and the log
      // cannot be left without any segment to say where it stands.
      if (next > position || next >= durable_end()) return removed;
    }
    // Gone already if the sync of the directory failed the last time.
    const Status gone = disk_.remove(segment_path(directory_, oldest));
    if (!gone && gone.error().code != ErrorCode::not_found) return std::unexpected(gone.error());
    FICUS_TRY_VOID(disk_.sync_directory(directory_));
    const std::lock_guard lock(mutex_);
    segments_.erase(segments_.begin());
  }
}

}  // namespace ficus::log
