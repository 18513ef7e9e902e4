#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "log/record.h"
#include "log/recover.h"

namespace ficus::log {

// When the owner calls sync() and what it waits for before it acknowledges. The log itself has no
// timer.
enum class SyncPolicy : std::uint8_t {
  each_commit,  // acknowledged means synced: survives a power loss
  interval,  // acknowledged means written: survives kill -9; a power loss takes the last interval
  never,     // as interval, with the interval left to the operating system
};

struct LogOptions {
  std::uint64_t segment_bytes_max = std::uint64_t{256}
                                    << 20;  // a segment this full is followed by a new one
  std::size_t payload_bytes_max = kPayloadBytesLimit;  // a larger payload is refused
  std::size_t buffer_bytes_max = std::size_t{128}
                                 << 20;  // appended, not yet written; then overloaded
  // Any number that those who send us payloads cannot guess: main draws it once for a new log. It
  // is in every record, so that bytes inside a payload, or blocks of an older log, never pass for a
  // record.
  std::uint32_t salt = 0;
};

// The writing end of the log of one shard, owned by the shard. `disk` must outlive it.
//
//   append()  copies a record into the buffer and gives it its position     memory only
//   write()   hands the buffer to the file                                   survives kill -9 from
//   here sync()    brings everything written to the device                        survives power
//   loss from here
//
// Threads. One thread, the *writer thread*, calls append, append_durable_mark, write,
// discard_unwritten, close, end and buffered_bytes. Any thread may at any time call sync,
// durable_end, written_end, acknowledgeable_end, begin and truncate_before; typically one *sync
// thread* loops over sync() while the writer thread goes on appending into the next buffer. sync()
// blocks neither append() nor write(), nor does truncate_before(). Concurrent sync() calls are
// queued, and the later one usually finds its work done.
//
// Failures. A write() that fails (ErrorCode::disk_full on a full disk) leaves the log as it was
// before the call: the file is cut back to its last whole record, the buffer is kept and write()
// may be called again, or discard_unwritten() drops the buffer. If the process dies before the tail
// could be cut back, records of the failed write may be found by recover(), like any that were
// written and not acknowledged. A sync() that fails is final: Linux may have dropped the pages it
// could not write and would report success the next time. Every later write() and sync() returns
// the same error, durable_end() stays, and the process must stop, reopen and recover.
class LogWriter {
 public:
  // Continues the log that recover() found in `directory`. REQUIRES: nothing touched it since.
  static Result<std::unique_ptr<LogWriter>> open(Disk& disk, std::string directory,
                                                 const Recovered& recovered,
                                                 const LogOptions& options);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // ---- writer thread

  // Returns where the record begins; it ends at end(). The payload is the parts put together.
  // invalid_input if it is above payload_bytes_max, overloaded if the buffer has no room. REQUIRES:
  // kind != kDurableMark, kLost.
  Result<Position> append(RecordKind kind, Timestamp time,
                          std::span<const std::span<const std::byte>> parts);
  Result<Position> append(RecordKind kind, Timestamp time, std::span<const std::byte> payload);
  // Leaves a witness that everything up to durable_end() had been synced, so that damage to it is
  // told from a torn tail. Any later record is one; this is for a log that falls silent.
  Status append_durable_mark(Timestamp time);
  // Rolls to a new segment first if the present one is full. An empty buffer is fine.
  Status write();
  // Takes back every append since the last successful write().
  void discard_unwritten();
  // write, sync, durable mark, write, sync. The writer can be used on. The destructor does none of
  // this.
  Status close(Timestamp time);

  Position end() const { return end_; }
  std::size_t buffered_bytes() const { return buffer_.size(); }

  // ---- any thread

  // Everything written before the call is on the device when it returns the position it reached.
  Result<Position> sync();
  Position written_end() const { return {written_end_.load(std::memory_order_acquire)}; }
  Position durable_end() const { return {durable_end_.load(std::memory_order_acquire)}; }
  // Records that end here or before may be acknowledged.
  Position acknowledgeable_end(SyncPolicy policy) const;
  // Where the oldest segment begins.
  Position begin() const;
  // Removes the segments all of whose records end at or before `position`, oldest first, and
  // returns how many. The newest segment and whatever is not yet durable stay. A removal survives
  // power loss before the next is begun, so that a crash never leaves a gap.
  Result<std::uint64_t> truncate_before(Position position);

 private:
  LogWriter(Disk& disk, std::string directory, const Recovered& recovered,
            const LogOptions& options);

  Status append_record(RecordKind kind, Timestamp time,
                       std::span<const std::span<const std::byte>> parts);
  Status start_segment();
  Status restore_tail();
  Status final_error() const;
  std::unexpected<Error> fail_for_good(Error error);
  std::uint64_t active_file_bytes() const;

  Disk& disk_;
  const std::string directory_;
  const LogOptions options_;
  const std::uint32_t salt_;

  // Writer thread only.
  std::vector<std::byte> buffer_;
  Position end_;
  Position active_first_;     // where the active segment begins
  bool tail_broken_ = false;  // bytes of a failed write may stand behind the last whole record

  std::atomic<std::uint64_t> written_end_;
  std::atomic<std::uint64_t> durable_end_;

  std::mutex sync_mutex_;      // one sync at a time; taken before mutex_
  std::mutex truncate_mutex_;  // one truncation at a time; taken before mutex_
  // Guards what follows: held for a few instructions, never over I/O. A message would not do: the
  // sync thread must see the roll and the end of what was written in one piece.
  mutable std::mutex mutex_;
  std::shared_ptr<File> active_;
  std::vector<std::shared_ptr<File>> rolled_;  // full segments that no sync has covered yet
  bool directory_changed_ = false;             // a new segment whose name is not yet on the device
  std::vector<Position> segments_;
  std::optional<Error> sync_error_;
};

}  // namespace ficus::log
