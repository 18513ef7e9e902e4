#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "log/format.h"

// Segment files as they lie in the directory. Internal to this module.
namespace ficus::log {

// The position in a name of 20 digits plus `suffix`; nullopt for any other name, and for a number
// above INT64_MAX, which no log lives to reach, so that sums of positions never overflow.
std::optional<Position> position_of_name(std::string_view name, std::string_view suffix);

// Reads records of one segment at any position through a sliding buffer. Used by one thread.
class SegmentReader {
 public:
  // Fails only if the file cannot be read: a bad header is `header_fault`.
  static Result<std::unique_ptr<SegmentReader>> open(Disk& disk, std::string_view directory,
                                                     Position first);

  struct Outcome {
    Record record;  // sound if there is no fault; borrows from the reader
    std::optional<Fault> fault;
    std::uint64_t hashed_bytes = 0;
    std::uint32_t salt = 0;  // as the record has it
  };
  // Reads the record at `at`, which must end at or before `limit`; nothing behind the limit is
  // looked at or kept. REQUIRES: first() <= at.
  Result<Outcome> read(Position at, Position limit, std::optional<std::uint32_t> salt);

  // The same without the checksum: what a record whose header makes sense would be.
  Result<Outcome> read_damaged(Position at, Position limit, std::optional<std::uint32_t> salt);

  // Looks for the next offset at or behind `from` where the bytes say that a record of this very
  // position begins; data_end() if there is none.
  Result<Position> find_candidate(Position from);

  // Asks the file how far it reaches now.
  Result<Position> data_end();

  const std::string& path() const { return path_; }
  Position first() const { return first_; }
  std::uint64_t file_offset(Position at) const { return kSegmentHeaderBytes + (at - first_); }
  const std::optional<Fault>& header_fault() const { return header_fault_; }
  const SegmentHeader& header() const { return header_; }

 private:
  SegmentReader(std::string path, Position first, std::unique_ptr<File> file)
      : path_(std::move(path)), first_(first), file_(std::move(file)) {}
  Result<Outcome> read(Position at, Position limit, std::optional<std::uint32_t> salt,
                       bool checks_sum);
  // Up to `bytes` bytes from `offset` on, fewer only if `end` or the file does not reach as far.
  Result<std::span<const std::byte>> view(std::uint64_t offset, std::size_t bytes,
                                          std::uint64_t end);

  const std::string path_;
  const Position first_;
  const std::unique_ptr<File> file_;
  std::optional<Fault> header_fault_;
  SegmentHeader header_;
  std::vector<std::byte> buffer_;
  std::uint64_t buffer_offset_ = 0;  // of buffer_[0] in the file
};

}  // namespace ficus::log
