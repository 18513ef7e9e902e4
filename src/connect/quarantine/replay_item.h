#pragma once

#include <string>

#include "base/result.h"
#include "connect/ingest/source_set.h"
#include "model/source_batch.h"

namespace ficus::connect {

// A quarantined item as history has it.
struct StoredItem {
  std::string id;
  std::string source;
  Timestamp received_at;
  std::string key;
  std::string reason;
  std::string bytes;
};

// Maps the item's bytes as its source is declared now, as if they had been received when they were,
// so that replaying twice yields the same rows twice, which the twin knows as duplicates.
// An error, and nothing, if the bytes still do not fit (the message is the new reason), or if the
// source is gone or has no mapping.
Result<SourceBatch> replay_item(const StoredItem& item, const SourceSet& sources);

}  // namespace ficus::connect
