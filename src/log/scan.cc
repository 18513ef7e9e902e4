#include "log/scan.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/segment_reader.h"
#include "log/segments.h"

namespace ficus::log {
namespace {

// Look-alikes that fail their checksum are bytes hashed for nothing, so one search computes no more
// than this. Only a forger who knows the salt, or whose segment lost its header with the salt, ever
// gets that far.
constexpr std::uint64_t kWastedBytesMax = std::uint64_t{4} << 30;

class Scanner {
 public:
  Scanner(Disk& disk, const std::string& directory, Position verify_from, RecordVisitor& visitor)
      : disk_(disk), directory_(directory), verify_from_(verify_from), visitor_(visitor) {}

  Result<Scan> run() {
    FICUS_TRY(result_.segments, list_segments(disk_, directory_));
    if (!result_.segments.empty()) result_.end = result_.segments.front();
    for (std::size_t i = 0; i < result_.segments.size() && !result_.damage; ++i) {
      FICUS_TRY_VOID(scan_segment(i));
    }
    return std::move(result_);
  }

 private:
  Status scan_segment(std::size_t index) {
    const Position first = result_.segments[index];
    FICUS_TRY(const std::unique_ptr<SegmentReader> segment,
              SegmentReader::open(disk_, directory_, first));
    if (segment->header_fault()) {
      result_.damage = {first, index, segment->path(), 0, *segment->header_fault()};
      return {};
    }
    const SegmentHeader& header = segment->header();
    if (result_.salt && header.salt != *result_.salt) {
      const Fault fault{"salt of the segment", *result_.salt, header.salt, false};
      result_.damage = {first, index, segment->path(), 0, fault};
      return {};
    }
    result_.salt = header.salt;
    result_.durable = std::max(result_.durable, header.durable);
    FICUS_TRY(const Position data_end, segment->data_end());
    const bool last = index + 1 == result_.segments.size();
    const Position limit = last ? data_end : result_.segments[index + 1];
    if (!last && limit <= verify_from_ && data_end == limit) {
      result_.end = limit;
      return {};
    }
    return scan_records(*segment, index, data_end, limit);
  }

  Status scan_records(SegmentReader& segment, std::size_t index, Position data_end,
                      Position limit) {
    Position at = segment.first();
    std::optional<Fault> fault;
    while (at < limit) {
      FICUS_TRY(const SegmentReader::Outcome outcome, segment.read(at, limit, result_.salt));
      fault = outcome.fault;
      if (fault) break;
      FICUS_TRY_VOID(visitor_.visit(outcome.record));
      ++result_.records;
      result_.durable = std::max(result_.durable, outcome.record.durable);
      at = outcome.record.end;
    }
    result_.end = at;
    if (!fault && data_end > limit) {
      fault = Fault{"end of the segment, where the next begins", limit.offset, data_end.offset};
    }
    if (fault) result_.damage = {at, index, segment.path(), segment.file_offset(at), *fault};
    return {};
  }

  Disk& disk_;
  const std::string& directory_;
  const Position verify_from_;
  RecordVisitor& visitor_;
  Scan result_;
};

// Looks through one segment from `from` on for a record that says that the damage had been synced.
Result<std::optional<Witness>> search(SegmentReader& segment, Position from, const Scan& scan,
                                      std::uint64_t& wasted) {
  FICUS_TRY(const Position data_end, segment.data_end());
  for (Position at = from; at < data_end;) {
    FICUS_TRY(at, segment.find_candidate(at));
    if (at >= data_end) break;
    FICUS_TRY(const SegmentReader::Outcome outcome, segment.read(at, data_end, scan.salt));
    if (!outcome.fault) {
      if (outcome.record.durable > scan.damage->position) {
        return Witness{segment.path(), at, outcome.record.durable};
      }
      // Not into the payload of a sound record: what looks like a record in there is its sender's.
      at = outcome.record.end;
      continue;
    }
    wasted += outcome.hashed_bytes;
    if (wasted > kWastedBytesMax)
      return corrupt(*scan.damage, "too many look-alikes follow to tell");
    at = at + 1;
  }
  return std::nullopt;
}

}  // namespace

Result<Scan> scan(Disk& disk, const std::string& directory, Position verify_from,
                  RecordVisitor& visitor) {
  return Scanner(disk, directory, verify_from, visitor).run();
}

Result<std::optional<Witness>> find_witness(Disk& disk, const std::string& directory,
                                            const Scan& scan) {
  const Damage& damage = *scan.damage;
  std::uint64_t wasted = 0;
  for (std::size_t i = damage.segment; i < scan.segments.size(); ++i) {
    FICUS_TRY(const std::unique_ptr<SegmentReader> segment,
              SegmentReader::open(disk, directory, scan.segments[i]));
    Position from = segment->first();
    if (i > damage.segment && !segment->header_fault() &&
        segment->header().durable > damage.position) {
      return Witness{segment->path(), segment->first(), segment->header().durable};
    }
    if (i == damage.segment && damage.file_offset > 0) from = damage.position + 1;
    if (i == damage.segment && damage.file_offset == 0) {
      // The first record shares its sector with the header: a crash takes both or none of them.
      FICUS_TRY(const SegmentReader::Outcome outcome,
                segment->read(from, Position::max(), scan.salt));
      if (!outcome.fault) return Witness{segment->path(), from, outcome.record.durable};
    }
    FICUS_TRY(std::optional<Witness> witness, search(*segment, from, scan, wasted));
    if (witness) return witness;
  }
  return std::nullopt;
}

Status require_torn(Disk& disk, const std::string& directory, const Scan& scan,
                    Position known_durable) {
  const Damage& damage = *scan.damage;
  if (!damage.fault.crash_possible) return corrupt(damage, "no crash leaves that");
  if (known_durable > damage.position) {
    return corrupt(damage, fmt::format("everything up to position {} is known to have been synced",
                                       known_durable.offset));
  }
  if (damage.file_offset == 0 && damage.segment == 0 && damage.position > Position{}) {
    return corrupt(damage, "segments before it were removed, which waits until this one is synced");
  }
  FICUS_TRY(const std::optional<Witness> witness, find_witness(disk, directory, scan));
  if (witness) return corrupt(damage, describe(*witness));
  return {};
}

Result<std::uint64_t> bytes_behind(Disk& disk, const std::string& directory, const Scan& scan) {
  std::uint64_t bytes = 0;
  for (std::size_t i = scan.damage->segment; i < scan.segments.size(); ++i) {
    FICUS_TRY(const auto file,
              disk.open(segment_path(directory, scan.segments[i]), OpenMode::read));
    FICUS_TRY(const std::uint64_t size, file->size());
    const std::uint64_t kept = i == scan.damage->segment ? scan.damage->file_offset : 0;
    bytes += size > kept ? size - kept : 0;
  }
  return bytes;
}

std::string describe(const Damage& damage) {
  return fmt::format("{} at offset {} (position {}): {}", damage.file, damage.file_offset,
                     damage.position.offset, describe(damage.fault));
}

std::string describe(const Witness& witness) {
  return fmt::format(
      "the sound bytes at position {} in {} say that the log had been synced up to {}",
      witness.position.offset, witness.file, witness.durable.offset);
}

std::unexpected<Error> corrupt(const Damage& damage, const std::string& proof) {
  return fail(
      ErrorCode::corrupt,
      fmt::format("the log is damaged in the middle: {}; {}: restore the file from a copy, or "
                  "the device may be failing",
                  describe(damage), proof));
}

}  // namespace ficus::log
