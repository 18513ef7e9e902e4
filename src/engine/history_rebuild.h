#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/shard.h"
#include "engine/shard_state.h"
#include "history/history.h"

namespace ficus {

// History lacks what the newest snapshot of a shard covers: its database was damaged, or taken
// away; or a file of it, whose stretches are `wanted` (History::wanted, of all shards). Gives it
// the rows again as far back as the log reaches, by folding an older part of the log
// into a state of its own that is thrown away; the shard itself recovers from its newest snapshot
// as ever. Trouble on the way costs history only and is logged.
//
// Returns what cannot be given: a stretch in front of the oldest snapshot that the log still
// follows, and what is behind damage. REQUIRES: nobody has opened the log.
Result<std::vector<history::HistoryGap>> rebuild_history(
    const ShardParts& parts, const ShardOptions& options, std::uint64_t history_position,
    std::span<const history::HistoryGap> wanted,
    const std::function<std::unique_ptr<ShardState>()>& new_state);

}  // namespace ficus
