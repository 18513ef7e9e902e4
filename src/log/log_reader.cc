#include "log/log_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "log/segment_reader.h"
#include "log/segments.h"

namespace ficus::log {

LogReader::LogReader(Disk& disk, std::string directory, Position from, Position until)
    : disk_(disk), directory_(std::move(directory)), position_(from), until_(until) {}

LogReader::~LogReader() = default;

Result<std::unique_ptr<LogReader>> LogReader::open(Disk& disk, std::string directory, Position from,
                                                   Position until) {
  std::unique_ptr<LogReader> reader(new LogReader(disk, std::move(directory), from, until));
  FICUS_TRY(const bool entered, reader->enter_segment());
  if (!entered) {
    if (from == Position{}) return reader;  // a log without segments is a new one
    return fail(ErrorCode::not_found,
                fmt::format("the log in {} has no position {}", reader->directory_, from.offset));
  }
  FICUS_TRY(const Position data_end, reader->segment_->data_end());
  if (from > std::min(data_end, reader->limit_)) {
    return fail(ErrorCode::not_found,
                fmt::format("the log in {} has no position {}: {} ends at {}", reader->directory_,
                            from.offset, reader->segment_->path(), data_end.offset));
  }
  return reader;
}

void LogReader::extend(Position until) {
  FICUS_CHECK(until >= until_);
  until_ = until;
}

Result<const Record*> LogReader::next() {
  while (position_ < until_) {
    if (!segment_ || position_ == limit_) {
      FICUS_TRY(const bool entered, enter_segment());
      if (!entered) return nullptr;
    }
    FICUS_TRY(const SegmentReader::Outcome outcome,
              segment_->read(position_, std::min(until_, limit_), segment_->header().salt));
    if (outcome.fault) {
      FICUS_TRY(const Position data_end, segment_->data_end());
      if (position_ < data_end) return corrupt(*outcome.fault);
      FICUS_TRY(const bool more, rolled());
      if (!more) return nullptr;
      continue;
    }
    record_ = outcome.record;
    position_ = record_.end;
    if (record_.kind != kDurableMark && record_.kind != kLost) return &record_;
  }
  return nullptr;
}

// Opens the segment that holds position_; false if there is none.
Result<bool> LogReader::enter_segment() {
  FICUS_TRY(const std::vector<Position> segments, list_segments(disk_, directory_));
  const auto after = std::upper_bound(segments.begin(), segments.end(), position_);
  if (after == segments.begin()) return false;
  if (segment_ && segment_->first() == *(after - 1)) return false;
  FICUS_TRY(segment_, SegmentReader::open(disk_, directory_, *(after - 1)));
  limit_ = after == segments.end() ? Position::max() : *after;
  if (segment_->header_fault()) {
    return fail(ErrorCode::corrupt,
                fmt::format("{}: {}", segment_->path(), describe(*segment_->header_fault())));
  }
  return true;
}

// At the end of the file: has the writer begun another segment since we entered this one? If so,
// and it does not begin here, records are missing.
Result<bool> LogReader::rolled() {
  if (limit_ == Position::max()) {
    FICUS_TRY(const std::vector<Position> segments, list_segments(disk_, directory_));
    const auto after = std::upper_bound(segments.begin(), segments.end(), segment_->first());
    if (after == segments.end()) return false;
    // What was written before the roll must be seen before the limit holds.
    limit_ = *after;
    return true;
  }
  return corrupt(
      Fault{"end of the segment, where the next begins", limit_.offset, position_.offset});
}

std::unexpected<Error> LogReader::corrupt(const Fault& fault) const {
  return fail(ErrorCode::corrupt,
              fmt::format("{} at offset {} (position {}): {}", segment_->path(),
                          segment_->file_offset(position_), position_.offset, describe(fault)));
}

Result<Position> replay(Disk& disk, const std::string& directory, Position from, Position until,
                        RecordVisitor& visitor) {
  FICUS_TRY(const std::unique_ptr<LogReader> reader, LogReader::open(disk, directory, from, until));
  for (;;) {
    FICUS_TRY(const Record* const record, reader->next());
    if (record == nullptr) return reader->position();
    FICUS_TRY_VOID(visitor.visit(*record));
  }
}

}  // namespace ficus::log
