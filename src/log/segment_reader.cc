#include "log/segment_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "log/little_endian.h"
#include "log/segments.h"

namespace ficus::log {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;
constexpr std::size_t kSearchBytes = 4096;
constexpr std::string_view kSegmentSuffix = ".log";
constexpr std::size_t kPositionDigits = 20;

}  // namespace

std::string segment_path(std::string_view directory, Position first) {
  return fmt::format("{}/{:020}{}", directory, first.offset, kSegmentSuffix);
}

std::uint64_t segment_file_bytes(Position first, Position end) {
  return kSegmentHeaderBytes + (end - first);
}

std::optional<Position> position_of_name(std::string_view name, std::string_view suffix) {
  if (name.size() != kPositionDigits + suffix.size() || !name.ends_with(suffix))
    return std::nullopt;
  Position position;
  const char* const begin = name.data();
  const char* const end = begin + kPositionDigits;
  const auto [stop, error] = std::from_chars(begin, end, position.offset);
  if (error != std::errc{} || stop != end || position.offset > INT64_MAX) return std::nullopt;
  return position;
}

Result<std::vector<Position>> list_segments(Disk& disk, const std::string& directory) {
  FICUS_TRY(const std::vector<std::string> names, disk.list(directory));
  std::vector<Position> segments;
  for (const std::string& name : names) {
    if (const auto first = position_of_name(name, kSegmentSuffix)) segments.push_back(*first);
  }
  std::sort(segments.begin(), segments.end());
  return segments;
}

Result<std::unique_ptr<SegmentReader>> SegmentReader::open(Disk& disk, std::string_view directory,
                                                           Position first) {
  std::string path = segment_path(directory, first);
  FICUS_TRY(std::unique_ptr<File> file, disk.open(path, OpenMode::read));
  std::unique_ptr<SegmentReader> reader(new SegmentReader(std::move(path), first, std::move(file)));
  FICUS_TRY(const std::span<const std::byte> bytes,
            reader->view(0, kSegmentHeaderBytes, kSegmentHeaderBytes));
  reader->header_fault_ = decode_segment_header(bytes, first, reader->header_);
  return reader;
}

Result<Position> SegmentReader::data_end() {
  FICUS_TRY(const std::uint64_t size, file_->size());
  return first_ + (std::max<std::uint64_t>(size, kSegmentHeaderBytes) - kSegmentHeaderBytes);
}

Result<std::span<const std::byte>> SegmentReader::view(std::uint64_t offset, std::size_t bytes,
                                                       std::uint64_t end) {
  const std::uint64_t wanted = std::min<std::uint64_t>(bytes, end > offset ? end - offset : 0);
  if (offset < buffer_offset_ || offset + wanted > buffer_offset_ + buffer_.size()) {
    // A garbage length must not make us allocate more than the file can fill.
    FICUS_TRY(const std::uint64_t size, file_->size());
    const std::uint64_t readable = std::max(std::min(size, end), offset) - offset;
    buffer_.resize(std::min<std::uint64_t>(readable, std::max<std::uint64_t>(wanted, kReadBytes)));
    buffer_offset_ = offset;
    auto got = file_->read_at(offset, buffer_);
    buffer_.resize(got.value_or(0));
    if (!got) return std::unexpected(std::move(got).error());
  }
  const std::size_t start = offset - buffer_offset_;
  const std::size_t count = std::min<std::uint64_t>(wanted, buffer_.size() - start);
  return std::span<const std::byte>(buffer_).subspan(start, count);
}

Result<SegmentReader::Outcome> SegmentReader::read(Position at, Position limit,
                                                   std::optional<std::uint32_t> salt) {
  return read(at, limit, salt, true);
}

Result<SegmentReader::Outcome> SegmentReader::read_damaged(Position at, Position limit,
                                                           std::optional<std::uint32_t> salt) {
  return read(at, limit, salt, false);
}

Result<SegmentReader::Outcome> SegmentReader::read(Position at, Position limit,
                                                   std::optional<std::uint32_t> salt,
                                                   bool checks_sum) {
  const std::uint64_t offset = file_offset(at);
  const std::uint64_t end =
      limit - first_ > UINT64_MAX - kSegmentHeaderBytes ? UINT64_MAX : file_offset(limit);
  Outcome outcome;
  FICUS_TRY(const std::span<const std::byte> head, view(offset, kRecordHeaderBytes, end));
  if (head.size() < kRecordHeaderBytes) {
    outcome.fault = Fault{"bytes of the record header", kRecordHeaderBytes, head.size()};
    return outcome;
  }
  RecordHeader header;
  outcome.fault = decode_record_header(head, at, salt, header);
  if (outcome.fault) return outcome;
  const std::size_t record_bytes = kRecordHeaderBytes + header.payload_bytes;
  FICUS_TRY(const std::span<const std::byte> bytes, view(offset, record_bytes, end));
  if (bytes.size() < record_bytes) {
    outcome.fault = Fault{"bytes of the record", record_bytes, bytes.size()};
    return outcome;
  }
  if (checks_sum) {
    outcome.hashed_bytes = record_bytes;
    outcome.fault = check_record_checksum(bytes);
    if (outcome.fault) return outcome;
  }
  outcome.salt = header.salt;
  outcome.record = {.kind = header.kind,
                    .time = header.time,
                    .position = at,
                    .end = at + record_bytes,
                    .durable = header.durable,
                    .payload = bytes.subspan(kRecordHeaderBytes)};
  return outcome;
}

Result<Position> SegmentReader::find_candidate(Position from) {
  FICUS_TRY(const Position data_end, this->data_end());
  for (Position at = from; at < data_end;) {
    FICUS_TRY(const std::span<const std::byte> bytes,
              view(file_offset(at), kSearchBytes, file_offset(data_end)));
    if (bytes.size() < kRecordHeaderBytes) break;
    const std::size_t last = bytes.size() - kRecordHeaderBytes;
    for (std::size_t i = 0; i <= last; ++i) {
      if (get_u64(bytes.data() + i + 8) == at.offset + i) return at + i;
    }
    at = at + (last + 1);
  }
  return data_end;
}

}  // namespace ficus::log
