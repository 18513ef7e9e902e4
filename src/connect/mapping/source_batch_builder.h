#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/source_batch.h"

namespace ficus::connect {

struct QuarantineLimits {
  std::size_t item_bytes_max = 64U << 10U;  // of one item's bytes; the rest is cut off
  std::size_t reason_bytes_max = 1024;
  std::size_t key_bytes_max = 1024;
};

// Gathers what one source hears until it is handed to the engine: rows by type, quarantined items,
// counts of refused ones. Every item put in is in exactly one of the three, so the books balance by
// construction. Not thread-safe; long-lived, one a source and connection.
class SourceBatchBuilder {
 public:
  explicit SourceBatchBuilder(SourceId source, QuarantineLimits limits = {});

  SourceId source() const { return source_; }

  // Starts a row (one item) of the type; set its values on the batch returned, before the next call
  // on the builder.
  ObservationBatch& begin_row(TypeId type, std::string_view id, Timestamp observed_at);
  // One item that could not be mapped.
  void quarantine(std::string_view key, std::string_view reason, std::string_view bytes);
  // Items deliberately not taken. `reason` is a short word of a fixed set, since it is a metric's
  // label.
  void refuse(std::string_view reason, std::uint64_t items = 1);

  // Items put in since the last take().
  std::uint64_t item_count() const { return item_count_; }
  bool empty() const { return item_count_ == 0; }
  // Roughly the memory held, for deciding when to hand over.
  std::size_t bytes() const { return bytes_; }
  // For each quarantined item its place among all items put in since the last take(), from 0, and
  // its reason: to name the failing items in an answer.
  std::span<const std::uint64_t> quarantined_places() const { return quarantined_places_; }
  std::span<const QuarantinedItem> quarantined() const { return quarantined_; }

  // Hands over everything, finished; the builder is empty afterwards.
  SourceBatch take(Timestamp received_at);

 private:
  ObservationBatch& batch_with_room(TypeId type);

  const SourceId source_;
  const QuarantineLimits limits_;
  std::vector<ObservationBatch> open_;  // at most one a type
  std::vector<ObservationBatch> full_;
  std::size_t last_ = 0;  // index in open_ used last
  std::vector<QuarantinedItem> quarantined_;
  std::vector<std::uint64_t> quarantined_places_;
  std::vector<RefusedCount> refused_;
  std::uint64_t item_count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace ficus::connect
