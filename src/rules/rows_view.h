#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "model/observation_batch.h"

namespace ficus::rules {

// Borrowed rows of one type, as the twin left them. Every span has one element a row of the batch,
// except `counted`.
struct RowsView {
  TypeId type;
  const TextColumn* ids = nullptr;  // REQUIRES: not null
  std::span<const Timestamp> observed_at;
  std::span<const EntityId> entity;
  // Index-aligned with RuleBook::wanted(type): the entity's values after each row.
  std::span<const Column> present;
  // The rows that count (those the twin applied), ascending; the others are not looked at.
  std::span<const std::uint32_t> counted;

  std::size_t row_count() const { return observed_at.size(); }
};

// Rows that own their memory; reused between calls.
struct PresentRows {
  TextColumn ids;
  std::vector<Timestamp> observed_at;  // the newest of the entity
  std::vector<Column> present;         // one column a wanted attribute, in that order
};

// How rules ask for the present state of entities that have fallen silent: implemented by the
// engine over the shard's twin, since no row comes with the passing of a deadline.
class PresentReader {
 public:
  virtual ~PresentReader() = default;
  // Replaces `out` by one row for each entity, in order. `out.present` comes with one empty column,
  // of the right kind, for each of `wanted`. Entities are ones that observe() has seen.
  virtual void read(TypeId type, std::span<const EntityId> entities,
                    std::span<const AttributeId> wanted, PresentRows& out) const = 0;
};

}  // namespace ficus::rules
