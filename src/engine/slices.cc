#include "engine/slices.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

namespace ficus {
namespace {

// Of one step before what rules derive is added, roughly.
constexpr std::size_t kSliceBytesMax = std::size_t{4} << 20;
// Of one step: what rules can say about its rows. Some hundred milliseconds, should all of them
// speak.
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
  // The closer look only where the simple one says too much.
  const std::size_t edges = rows.row_count() * rules.rule_count_over(rows.type());
  return {bytes, edges <= kSliceEdgesMax ? edges : rules.edges_max(rows)};
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

// Puts the rows from `begin` to `end` into slices, halved until each fits.
void split(const ObservationBatch& rows, std::size_t begin, std::size_t end,
           const rules::RuleBook& rules, Slicer& slicer) {
  std::vector<std::uint32_t> chosen(end - begin);
  std::iota(chosen.begin(), chosen.end(), static_cast<std::uint32_t>(begin));
  ObservationBatch part = rows.select(chosen);
  const Weight weight = weight_of(part, rules);
  if (weight.fits() || end - begin < 2) {
    slicer.with_room_for(weight).observations.push_back(std::move(part));
    return;
  }
  const std::size_t middle = begin + (end - begin) / 2;
  split(rows, begin, middle, rules, slicer);
  split(rows, middle, end, rules, slicer);
}

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
      split(rows, rows.row_count() * part / parts, rows.row_count() * (part + 1) / parts, rules,
            slicer);
    }
  }
  return slicer.take();
}

}  // namespace ficus
