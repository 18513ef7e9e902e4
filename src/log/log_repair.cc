#include "log/log_repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "log/scan.h"
#include "log/segment_reader.h"
#include "log/segments.h"
#include "log/snapshot.h"

namespace ficus::log {
namespace {

constexpr std::size_t kCopyBytes = std::size_t{1} << 20;
// As in scan.cc: look-alikes that fail their checksum are bytes hashed for nothing.
constexpr std::uint64_t kWastedBytesMax = std::uint64_t{4} << 30;
constexpr std::string_view kDamagedSuffix = ".damaged";

class NoVisitor final : public RecordVisitor {
 public:
  Status visit(const Record&) override { return {}; }
};

// Records that stay, or positions whose records are gone.
struct Piece {
  Position begin;
  Position end;
  bool is_lost = false;
};

// One segment as it is to be.
struct Plan {
  Position first;
  std::vector<Piece> pieces;  // without gaps, from `first`
  bool is_new = false;        // there is no file to copy from
  bool must_rewrite = false;
};

class Repairer {
 public:
  Repairer(Disk& disk, const std::string& directory, const RepairOptions& options,
           RecordVisitor& lost)
      : disk_(disk), directory_(directory), options_(options), lost_(lost) {}

  Result<RepairReport> run() {
    FICUS_TRY_VOID(finish_interrupted());
    FICUS_TRY_VOID(look_at_snapshots());
    FICUS_TRY(segments_, list_segments(disk_, directory_));
    known_ = std::max(options_.known_durable, report_.snapshot);
    FICUS_TRY(const bool is_fine, is_fine_as_it_is());
    if (!is_fine) {
      FICUS_TRY_VOID(find_salt());
      FICUS_TRY_VOID(plan());
    }
    if (!options_.dry_run) FICUS_TRY_VOID(carry_out());
    return std::move(report_);
  }

 private:
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  // ---- what there is

  // All copies were complete before the first took its place.
  Status finish_interrupted() {
    FICUS_TRY(const std::vector<std::string> names, disk_.list(directory_));
    for (const std::string& name : names) {
      if (!name.ends_with(kRepairedSuffix)) continue;
      if (options_.dry_run) {
        return fail(ErrorCode::conflict,
                    fmt::format("{}: a repair was interrupted: run it again without --dry-run",
                                path(name)));
      }
      const std::string place = path(name.substr(0, name.size() - kRepairedSuffix.size()));
      if (disk_.exists(place)) {
        FICUS_TRY_VOID(disk_.remove(path(name)));
      } else {
        FICUS_TRY_VOID(disk_.rename(path(name), place));
      }
    }
    return disk_.sync_directory(directory_);
  }

  Status look_at_snapshots() {
    FICUS_TRY(const std::vector<Position> positions, list_snapshots(disk_, directory_));
    for (const Position at : positions) {
      const auto reader = SnapshotReader::open(disk_, snapshot_path(directory_, at));
      const Status sound = reader ? (*reader)->verify() : Status(std::unexpected(reader.error()));
      if (sound) {
        report_.snapshot = at;
        report_.has_snapshot = true;
        sound_snapshots_.push_back(at);
      } else {
        to_set_aside_.push_back(snapshot_path(directory_, at));
      }
    }
    return {};
  }

  // Whether recover() would open the log, and nothing is to be given up.
  Result<bool> is_fine_as_it_is() {
    NoVisitor visitor;
    FICUS_TRY(const Scan scan, log::scan(disk_, directory_, {}, visitor));
    report_.begin = scan.segments.empty() ? scan.end : scan.segments.front();
    report_.end = scan.end;
    if (scan.damage && !scan.damage->fault.crash_possible)
      return corrupt(*scan.damage, "no crash leaves that");
    if (options_.from_snapshot) return false;
    if (report_.begin > report_.snapshot) return false;
    if (!scan.damage) return scan.end >= known_;
    if (!require_torn(disk_, directory_, scan, known_)) return false;
    report_.torn_reason = describe(*scan.damage);
    FICUS_TRY(report_.torn_bytes, bytes_behind(disk_, directory_, scan));
    return true;
  }

  Status find_salt() {
    for (const Position first : segments_) {
      FICUS_TRY(const auto segment, SegmentReader::open(disk_, directory_, first));
      if (!segment->header_fault()) {
        salt_ = segment->header().salt;
        return {};
      }
    }
    // The first record, which stands right behind a header, tells it, too.
    for (const Position first : segments_) {
      FICUS_TRY(const auto segment, SegmentReader::open(disk_, directory_, first));
      FICUS_TRY(const SegmentReader::Outcome outcome,
                segment->read(first, Position::max(), std::nullopt));
      if (outcome.fault) continue;
      salt_ = outcome.salt;
      return {};
    }
    if (segments_.empty()) return {};
    return fail(ErrorCode::corrupt,
                fmt::format("no segment in {} has a sound header or a sound first record: restore "
                            "a backup",
                            directory_));
  }

  // ---- what is to be

