#pragma once

#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "history/catalog.h"
#include "history/duck.h"
#include "history/history.h"

namespace ficus::history {

// What a sealed file says of itself in its Parquet key-value metadata, so that the catalog can be
// made anew from the files: type, view, columns, times, the stretches of the log that its rows come
// from, and for a merged file which files it replaces. As an SQL struct for COPY ... KV_METADATA.
std::string sealed_metadata(const HistoryType& type, const SealedFile& file,
                            const std::vector<std::string>& merged);

// The types and files of a directory whose database is new. Every file is read whole; one that
// cannot be, or says nothing of itself, is set aside and named in the report. Of a merged file and
// those that it replaces (a crash came before they were deleted) only the merged one counts.
Result<std::vector<HistoryType>> find_sealed_files(DuckConnection& connection, Disk& disk,
                                                   const std::string& directory,
                                                   MaintenanceReport& report);

}  // namespace ficus::history
