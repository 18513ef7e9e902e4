#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "history/catalog.h"
#include "history/duck.h"
#include "history/history.h"

namespace ficus::history {

// Rows and where they go: for each column of the batch its column of the type.
struct PendingRows {
  Rows rows;
  bool is_placed = false;  // the type and the columns exist
  std::vector<std::uint32_t> column_of;
};

// Appends the kept rows of all of `pending`, which are of one type, to the type's active tail, in
// data chunks, within the connection's open transaction. Returns how many rows that were.
Result<std::uint64_t> append_rows(DuckConnection& connection, const HistoryType& type,
                                  std::span<const PendingRows* const> pending);

struct PendingQuarantine {
  std::string source;
  Timestamp received_at;
  QuarantinedItem item;
};

Status append_quarantine_rows(DuckConnection& connection,
                              std::span<const PendingQuarantine> pending);

}  // namespace ficus::history