  Status plan() {
    Position begin = report_.snapshot;
    if (!report_.has_snapshot && !segments_.empty() && segments_.front() > Position{}) {
      return fail(ErrorCode::corrupt,
                  fmt::format("the log in {} begins at position {}, and no sound snapshot tells "
                              "what was before: restore a backup",
                              directory_, segments_.front().offset));
    }
    if (segments_.empty()) {
      if (known_ == Position{}) return {};
      add_missing(begin, known_);
    } else if (segments_.front() > begin) {
      add_missing(begin, segments_.front());
    }
    for (std::size_t i = 0; i < segments_.size(); ++i) FICUS_TRY_VOID(plan_segment(i));
    report_.end =
        plans_.back().pieces.empty() ? plans_.back().first : plans_.back().pieces.back().end;
    report_.begin = plans_.front().first;
    return {};
  }

  void add_missing(Position begin, Position end) {
    Plan plan{.first = begin, .pieces = {}, .is_new = true, .must_rewrite = true};
    LostRange range{.file = segment_path(directory_, begin),
                    .begin = begin,
                    .end = end,
                    .reason = "the file is missing"};
    add_lost(plan, std::move(range));
    plans_.push_back(std::move(plan));
  }

  Status plan_segment(std::size_t index) {
    const bool is_last = index + 1 == segments_.size();
    FICUS_TRY(const auto segment, SegmentReader::open(disk_, directory_, segments_[index]));
    FICUS_TRY(const Position data_end, segment->data_end());
    const Position limit = is_last ? data_end : segments_[index + 1];
    Plan plan{.first = segment->first(), .pieces = {}};
    plan.must_rewrite = segment->header_fault().has_value() || data_end > limit;
    Position at = segment->first();
    while (at < limit) {
      FICUS_TRY(const SegmentReader::Outcome outcome, segment->read(at, limit, salt_));
      if (!outcome.fault && !is_given_up(at)) {
        keep(plan, outcome.record);
        at = outcome.record.end;
        continue;
      }
      FICUS_TRY(const std::optional<Position> next,
                is_given_up(at) ? std::optional<Position>{}
                                : find_sound(*segment, at, std::min(limit, data_end)));
      if (!next && is_last && !is_given_up(at)) break;
      LostRange range{.file = segment->path(), .begin = at, .end = next.value_or(limit)};
      range.reason = outcome.fault ? describe(*outcome.fault) : "given up";
      FICUS_TRY(range.records, show_lost(*segment, range));
      at = range.end;
      add_lost(plan, std::move(range));
    }
    if (is_last) finish_tail(plan, at, data_end);
    plans_.push_back(std::move(plan));
    return {};
  }

  // What cannot be read behind the last sound record: gone if it was durable, else a torn tail.
  void finish_tail(Plan& plan, Position at, Position data_end) {
    if (data_end > at) {
      plan.must_rewrite = true;
      report_.torn_bytes = at < known_ ? 0 : data_end - at;
    }
    if (at >= known_) return;
    add_lost(plan, {.file = segment_path(directory_, plan.first),
                    .begin = at,
                    .end = known_,
                    .reason = "the log ends before what is known to have been synced"});
  }

  bool is_given_up(Position at) const { return options_.from_snapshot && at >= report_.snapshot; }

  Result<std::optional<Position>> find_sound(SegmentReader& segment, Position damage,
                                             Position limit) {
    // What replaces the damage is a record, and needs room for its header.
    for (Position at = damage + kRecordHeaderBytes; at < limit; at = at + 1) {
      FICUS_TRY(at, segment.find_candidate(at));
      if (at >= limit) break;
      FICUS_TRY(const SegmentReader::Outcome outcome, segment.read(at, limit, salt_));
      if (!outcome.fault) return std::optional(at);
      wasted_ += outcome.hashed_bytes;
      if (wasted_ > kWastedBytesMax) {
        return fail(ErrorCode::corrupt,
                    segment.path() + ": too many look-alikes follow the damage");
      }
    }
    return std::optional<Position>();
  }

  void keep(Plan& plan, const Record& record) {
    if (plan.pieces.empty() || plan.pieces.back().is_lost) {
      plan.pieces.push_back({record.position, record.position, false});
      if (!report_.lost.empty() && report_.lost.back().end == record.position) {
        report_.lost.back().after = record.time;
      }
    }
    plan.pieces.back().end = record.end;
    newest_ = record.time;
  }

  void add_lost(Plan& plan, LostRange range) {
    range.before = newest_;
    range.is_covered = report_.has_snapshot && range.end <= report_.snapshot;
    plan.must_rewrite = true;
    // A snapshot's position must stay a place where a record begins.
    Position at = range.begin;
    for (const Position snapshot : sound_snapshots_) {
      if (snapshot <= at || snapshot >= range.end) continue;
      plan.pieces.push_back({at, snapshot, true});
      at = snapshot;
    }
    plan.pieces.push_back({at, range.end, true});
    report_.lost.push_back(std::move(range));
  }

