#include "engine/shard.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace ficus {
namespace {

// While the log cannot be written (full disk) the queue is left alone, so that it fills and senders
// slow down; this often it is tried again.
constexpr Micros kRetryCommitAfter = Micros::from_millis(200);
// At most so much is in flight between append and sync; then the shard waits for the device.
constexpr std::size_t kPendingStepsMax = 4096;
constexpr std::uint64_t kCommitTriesAtStop = 10;
constexpr Micros kIdleWaitMax = Micros::from_millis(1000);

}  // namespace

Shard::Shard(const ShardParts& parts, const ShardOptions& options,
             std::unique_ptr<ShardState> state, std::uint64_t history_position)
    : parts_(parts),
      options_(options),
      history_position_at_open_(history_position),
      state_(std::move(state)),
      queue_(options.queue_items_max) {}

Shard::~Shard() = default;

Result<std::unique_ptr<Shard>> Shard::open(const ShardParts& parts, const ShardOptions& options,
                                           std::unique_ptr<ShardState> state,
                                           std::uint64_t history_position) {
  std::unique_ptr<Shard> shard(new Shard(parts, options, std::move(state), history_position));
  if (auto recovered = shard->recover(); !recovered) {
    return in_context(fmt::format("shard {}: ", options.index), std::move(recovered).error());
  }
  return shard;
}

Status Shard::recover() {
  FICUS_TRY(log_, CommitLog::open(parts_.disk, parts_.logger, options_.directory,
                                  {history_position_at_open_}, options_.log, *this,
                                  [this] { queue_.wake(); }));
  if (log_->last_snapshot().offset > history_position_at_open_) {
    // Snapshots wait for history, so history has been deleted or restored from elsewhere.
    parts_.logger.warning("history",
                          "history lacks what the snapshot covers; it goes on from there",
                          {{"shard", std::to_string(options_.index)},
                           {"history_position", std::to_string(history_position_at_open_)},
                           {"snapshot_position", std::to_string(log_->last_snapshot().offset)}});
  }
  parts_.logger.info("engine", "recovered",
                     {{"shard", std::to_string(options_.index)},
                      {"entities", std::to_string(state_->twin().entity_count())},
                      {"from_snapshot", std::to_string(log_->last_snapshot().offset)},
                      {"log_end", std::to_string(log_->end().offset)}});
  return {};
}

Status Shard::restore(const Sections& sections) {
  std::vector<std::string> report;
  FICUS_TRY_VOID(state_->decode(sections, report));
  for (const std::string& dropped : report) {
    parts_.logger.warning("rules", "a changed rule starts afresh", {{"rule", dropped}});
  }
  return {};
}

Status Shard::replay(std::string_view payload, Timestamp time, log::Position end) {
  FICUS_TRY(Step step, state_->replay(payload, time));
  if (end.offset <= history_position_at_open_) return {};
  Pending pending{.end = end,
                  .status = {},
                  .done = {},
                  .settled = std::move(step.settled),
                  .source = std::move(step.source),
                  .received_at = step.received_at,
                  .quarantined = std::move(step.quarantined)};
  if (parts_.history.push(feed_item(pending))) return {};
  return fail(ErrorCode::unavailable, "the history feed was stopped during recovery");
}

void Shard::start(DeliverySink& sink) {
  thread_ = std::thread([this, &sink] {
    while (turn(kIdleWaitMax, sink)) {
    }
  });
}

bool Shard::turn(Micros wait, DeliverySink& sink) {
  bool open = true;
  if (commit_failures_ == 0 && pending_.size() < kPendingStepsMax) {
    open = queue_.drain(items_, wait_until_deadline(wait));
    for (Item& item : items_) work_off(item);
    items_.clear();
    add(state_->advance(parts_.clock.now()), {});
  } else {
    queue_.wait_for_wake(kRetryCommitAfter);
    open = !queue_.is_closed() || commit_failures_ < kCommitTriesAtStop;
  }
  commit();
  release(sink);
  snapshot_if_due();
  if (open) return true;
  if (commit_failures_ >= kCommitTriesAtStop) {
    fail_pending({ErrorCode::unavailable, "stopped before the log could be written"}, sink);
  }
  if (!pending_.empty()) queue_.wait_for_wake(Micros::from_millis(10));
  return !pending_.empty();
}

Micros Shard::wait_until_deadline(Micros wait_max) const {
  const std::optional<Timestamp> deadline = state_->rules().next_deadline();
  if (!deadline) return wait_max;
  return std::clamp(*deadline - parts_.clock.now(), Micros{0}, wait_max);
}

