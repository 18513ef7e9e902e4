#pragma once

#include <memory>
#include <string>

#include "base/disk.h"
#include "base/result.h"
#include "log/record.h"

namespace ficus::log {

struct Fault;
class SegmentReader;

// Reads the records of a log in order. Memory is bounded: one sliding buffer that grows to the
// largest record at most (kPayloadBytesLimit). Used by one thread.
//
// A reader may run beside the LogWriter of the same directory as long as it stays below positions
// the writer has reported (`until` = LogWriter::durable_end(), raised as that advances): behind
// them a record may be half written. truncate_before() must not overtake a reader.
class LogReader {
 public:
  // Starts at `from`, which must be the begin or end of a record, and stops at `until` or, if that
  // comes first, at the end of the last segment. `disk` is borrowed for the life of the reader.
  // Fails with not_found if `from` is before the first or behind the last segment.
  static Result<std::unique_ptr<LogReader>> open(Disk& disk, std::string directory, Position from,
                                                 Position until = Position::max());
  ~LogReader();
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  // The next record, or null at the end (call again after extend()). The pointer and the payload
  // are valid until the next call. A record that is not what was written is ErrorCode::corrupt with
  // file, offset, what was expected and what was found; the reader then stays where it is.
  Result<const Record*> next();

  // Where the next record begins.
  Position position() const { return position_; }
  // Moves the end forward. REQUIRES: until >= the present one.
  void extend(Position until);

 private:
  LogReader(Disk& disk, std::string directory, Position from, Position until);
  Result<bool> enter_segment();
  Result<bool> rolled();
  std::unexpected<Error> corrupt(const Fault& fault) const;

  Disk& disk_;
  const std::string directory_;
  Position position_;
  Position until_;
  std::unique_ptr<SegmentReader> segment_;
  Position limit_;  // where the segment after segment_ begins, or max
  Record record_;
};

// Shows the visitor every record from `from` to `until`. Returns where it stopped.
Result<Position> replay(Disk& disk, const std::string& directory, Position from, Position until,
                        RecordVisitor& visitor);

}  // namespace ficus::log
