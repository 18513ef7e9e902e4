#include "engine/slices.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

namespace ficus {
namespace {

// Of one step before what rules derive is added, roughly.
constexpr std::size_t kSliceBytesMax = std::size_t{4} << 20;
// Of one step: rows times the rules that look at each. Some hundred milliseconds, should all of
// them speak.
constexpr std::size_t kSliceEdgesMax = 32'768;

struct Weight {
  std::size_t bytes = 0;
  std::size_t edges = 0;

  Weight& operator+=(const Weight& other) {
    bytes += other.bytes;
    edges += other.edges;
    return *this;
  }
  bool fits() const { return bytes <= kSliceBytesMax && edges <= kSliceEdgesMax; }
};

Weight weight_of(const ObservationBatch& rows, const rules::RuleBook& rules) {
  constexpr std::size_t kCell = 17;  // of a point with its flag, the largest
  std::size_t bytes = rows.ids().bytes() + kCell * rows.row_count();
  for (const Column& column : rows.columns()) {
    bytes += kCell * rows.row_count() + column.texts.bytes();
  }
  return {bytes, rows.row_count() * rules.rule_count_over(rows.type())};
}

Weight weight_of(const QuarantinedItem& item) {
  return {item.key.size() + item.reason.size() + item.bytes.size(), 0};
}

Weight weight_of(const SourceBatch& batch, const rules::RuleBook& rules) {
  Weight weight;
  for (const ObservationBatch& rows : batch.observations) weight += weight_of(rows, rules);
  for (const QuarantinedItem& item : batch.quarantined) weight += weight_of(item);
  return weight;
}

// Fills one batch after the other.
class Slicer {
 public:
  explicit Slicer(const SourceBatch& batch) : source_(batch.source), at_(batch.received_at) {}

  SourceBatch& with_room_for(const Weight& more) {
    Weight sum = weight_;
    sum += more;
    if (slices_.empty() || (!sum.fits() && weight_.bytes > 0)) {
      slices_.emplace_back();
      slices_.back().source = source_;
      slices_.back().received_at = at_;
      sum = more;
    }
    weight_ = sum;
    return slices_.back();
  }
  std::vector<SourceBatch> take() { return std::move(slices_); }

 private:
  const SourceId source_;
  const Timestamp at_;
  std::vector<SourceBatch> slices_;
  Weight weight_;  // of the last
};

}  // namespace

bool fits_one_step(const SourceBatch& batch, const rules::RuleBook& rules) {
  return weight_of(batch, rules).fits();
}

std::vector<SourceBatch> slice(SourceBatch&& batch, const rules::RuleBook& rules) {
  Slicer slicer(batch);
  slicer.with_room_for({}).refused = std::move(batch.refused);
  for (QuarantinedItem& item : batch.quarantined) {
    slicer.with_room_for(weight_of(item)).quarantined.push_back(std::move(item));
  }
  std::vector<std::uint32_t> rows_of_part;
  for (ObservationBatch& rows : batch.observations) {
    const Weight weight = weight_of(rows, rules);
    const std::size_t parts =
        std::min(rows.row_count(),
                 1 + std::max(weight.bytes / kSliceBytesMax, weight.edges / kSliceEdgesMax));
    if (parts < 2) {
      slicer.with_room_for(weight).observations.push_back(std::move(rows));
      continue;
    }
    for (std::size_t part = 0; part < parts; ++part) {
      const std::size_t begin = rows.row_count() * part / parts;
      rows_of_part.resize(rows.row_count() * (part + 1) / parts - begin);
      std::iota(rows_of_part.begin(), rows_of_part.end(), static_cast<std::uint32_t>(begin));
      ObservationBatch some = rows.select(rows_of_part);
      const Weight some_weight = weight_of(some, rules);
      slicer.with_room_for(some_weight).observations.push_back(std::move(some));
    }
  }
  return slicer.take();
}

}  // namespace ficus
