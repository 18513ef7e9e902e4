#pragma once

#include <string>

#include "base/disk.h"
#include "base/result.h"
#include "base/time.h"
#include "history/history.h"

namespace ficus::history {

// Does the error say that the bytes of the database (or of its log) are not what was written? Not
// so: another process has it, a right is missing, the disk is full, it is of a newer DuckDB.
bool is_damage(const Error& error);

// Moves the database and its log to damaged/, under a name with the time, and says so in the
// report. REQUIRES: the database is closed.
Status set_database_aside(Disk& disk, const std::string& directory, const std::string& complaint,
                          Timestamp now, MaintenanceReport& report);

}  // namespace ficus::history
