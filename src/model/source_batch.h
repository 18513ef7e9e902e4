#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/ids.h"
#include "model/observation_batch.h"

namespace ficus {

// One item that could not be turned into an observation: kept with its bytes and the reason.
struct QuarantinedItem {
  std::string key;     // where it came in: topic, URL, sender
  std::string reason;  // "vehicle.yaml:12: $.speed: expected a number, got \"fast\""
  std::string bytes;   // as received

  friend bool operator==(const QuarantinedItem&, const QuarantinedItem&) = default;
};

// Items well formed but deliberately not taken, by reason ("ais_type_not_mapped", "overloaded").
struct RefusedCount {
  std::string reason;
  std::uint64_t items = 0;

  friend bool operator==(const RefusedCount&, const RefusedCount&) = default;
};

// All that one source heard at once. The unit of the books is the **item**: a row of an observation
// batch, or a quarantined or refused piece of input. Every item is in exactly one of the three
// lists; a message that fans out counts as often as it has items.
struct SourceBatch {
  SourceId source;
  Timestamp received_at;
  std::vector<ObservationBatch> observations;  // finished
  std::vector<QuarantinedItem> quarantined;
  std::vector<RefusedCount> refused;

  std::uint64_t item_count() const {
    std::uint64_t count = quarantined.size();
    for (const ObservationBatch& batch : observations) count += batch.row_count();
    for (const RefusedCount& refusal : refused) count += refusal.items;
    return count;
  }

  friend bool operator==(const SourceBatch&, const SourceBatch&) = default;
};

}  // namespace ficus
