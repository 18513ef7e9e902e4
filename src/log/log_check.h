#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/time.h"
#include "log/position.h"

namespace ficus::log {

struct SnapshotCheck {
  std::string file;
  Position position;
  std::uint64_t bytes = 0;
  std::uint64_t sections = 0;
  std::string problem;  // empty if it is sound
};

// What `ficus log check` tells. Counts cover the sound records before the first damage.
struct CheckReport {
  std::uint64_t segments = 0;
  std::uint64_t records = 0;
  std::uint64_t record_bytes = 0;  // with headers
  std::uint64_t payload_bytes = 0;
  std::array<std::uint64_t, 256> records_by_kind{};  // index: RecordKind; 0 are the log's own marks
  Position begin;
  Position end;          // of the last sound record
  Position last_record;  // where it begins
  Timestamp first_time;  // meaningful if records > 0
  Timestamp last_time;
  std::uint64_t torn_bytes = 0;  // what recover() would cut off
  std::string torn_reason;
  std::vector<SnapshotCheck> snapshots;  // oldest first
  // What recover() would refuse to open, what could not be read, and unsound snapshots.
  std::vector<std::string> problems;

  bool sound() const { return problems.empty(); }
};

// Reads every record and every snapshot of the directory and changes nothing. Beside a running
// writer the last records may show as a torn tail.
CheckReport check(Disk& disk, const std::string& directory);

}  // namespace ficus::log
