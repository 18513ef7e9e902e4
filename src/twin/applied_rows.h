#pragma once

#include <cstdint>
#include <vector>

#include "model/ids.h"
#include "model/observation_batch.h"

namespace ficus::twin {

enum class RowOutcome : std::uint8_t {
  applied,    // at least one attribute changed or became newer, or the entity is new
  late,       // everything in the row was known already, as new or newer
  duplicate,  // the same row was seen a short while ago
};

// What became of the rows of one batch; every vector has one element a row. The caller keeps one
// for each entity type and hands it in again, so that its memory is reused.
struct AppliedRows {
  std::vector<RowOutcome> outcome;
  std::vector<EntityId> entity;
  std::vector<std::uint8_t> is_new_entity;
  // For each wanted attribute: its value as it stands after that row, none if it is not known.
  std::vector<Column> present;
  std::uint32_t applied_count = 0;
  std::uint32_t late_count = 0;
  std::uint32_t duplicate_count = 0;
};

}  // namespace ficus::twin
