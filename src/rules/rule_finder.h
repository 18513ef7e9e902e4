#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "rules/rows_view.h"
#include "rules/rule_index.h"

namespace ficus::rules {

// Asks an index which rules some rows may meet. Keeps memory between calls; used by one thread.
class RuleFinder {
 public:
  struct Found {
    std::uint32_t rule;
    std::uint32_t bucket;  // RuleIndex::kAllRows: any of the rows

    friend auto operator<=>(const Found&, const Found&) = default;
  };

  // Appends what may be met by the rows that count, in no order; rules that always have to run are
  // left out. A rule may be found in several buckets.
  void find(const RuleIndex& index, const RowsView& rows, std::vector<Found>& out);
  // The rows of a bucket of which the last find() told, ascending.
  std::span<const std::uint32_t> rows_of(std::uint32_t bucket) const {
    return rows_of_bucket_[bucket];
  }

 private:
  void add_bucket(const RuleIndex& index, const RowsView& rows, std::uint32_t bucket,
                  std::span<const std::uint32_t> counted, std::vector<Found>& out);

  std::vector<std::vector<std::uint32_t>> rows_of_bucket_;
  std::vector<std::uint32_t> touched_;
};

// How many pairs of a row and a rule that is not always() there may be such that the row meets the
// rule, as far as a batch tells that was not applied yet: where it does not say what a column's
// value is, it may be any.
std::size_t pairs_max(const RuleIndex& index, const ObservationBatch& rows,
                      std::span<const AttributeId> wanted);

}  // namespace ficus::rules