void Shard::work_off(Item& item) {
  if (auto* const heard = std::get_if<Heard>(&item)) {
    add(state_->hear(heard->source, std::move(heard->batch), parts_.clock.now()),
        std::move(heard->done));
  } else if (auto* const operate = std::get_if<Operate>(&item)) {
    add(state_->operate(operate->command, parts_.clock.now()), std::move(operate->done));
  } else {
    std::get<Look>(item)(*state_, *this);
  }
}

void Shard::add(Step&& step, Completion&& done) {
  if (step.record.empty() && !done) return;
  if (!step.record.empty()) {
    const auto appended = log_->append(parts_.clock.now(), step.record);
    // The state has changed already; without its record the log would no longer be its cause.
    if (!appended) {
      parts_.logger.error("log", "cannot append a step", {{"error", appended.error().message}});
      FICUS_CHECK(appended.has_value());
    }
    uncommitted_ = true;
  }
  pending_.push_back({.end = log_->end(),
                      .status = std::move(step.status),
                      .done = std::move(done),
                      .settled = std::move(step.settled),
                      .source = std::move(step.source),
                      .received_at = step.received_at,
                      .quarantined = std::move(step.quarantined)});
}

void Shard::commit() {
  if (!uncommitted_) return;
  const Status written = log_->commit();
  if (written) {
    if (commit_failures_ > 0) parts_.logger.info("log", "the log can be written again");
    commit_failures_ = 0;
    uncommitted_ = false;
    return;
  }
  // Nothing is lost and nothing acknowledged: the bytes stay in the buffer until the disk takes
  // them.
  if (commit_failures_++ == 0) {
    parts_.logger.error(
        "log", "cannot write the log: senders wait until it can be written",
        {{"shard", std::to_string(options_.index)}, {"error", written.error().message}});
  }
}

history::FeedItem Shard::feed_item(Pending& pending) const {
  history::FeedItem item;
  item.shard = options_.index;
  item.position_end = pending.end.offset;
  item.source = pending.source;
  item.received_at = pending.received_at;
  item.quarantined = std::move(pending.quarantined);
  for (const SettledBatch& settled : pending.settled) {
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

void Shard::release(DeliverySink& sink) {
  if (const std::optional<Error> failure = log_->sync_failure()) {
    return fail_pending(*failure, sink);
  }
  const log::Position acknowledged = log_->acknowledged();
  const bool followed = parts_.followers.load(std::memory_order_relaxed);
  Delivery delivery;
  std::vector<history::FeedItem> feed;
  while (!pending_.empty() && pending_.front().end <= acknowledged) {
    Pending& pending = pending_.front();
    if (pending.done) delivery.completed.push_back({std::move(pending.done), pending.status});
    feed.push_back(feed_item(pending));
    if (followed) {
      for (SettledBatch& settled : pending.settled) delivery.settled.push_back(std::move(settled));
    }
    pending_.pop_front();
  }
  if (!delivery.empty()) sink.deliver(std::move(delivery));
  // A history that falls behind holds the shard, and so, through the full queue, the senders.
  for (history::FeedItem& item : feed) parts_.history.push(std::move(item));
}

void Shard::fail_pending(const Error& error, DeliverySink& sink) {
  Delivery delivery;
  for (Pending& pending : pending_) {
    if (pending.done)
      delivery.completed.push_back({std::move(pending.done), std::unexpected(error)});
  }
  pending_.clear();
  if (!delivery.empty()) sink.deliver(std::move(delivery));
}

void Shard::snapshot_if_due() {
  if (!waiting_snapshot_ && log_->snapshot_due()) {
    waiting_snapshot_ = WaitingSnapshot{log_->end(), state_->encode()};
  }
  if (!waiting_snapshot_) return;
  // A snapshot lets the log forget what is before it, so history must have it, durably.
  const log::Position position = waiting_snapshot_->position;
  if (history_position() < position.offset || log_->durable() < position) return;
  const Status written = log_->write_snapshot(position, waiting_snapshot_->sections);
  waiting_snapshot_.reset();
  if (!written) {
    parts_.logger.warning("engine", "cannot write a snapshot: the log keeps all",
                          {{"error", written.error().message}});
  }
}

void Shard::finish() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

Status Shard::close() {
  const log::Position end = log_->end();
  if (end != log_->last_snapshot() && log_->durable() == end && history_position() >= end.offset) {
    FICUS_TRY_VOID(log_->write_snapshot(end, state_->encode()));
  }
  return log_->close(parts_.clock.now());
}

}  // namespace ficus
