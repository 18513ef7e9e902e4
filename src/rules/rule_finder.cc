#include "rules/rule_finder.h"

#include <algorithm>
#include <numeric>

namespace ficus::rules {
namespace {

// The bucket of the value in a row, or kNone.
std::uint32_t bucket_at(const RuleIndex::Group& group, const TextColumn& ids, const Column* column,
                        std::uint32_t row) {
  if (group.is_id()) return group.bucket_of(ids[row]);
  if (column->valid[row] == 0) return RuleIndex::kNone;
  return group.is_text() ? group.bucket_of(column->texts[row])
                         : group.bucket_of(column->numbers[row]);
}

// What a batch says about the columns that rules want.
class Told {
 public:
  Told(const ObservationBatch& rows, std::span<const AttributeId> wanted) : all_(rows.row_count()) {
    std::iota(all_.begin(), all_.end(), 0U);
    for (const AttributeId attribute : wanted) {
      const Column* const column = rows.find(attribute);
      const bool is_whole =
          column != nullptr && std::ranges::find(column->valid, 0) == column->valid.end();
      columns_.push_back(is_whole ? column : nullptr);
    }
    ranges_.resize(columns_.size());
  }
  // Null where some row does not say it.
  const Column* column(std::uint16_t position) const { return columns_[position]; }

  // How many rules of the bucket a row may meet.
  std::size_t rules_within(const RuleIndex::Bucket& bucket) {
    std::size_t count = bucket.rules.size();
    for (const RuleIndex::Ladder& ladder : bucket.ladders) {
      const Column* const column = columns_[ladder.position];
      std::optional<ValueRange>& range = ranges_[ladder.position];
      if (column != nullptr && !range) range = range_of(*column, all_);
      count += column == nullptr ? ladder.rungs.size() : rungs_within(ladder, *range);
    }
    return count;
  }

 private:
  std::vector<std::uint32_t> all_;
  std::vector<const Column*> columns_;
  std::vector<std::optional<ValueRange>> ranges_;
};

}  // namespace

void RuleFinder::find(const RuleIndex& index, const RowsView& rows, std::vector<Found>& out) {
  if (!index.has_guards()) return;
  if (rows_of_bucket_.size() < index.buckets().size()) {
    rows_of_bucket_.resize(index.buckets().size());
  }
  add_bucket(index, rows, RuleIndex::kAllRows, rows.counted, out);
  for (const std::uint32_t bucket : touched_) rows_of_bucket_[bucket].clear();
  touched_.clear();
  for (const RuleIndex::Group& group : index.groups()) {
    const Column* const column = group.is_id() ? nullptr : &rows.present[group.position()];
    for (const std::uint32_t row : rows.counted) {
      const std::uint32_t bucket = bucket_at(group, *rows.ids, column, row);
      if (bucket == RuleIndex::kNone) continue;
      if (rows_of_bucket_[bucket].empty()) touched_.push_back(bucket);
      rows_of_bucket_[bucket].push_back(row);
    }
  }
  for (const std::uint32_t bucket : touched_) {
    add_bucket(index, rows, bucket, rows_of_bucket_[bucket], out);
  }
}

void RuleFinder::add_bucket(const RuleIndex& index, const RowsView& rows, std::uint32_t bucket,
                            std::span<const std::uint32_t> counted, std::vector<Found>& out) {
  const RuleIndex::Bucket& content = index.buckets()[bucket];
  for (const std::uint32_t rule : content.rules) out.push_back({rule, bucket});
  for (const RuleIndex::Ladder& ladder : content.ladders) {
    const ValueRange range = range_of(rows.present[ladder.position], counted);
    const std::size_t count = rungs_within(ladder, range);
    for (std::size_t i = 0; i < count; ++i) out.push_back({ladder.rungs[i].rule, bucket});
  }
}

std::size_t pairs_max(const RuleIndex& index, const ObservationBatch& rows,
                      std::span<const AttributeId> wanted) {
  if (!index.has_guards()) return 0;
  Told told(rows, wanted);
  const std::size_t count = rows.row_count();
  std::size_t pairs = count * told.rules_within(index.buckets()[RuleIndex::kAllRows]);
  for (const RuleIndex::Group& group : index.groups()) {
    const Column* const column = group.is_id() ? nullptr : told.column(group.position());
    if (!group.is_id() && column == nullptr) {
      for (const std::uint32_t bucket : group.buckets()) {
        pairs += count * told.rules_within(index.buckets()[bucket]);
      }
      continue;
    }
    for (std::uint32_t row = 0; row < count; ++row) {
      const std::uint32_t bucket = bucket_at(group, rows.ids(), column, row);
      if (bucket != RuleIndex::kNone) pairs += told.rules_within(index.buckets()[bucket]);
    }
  }
  return pairs;
}

}  // namespace ficus::rules
