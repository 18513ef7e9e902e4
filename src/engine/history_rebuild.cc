#include "engine/history_rebuild.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "engine/feed_item.h"
#include "log/log_reader.h"
#include "log/segments.h"
#include "log/snapshot.h"

namespace ficus {
namespace {

// Where the fold begins; no snapshot: with an empty state, at the log's very begin.
struct Start {
  log::Position position;
  std::unique_ptr<log::SnapshotReader> snapshot;
};

// The newest start at or before `wanted`, else the oldest there is before `newest`.
Result<std::optional<Start>> find_start(Disk& disk, const std::string& directory,
                                        log::Position wanted, log::Position newest) {
  FICUS_TRY(const std::vector<log::Position> segments, log::list_segments(disk, directory));
  FICUS_TRY(std::vector<log::Position> snapshots, log::list_snapshots(disk, directory));
  std::optional<Start> best;
  if (segments.empty()) return best;
  for (auto at = snapshots.rbegin(); at != snapshots.rend(); ++at) {
    if (*at >= newest || *at < segments.front()) continue;
    auto reader = log::SnapshotReader::open(disk, log::snapshot_path(directory, *at));
    if (!reader || !(*reader)->verify()) continue;
    best = Start{*at, *std::move(reader)};
    if (*at <= wanted) return best;
  }
  if (segments.front().offset == 0) best = Start{{0}, nullptr};
  return best;
}

Status restore(ShardState& state, log::SnapshotReader& snapshot) {
  ShardState::Sections sections;
  for (const log::SnapshotSection& section : snapshot.sections()) {
    std::string bytes(section.bytes, '\0');
    FICUS_TRY_VOID(snapshot.read(section, 0, std::as_writable_bytes(std::span(bytes))));
    sections.emplace_back(section.name, std::move(bytes));
  }
  return state.decode(sections);
}

// Folds up to `until` and gives history what lies behind `history_position`; `reached` follows.
Status fold(const ShardParts& parts, const ShardOptions& options, const Start& start,
            ShardState& state, log::Position until, std::uint64_t history_position,
            std::uint64_t& reached) {
  if (start.snapshot != nullptr) FICUS_TRY_VOID(restore(state, *start.snapshot));
  FICUS_TRY(const auto reader,
            log::LogReader::open(parts.disk, options.directory, start.position, until));
  while (true) {
    FICUS_TRY(const log::Record* const record, reader->next());
    if (record == nullptr) break;
    const std::string_view payload(reinterpret_cast<const char*>(record->payload.data()),
                                   record->payload.size());
    FICUS_TRY(Step step, state.replay(payload, record->time));
    reached = record->end.offset;
    if (record->end.offset <= history_position) continue;
    history::FeedItem item = feed_item(options.index, record->end, step.settled);
    item.source = std::move(step.source);
    item.received_at = step.received_at;
    item.quarantined = std::move(step.quarantined);
    if (!parts.history.push(std::move(item))) {
      return fail(ErrorCode::unavailable, "the history feed was stopped");
    }
  }
  if (reached >= until.offset) return {};
  return fail(ErrorCode::corrupt, "the log ends before its snapshot");
}

}  // namespace

Result<std::vector<history::HistoryGap>> rebuild_history(
    const ShardParts& parts, const ShardOptions& options, std::uint64_t history_position,
    const std::function<std::unique_ptr<ShardState>()>& new_state) {
  std::vector<history::HistoryGap> gaps;
  FICUS_TRY(const log::SnapshotSearch search,
            log::find_newest_snapshot(parts.disk, options.directory));
  if (search.newest == nullptr) return gaps;
  const log::Position newest = search.newest->position();
  if (newest.offset <= history_position) return gaps;
  FICUS_TRY(const std::optional<Start> start,
            find_start(parts.disk, options.directory, {history_position}, newest));
  if (!start) {
    gaps.push_back({options.index, history_position, newest.offset});
    return gaps;
  }
  parts.logger.warning("history", "history is rebuilt from the log",
                       {{"shard", std::to_string(options.index)},
                        {"history_position", std::to_string(history_position)},
                        {"from", std::to_string(start->position.offset)},
                        {"until", std::to_string(newest.offset)}});
  if (start->position.offset > history_position) {
    gaps.push_back({options.index, history_position, start->position.offset});
  }
  std::uint64_t reached = start->position.offset;
  const std::unique_ptr<ShardState> state = new_state();
  const Status folded = fold(parts, options, *start, *state, newest, history_position, reached);
  if (!folded) {
    parts.logger.error("history", "an older part of the log cannot be read for history",
                       {{"shard", std::to_string(options.index)},
                        {"position", std::to_string(reached)},
                        {"error", folded.error().message}});
    const std::uint64_t after = std::max(reached, history_position);
    if (after < newest.offset) gaps.push_back({options.index, after, newest.offset});
  }
  return gaps;
}

}  // namespace ficus
