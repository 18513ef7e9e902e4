#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "base/time.h"
#include "history/catalog.h"
#include "history/duck.h"
#include "history/sealer.h"

namespace ficus::history {

struct CompactLimits {
  std::size_t files_min = 8;   // so few are left alone
  std::uint64_t rows_max = 0;  // of the merged file; one with a quarter of this is not small
  Micros span_max;             // from its first reading to its last: retention deletes whole files
};

// Small files of one layout that lie next to each other in time and should become one: types that
// are seldom heard leave a small file a day, and every question opens all of them. Empty: none.
std::vector<SealedFile> files_to_merge(const HistoryType& type, const CompactLimits& limits);

// Writes the merged file: the same rows, sorted anew, each column of the same type. The files are
// compared with their checksums before, so that damage is not sealed again. As with seal_tail, the
// file is durable but not in the catalog.
Result<std::optional<SealedFile>> merge_files(DuckConnection& connection, Disk& disk,
                                              const std::string& directory, const SealJob& job);

}  // namespace ficus::history
