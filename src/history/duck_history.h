#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "history/history.h"
#include "model/schema.h"

namespace ficus::history {

struct DuckHistoryOptions {
  std::string directory;  // made if missing; holds history.duckdb and a folder a type
  std::uint32_t shard_count = 1;

  std::uint64_t tail_rows_max = 4'000'000;       // then a type's tail is sealed
  Micros tail_age_max = Micros::from_hours(24);  // or when it is so old
  int retention_days = 0;  // sealed files older than this go; 0: kept for ever
  std::map<std::string, int> retention_days_by_type;  // overrides, by type name

  // So many small files of one time (compact.h) become one, of tail_rows_max rows at most.
  std::size_t compact_files_min = 8;
  Micros compact_span_max = Micros::from_hours(24 * 31);

  std::uint64_t quarantine_rows_max = 100'000;
  Micros quarantine_age_max = Micros::from_hours(24 * 30);

  std::uint64_t memory_bytes_max = std::uint64_t{1} << 30;  // of all of DuckDB
  std::uint64_t spill_bytes_max = std::uint64_t{8} << 30;   // sorting beyond memory, on disk
  std::uint32_t threads = 2;                                // DuckDB's workers
  std::uint32_t queries_max = 8;                            // at once; more are `overloaded`
  bool set_damaged_aside = true;  // false: a damaged database is an error, for tools that only look
  bool seal_in_background = true;  // false: within maintain(), for simulation and tests
  // What DuckDB's log and its file grow by, together, before a checkpoint.
  std::uint64_t checkpoint_bytes = std::uint64_t{256} << 20;
};

// Opens or creates the history in DuckDB (C API). Removes what a crash left behind and sets aside
// what is damaged; `report` says so. A damaged database is made anew from the sealed files; then
// the log has to be replayed from its begin, and rows that the files hold are left out. Every type
// of the schema has its view from then on, those declared later from the next maintain(). `schema`,
// `disk` and `clock` are borrowed and outlive the history. The disk must be the machine's: DuckDB
// reads and writes its files by itself.
Result<std::unique_ptr<History>> open_duck_history(const DuckHistoryOptions& options,
                                                   const Schema& schema, Disk& disk,
                                                   const Clock& clock, MaintenanceReport& report);

}  // namespace ficus::history