  // Follows the headers through what is lost, as long as they make sense.
  Result<std::uint64_t> show_lost(SegmentReader& segment, const LostRange& range) {
    std::uint64_t count = 0;
    for (Position at = range.begin; at < range.end;) {
      FICUS_TRY(const SegmentReader::Outcome outcome, segment.read_damaged(at, range.end, salt_));
      if (outcome.fault) break;
      ++count;
      if (outcome.record.kind != kDurableMark) FICUS_TRY_VOID(lost_.visit(outcome.record));
      at = outcome.record.end;
    }
    return count;
  }

  // ---- doing it

  Status carry_out() {
    for (const Plan& plan : plans_) {
      if (plan.must_rewrite) FICUS_TRY_VOID(write_copy(plan));
    }
    FICUS_TRY_VOID(disk_.sync_directory(directory_));
    for (const std::string& file : to_set_aside_) FICUS_TRY_VOID(set_aside(file));
    for (const Plan& plan : plans_) {
      if (!plan.must_rewrite) continue;
      const std::string place = segment_path(directory_, plan.first);
      if (!plan.is_new) FICUS_TRY_VOID(set_aside(place));
      FICUS_TRY_VOID(disk_.rename(place + std::string(kRepairedSuffix), place));
    }
    return disk_.sync_directory(directory_);
  }

  Status set_aside(const std::string& file) {
    std::string kept = file + std::string(kDamagedSuffix);
    for (int n = 2; disk_.exists(kept); ++n) kept = fmt::format("{}{}-{}", file, kDamagedSuffix, n);
    FICUS_TRY_VOID(disk_.rename(file, kept));
    report_.set_aside.push_back(fmt::format("{}, kept as {}", file, kept));
    return {};
  }

  Status write_copy(const Plan& plan) {
    const std::string place = segment_path(directory_, plan.first);
    std::unique_ptr<File> from;
    if (!plan.is_new) {
      FICUS_TRY(from, disk_.open(place, OpenMode::read));
    }
    FICUS_TRY(const std::unique_ptr<File> to,
              disk_.open(place + std::string(kRepairedSuffix), OpenMode::create));
    std::array<std::byte, kSegmentHeaderBytes> header{};
    encode_segment_header({.first = plan.first, .durable = plan.first, .salt = salt_}, header);
    FICUS_TRY_VOID(to->append(header));
    for (const Piece& piece : plan.pieces) {
      if (piece.is_lost) {
        FICUS_TRY_VOID(write_lost(*to, piece));
      } else {
        FICUS_TRY_VOID(copy(*from, *to, kSegmentHeaderBytes + (piece.begin - plan.first),
                            piece.end - piece.begin));
      }
    }
    return to->sync();
  }

  static Status copy(File& from, File& to, std::uint64_t offset, std::uint64_t bytes) {
    std::vector<std::byte> buffer(kCopyBytes);
    while (bytes > 0) {
      const auto wanted = std::span(buffer).first(std::min<std::uint64_t>(bytes, kCopyBytes));
      FICUS_TRY(const std::size_t count, from.read_at(offset, wanted));
      if (count == 0)
        return fail(ErrorCode::unavailable, "a file became shorter while it was read");
      FICUS_TRY_VOID(to.append(std::span(buffer).first(count)));
      offset += count;
      bytes -= count;
    }
    return {};
  }

  // Records without content for all of the positions.
  Status write_lost(File& to, const Piece& piece) {
    constexpr std::uint64_t kLargest = kRecordHeaderBytes + kPayloadBytesLimit;
    std::vector<std::byte> record;
    for (Position at = piece.begin; at < piece.end;) {
      std::uint64_t bytes = std::min(piece.end - at, kLargest);
      const std::uint64_t rest = piece.end - at - bytes;
      if (rest > 0 && rest < kRecordHeaderBytes) bytes -= kRecordHeaderBytes;
      record.assign(bytes, std::byte{});
      seal_record({.payload_bytes = static_cast<std::uint32_t>(bytes - kRecordHeaderBytes),
                   .position = at,
                   .durable = at,
                   .time = newest_.value_or(Timestamp{}),
                   .salt = salt_,
                   .kind = kLost},
                  record);
      FICUS_TRY_VOID(to.append(record));
      at = at + bytes;
    }
    return {};
  }

  Disk& disk_;
  const std::string& directory_;
  const RepairOptions options_;
  RecordVisitor& lost_;
  RepairReport report_;
  std::vector<Position> segments_;
  std::vector<Position> sound_snapshots_;  // ascending
  std::vector<std::string> to_set_aside_;
  std::vector<Plan> plans_;
  std::uint32_t salt_ = 0;
  Position known_;
  std::optional<Timestamp> newest_;
  std::uint64_t wasted_ = 0;
};

}  // namespace

Result<RepairReport> repair(Disk& disk, const std::string& directory, const RepairOptions& options,
                            RecordVisitor& lost) {
  return Repairer(disk, directory, options, lost).run();
}

}  // namespace ficus::log
