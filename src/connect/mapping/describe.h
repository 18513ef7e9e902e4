#pragma once

#include <string>

#include "model/schema.h"
#include "model/source_batch.h"

namespace ficus::connect {

// What a batch says, for people: each row with its id, time and attributes (value, unit, labels),
// each quarantined item with its reason and the beginning of its bytes, the refused counts. For
// `ficus source try`.
std::string describe(const SourceBatch& batch, const Schema& schema);

}  // namespace ficus::connect
