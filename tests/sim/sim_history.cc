#include "sim_history.h"

#include <fmt/format.h>

#include <iterator>

namespace ficus::sim {

Status SimHistory::append(history::Rows rows) {
  const ObservationBatch& batch = *rows.batch;
  if (rows.position <= store_.positions.at(rows.shard)) {
    store_.breaches.push_back(fmt::format("rows of shard {} up to position {} were given twice",
                                          rows.shard, rows.position));
  }
  for (std::size_t row = 0; row < batch.row_count(); ++row) {
    if (!rows.keep.empty() && rows.keep[row] == 0) continue;
    HistoryRow& kept = rows_.emplace_back();
    kept.type = schema_.type_name(batch.type());
    kept.id = batch.ids()[row];
    kept.observed_at = batch.observed_at()[row];
    for (const Column& column : batch.columns()) {
      if (column.valid[row] == 0) continue;
      kept.values[schema_.attribute_name(batch.type(), column.attribute)] = column.value(row);
    }
    kept.source = rows.source;
    kept.received_at = rows.received_at;
    kept.shard = rows.shard;
    kept.position = rows.position;
  }
  return {};
}

Status SimHistory::append_quarantine(std::string_view source, Timestamp,
                                     std::span<const QuarantinedItem> items) {
  for (const QuarantinedItem& item : items) quarantined_.push_back({std::string(source), item});
  return {};
}

Status SimHistory::commit(std::span<const std::uint64_t> positions) {
  if (store_.refuses) return fail(ErrorCode::unavailable, "the simulated history refuses");
  if (!disk_.io()) return fail(ErrorCode::unavailable, "died before the commit");
  for (std::size_t shard = 0; shard < positions.size(); ++shard) {
    if (positions[shard] < store_.positions[shard]) {
      store_.breaches.push_back(fmt::format("the position of shard {} went back", shard));
    }
    store_.positions[shard] = positions[shard];
  }
  std::move(rows_.begin(), rows_.end(), std::back_inserter(store_.rows));
  std::move(quarantined_.begin(), quarantined_.end(), std::back_inserter(store_.quarantined));
  rows_.clear();
  quarantined_.clear();
  ++store_.commits;
  if (!disk_.io()) return fail(ErrorCode::unavailable, "died behind the commit");
  return {};
}

}  // namespace ficus::sim
