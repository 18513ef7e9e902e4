#pragma once

#include <vector>

#include "model/source_batch.h"
#include "rules/rule_book.h"

namespace ficus {

// Whether what was heard is little enough for one step: in bytes, and in what rules may say about
// it.
bool fits_one_step(const SourceBatch& batch, const rules::RuleBook& rules);

// The same items in batches that fit, in order.
std::vector<SourceBatch> slice(SourceBatch&& batch, const rules::RuleBook& rules);

}  // namespace ficus
