#include "log/log_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/scan.h"
#include "log/snapshot.h"

namespace ficus::log {
namespace {

class Counter final : public RecordVisitor {
 public:
  explicit Counter(CheckReport& report) : report_(report) {}

  Status visit(const Record& record) override {
    if (report_.records == 0) report_.first_time = record.time;
    report_.last_time = record.time;
    report_.last_record = record.position;
    ++report_.records;
    report_.record_bytes += record.end - record.position;
    report_.payload_bytes += record.payload.size();
    ++report_.records_by_kind[static_cast<std::uint8_t>(record.kind)];
    return {};
  }

 private:
  CheckReport& report_;
};

// Returns the position of the newest sound snapshot.
Result<Position> check_snapshots(Disk& disk, const std::string& directory, CheckReport& report) {
  Position newest;
  FICUS_TRY(const std::vector<Position> positions, list_snapshots(disk, directory));
  for (const Position position : positions) {
    SnapshotCheck result;
    result.file = snapshot_path(directory, position);
    result.position = position;
    auto reader = SnapshotReader::open(disk, result.file);
    Status verified = reader ? (*reader)->verify() : Status(std::unexpected(reader.error()));
    if (verified) {
      result.bytes = (*reader)->file_bytes();
      result.sections = (*reader)->sections().size();
      newest = std::max(newest, position);
    } else {
      result.problem = verified.error().message;
      report.problems.push_back(result.problem);
    }
    report.snapshots.push_back(std::move(result));
  }
  return newest;
}

Status check_records(Disk& disk, const std::string& directory, Position known_durable,
                     CheckReport& report) {
  Counter counter(report);
  FICUS_TRY(const Scan scan, log::scan(disk, directory, Position{}, counter));
  report.segments = scan.segments.size();
  report.end = scan.end;
  report.begin = scan.segments.empty() ? scan.end : scan.segments.front();
  if (!scan.damage) {
    if (known_durable <= scan.end) return {};
    return fail(ErrorCode::corrupt,
                fmt::format("the log ends at position {}, before the snapshot at {}",
                            scan.end.offset, known_durable.offset));
  }
  FICUS_TRY_VOID(require_torn(disk, directory, scan, known_durable));
  report.torn_reason = describe(*scan.damage);
  FICUS_TRY(report.torn_bytes, bytes_behind(disk, directory, scan));
  return {};
}

}  // namespace

CheckReport check(Disk& disk, const std::string& directory) {
  CheckReport report;
  const Result<Position> newest = check_snapshots(disk, directory, report);
  if (!newest) report.problems.push_back(newest.error().message);
  const Status records = check_records(disk, directory, newest.value_or(Position{}), report);
  if (!records) report.problems.push_back(records.error().message);
  return report;
}

}  // namespace ficus::log
