#include "engine/history_rebuild.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "engine/feed_item.h"
#include "engine/step_record.h"
#include "log/segments.h"
#include "log/snapshot.h"

namespace ficus {
namespace {

// Where the fold begins; no snapshot: with an empty state, at the log's very begin.
struct Start {
  log::Position position;
  std::unique_ptr<log::SnapshotReader> snapshot;
};

// The newest start at or before `wanted`, else the oldest there is before `until`.
Result<std::optional<Start>> find_start(Disk& disk, const std::string& directory,
                                        log::Position wanted, log::Position until) {
  FICUS_TRY(const std::vector<log::Position> segments, log::list_segments(disk, directory));
  FICUS_TRY(std::vector<log::Position> snapshots, log::list_snapshots(disk, directory));
  std::optional<Start> best;
  if (segments.empty()) return best;
  for (auto at = snapshots.rbegin(); at != snapshots.rend(); ++at) {
    if (*at >= until || *at < segments.front()) continue;
    auto reader = log::SnapshotReader::open(disk, log::snapshot_path(directory, *at));
    if (!reader || !(*reader)->verify()) continue;
    best = Start{*at, *std::move(reader)};
    if (*at <= wanted) return best;
  }
  if (segments.front().offset == 0) best = Start{{0}, nullptr};
  return best;
}

// What one shard's history lacks: everything behind `behind` up to `until`, and of what lies before
// that the stretches of `again`.
struct Need {
  std::uint64_t behind = 0;
  std::uint64_t until = 0;
  std::vector<history::HistoryGap> again;

  bool has_again(std::uint64_t after, std::uint64_t end) const {
    return std::any_of(again.begin(), again.end(), [&](const history::HistoryGap& gap) {
      return gap.after <= after && end <= gap.until;
    });
  }
  // Where the fold must have begun, and where it may end.
  std::uint64_t first() const {
    std::uint64_t first = behind < until ? behind : UINT64_MAX;
    for (const history::HistoryGap& gap : again) first = std::min(first, gap.after);
    return first;
  }
  std::uint64_t last() const {
    std::uint64_t last = behind < until ? until : 0;
    for (const history::HistoryGap& gap : again) last = std::max(last, gap.until);
    return last;
  }
  // What lies between the two positions.
  void name(std::uint32_t shard, std::uint64_t after, std::uint64_t end,
            std::vector<history::HistoryGap>& gaps) const {
    const auto add = [&](std::uint64_t from, std::uint64_t to, bool is_of_files) {
      from = std::max(from, after);
      to = std::min(to, end);
      if (from < to) gaps.push_back({shard, from, to, is_of_files});
    };
    add(behind, until, false);
    for (const history::HistoryGap& gap : again) add(gap.after, gap.until, true);
  }
};

Status give(const ShardParts& parts, const ShardOptions& options, const StepRecord& record,
            std::optional<std::uint64_t> again_after, Step step) {
  history::FeedItem item = feed_item(options.index, record.end, step.settled);
  item.again_after = again_after;
  item.source = std::move(step.source);
  item.received_at = step.received_at;
  item.quarantined = std::move(step.quarantined);
  if (parts.history.push(std::move(item))) return {};
  return fail(ErrorCode::unavailable, "the history feed was stopped");
}

// Folds up to the end of the need and gives history what it lacks; `reached` follows.
Status fold(const ShardParts& parts, const ShardOptions& options, const Start& start,
            ShardState& state, const Need& need, std::uint64_t& reached) {
  if (start.snapshot != nullptr) {
    FICUS_TRY(const LogFold::Sections sections, read_sections(*start.snapshot));
    FICUS_TRY_VOID(state.decode(sections));
  }
  FICUS_TRY(StepReader reader,
            StepReader::open(parts.disk, options.directory, start.position, {need.last()}));
  while (true) {
    FICUS_TRY(const StepRecord* const record, reader.next());
    if (record == nullptr) break;
    FICUS_TRY(Step step, state.replay(record->payload, record->time));
    const std::uint64_t after = std::exchange(reached, record->end.offset);
    if (reached > need.behind) {
      FICUS_TRY_VOID(give(parts, options, *record, std::nullopt, std::move(step)));
    } else if (need.has_again(after, reached)) {
      FICUS_TRY_VOID(give(parts, options, *record, after, std::move(step)));
    }
  }
  if (reached >= need.last()) return {};
  return fail(ErrorCode::corrupt, "the log ends before what history knows of it");
}

Result<Need> need_of(const ShardParts& parts, const ShardOptions& options,
                     std::uint64_t history_position, std::span<const history::HistoryGap> wanted) {
  Need need{history_position, 0, {}};
  for (const history::HistoryGap& gap : wanted) {
    if (gap.shard == options.index) need.again.push_back(gap);
  }
  FICUS_TRY(const log::SnapshotSearch search,
            log::find_newest_snapshot(parts.disk, options.directory));
  if (search.newest != nullptr) need.until = search.newest->position().offset;
  return need;
}

}  // namespace

Result<std::vector<history::HistoryGap>> rebuild_history(
    const ShardParts& parts, const ShardOptions& options, std::uint64_t history_position,
    std::span<const history::HistoryGap> wanted,
    const std::function<std::unique_ptr<ShardState>()>& new_state) {
  std::vector<history::HistoryGap> gaps;
  FICUS_TRY(const Need need, need_of(parts, options, history_position, wanted));
  if (need.last() == 0) return gaps;
  FICUS_TRY(const std::optional<Start> start,
            find_start(parts.disk, options.directory, {need.first()}, {need.last()}));
  if (!start) {
    need.name(options.index, 0, UINT64_MAX, gaps);
    return gaps;
  }
  parts.logger.warning("history", "history is rebuilt from the log",
                       {{"shard", std::to_string(options.index)},
                        {"history_position", std::to_string(history_position)},
                        {"from", std::to_string(start->position.offset)},
                        {"until", std::to_string(need.last())}});
  need.name(options.index, 0, start->position.offset, gaps);
  std::uint64_t reached = start->position.offset;
  const std::unique_ptr<ShardState> state = new_state();
  const Status folded = fold(parts, options, *start, *state, need, reached);
  if (!folded) {
    parts.logger.error("history", "an older part of the log cannot be read for history",
                       {{"shard", std::to_string(options.index)},
                        {"position", std::to_string(reached)},
                        {"error", folded.error().message}});
    need.name(options.index, reached, UINT64_MAX, gaps);
  }
  return gaps;
}

}  // namespace ficus
