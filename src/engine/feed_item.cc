#include "engine/feed_item.h"

#include <algorithm>
#include <utility>

namespace ficus {

history::FeedItem feed_item(std::uint32_t shard, log::Position end,
                            std::span<const SettledBatch> settled_batches) {
  history::FeedItem item;
  item.shard = shard;
  item.position_end = end.offset;
  for (const SettledBatch& settled : settled_batches) {
    history::Rows rows;
    rows.batch = settled.rows;
    rows.received_at = settled.received_at;
    rows.source = settled.origin;
    const bool any_duplicate = std::find(settled.outcomes.begin(), settled.outcomes.end(),
                                         twin::RowOutcome::duplicate) != settled.outcomes.end();
    if (any_duplicate) {
      for (const twin::RowOutcome outcome : settled.outcomes) {
        rows.keep.push_back(outcome == twin::RowOutcome::duplicate ? 0 : 1);
      }
    }
    item.rows.push_back(std::move(rows));
  }
  return item;
}

}  // namespace ficus
