#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/disk.h"
#include "base/result.h"
#include "base/time.h"
#include "history/history.h"

namespace ficus::history {

// Does the error say that the bytes of the database (or of its log) are not what was written? Not
// so: another process has it, a right is missing, the disk is full, it is of a newer DuckDB.
bool is_damage(const Error& error);

// Where DuckDB's complaint says that an entry of its write-ahead log begins that does not check
// out.
std::optional<std::uint64_t> torn_entry(const Error& error);

// Cuts DuckDB's write-ahead log there, keeps what is cut off in damaged/, and says so in the
// report.
//
// Each commit syncs the log, so an entry that a sync has covered is whole. What a power loss leaves
// behind the last sync may be anything, zeroes above all; DuckDB bears a log that ends early, but
// refuses one whose last entries are wrong. Whatever was behind the cut, the position that is
// stored with the rows tells from where the engine's log must give them again.
// REQUIRES: the database is closed.
Status cut_write_ahead_log(Disk& disk, const std::string& directory, std::uint64_t at,
                           Timestamp now, MaintenanceReport& report);

// Moves the database and its log to damaged/, under a name with the time, and says so in the
// report. REQUIRES: the database is closed.
Status set_database_aside(Disk& disk, const std::string& directory, const std::string& complaint,
                          Timestamp now, MaintenanceReport& report);

}  // namespace ficus::history
