#pragma once

#include <cstdint>
#include <span>

#include "engine/delivery.h"
#include "history/feed.h"
#include "log/position.h"

namespace ficus {

// What history gets of a step whose record ends at `end`: its rows, duplicates marked.
history::FeedItem feed_item(std::uint32_t shard, log::Position end,
                            std::span<const SettledBatch> settled);

}  // namespace ficus
