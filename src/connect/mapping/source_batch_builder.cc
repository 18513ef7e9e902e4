#include "connect/mapping/source_batch_builder.h"

#include <utility>

namespace ficus::connect {
namespace {

// Cuts at a character of UTF-8, so that the text stays one.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace

SourceBatchBuilder::SourceBatchBuilder(SourceId source, QuarantineLimits limits)
    : source_(source), limits_(limits) {}

ObservationBatch& SourceBatchBuilder::begin_row(TypeId type, std::string_view id,
                                                Timestamp observed_at) {
  ObservationBatch& batch = batch_with_room(type);
  batch.begin_row(id, observed_at);
  ++item_count_;
  bytes_ += id.size() + 64;  // an estimate: a row has some eight values of eight bytes
  return batch;
}

ObservationBatch& SourceBatchBuilder::batch_with_room(TypeId type) {
  if (last_ >= open_.size() || open_[last_].type() != type) {
    for (last_ = 0; last_ < open_.size(); ++last_) {
      if (open_[last_].type() == type) break;
    }
    if (last_ == open_.size()) open_.emplace_back(type);
  }
  if (open_[last_].is_full()) {
    full_.push_back(std::exchange(open_[last_], ObservationBatch(type)));
  }
  return open_[last_];
}

void SourceBatchBuilder::quarantine(std::string_view key, std::string_view reason,
                                    std::string_view bytes) {
  QuarantinedItem item;
  item.key = cut(key, limits_.key_bytes_max);
  item.reason = cut(reason, limits_.reason_bytes_max);
  item.bytes = bytes.substr(0, limits_.item_bytes_max);
  bytes_ += item.key.size() + item.reason.size() + item.bytes.size() + sizeof(item);
  quarantined_.push_back(std::move(item));
  quarantined_places_.push_back(item_count_++);
}

void SourceBatchBuilder::refuse(std::string_view reason, std::uint64_t items) {
  if (items == 0) return;
  item_count_ += items;
  for (RefusedCount& count : refused_) {
    if (count.reason == reason) {
      count.items += items;
      return;
    }
  }
  refused_.push_back({std::string(reason), items});
}

SourceBatch SourceBatchBuilder::take(Timestamp received_at) {
  SourceBatch batch;
  batch.source = source_;
  batch.received_at = received_at;
  batch.observations = std::exchange(full_, {});
  for (ObservationBatch& open : open_) {
    if (open.row_count() > 0) batch.observations.push_back(std::move(open));
  }
  for (ObservationBatch& observations : batch.observations) observations.finish();
  batch.quarantined = std::exchange(quarantined_, {});
  batch.refused = std::exchange(refused_, {});
  open_.clear();
  quarantined_places_.clear();
  last_ = 0;
  item_count_ = 0;
  bytes_ = 0;
  return batch;
}

}  // namespace ficus::connect
