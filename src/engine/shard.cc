#include "engine/shard.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/planted.h"
#include "engine/gathered.h"
#include "engine/slices.h"

namespace ficus {
namespace {

// While the log cannot be written (full disk) the queue is left alone, so that it fills and senders
// slow down; this often it is tried again.
constexpr Micros kRetryCommitAfter = Micros::from_millis(200);
// At most so much is in flight between append and sync; then the shard waits for the device.
constexpr std::size_t kPendingStepsMax = 4096;
constexpr Micros kIdleWaitMax = Micros::from_millis(1000);
// So many durable steps wait for a full history; then the shard waits, too.
constexpr std::size_t kUnfedStepsMax = 1024;
// A lax sync policy must not gather more than this in memory and in the page cache.
constexpr std::uint64_t kUnsyncedBytesMax = std::uint64_t{128} << 20;
constexpr Micros kRetryHistoryAfter = Micros::from_millis(10);
constexpr std::size_t kBufferedBytesMax = std::size_t{8} << 20;
// A turn that has written so much ends, so that questions and acknowledgements have theirs.
constexpr std::size_t kTurnBytesMax = std::size_t{8} << 20;
constexpr std::size_t kTurnRowsDerivedMax = 16'384;
// The same once so much had to be encoded for a snapshot because it was about to change.
constexpr std::uint64_t kTurnValuesCapturedMax = std::uint64_t{1} << 18;

WriteSections writer_of(std::unique_ptr<ShardCapture> taken) {
  return [taken = std::move(taken)](log::SnapshotWriter& to) { return taken->write(to); };
}

std::size_t rows_derived(const Step& step) {
  std::size_t rows = 0;
  for (const SettledBatch& settled : step.settled) {
    if (settled.derived) rows += settled.outcomes.size();
  }
  return rows;
}

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
  CommitLogOptions log_options = options_.log;
  // What a step has done to the state must get its record; steps and turns are bounded instead.
  log_options.log.buffer_bytes_max = SIZE_MAX;
  FICUS_TRY(log_, CommitLog::open(parts_.disk, parts_.logger, options_.directory,
                                  {std::max(history_position_at_open_, options_.log_known_until)},
                                  log_options, *this, [this] { queue_.wake(); }));
  const twin::Twin& twin = state_->twin();
  if (twin.entity_count() > twin.limits().entities_max) {
    parts_.logger.warning("engine",
                          "there are more entities than twin.entities_max: new ones are refused",
                          {{"shard", std::to_string(options_.index)},
                           {"entities", std::to_string(twin.entity_count())},
                           {"entities_max", std::to_string(twin.limits().entities_max)}});
  }
  parts_.logger.info("engine", "recovered",
                     {{"shard", std::to_string(options_.index)},
                      {"entities", std::to_string(state_->twin().entity_count())},
                      {"from_snapshot", std::to_string(log_->last_snapshot().offset)},
                      {"log_end", std::to_string(log_->end().offset)}});
  return take_over_configuration();
}

// The log was written with other rules, zones, mappings: that they are new is the first fact now.
Status Shard::take_over_configuration() {
  if (state_->is_in_force(options_.configuration)) return {};
  const RuleChanges changes = compare_rules(state_->rules_in_force(), state_->rules().set().keys());
  Step step = state_->change(options_.configuration, state_->rules().fresh(), parts_.clock.now());
  FICUS_TRY_VOID(step.status);
  parts_.logger.info("engine", "another configuration holds now",
                     {{"shard", std::to_string(options_.index)},
                      {"fingerprint", options_.configuration.fingerprint()},
                      {"rules_added", std::to_string(changes.added.size())},
                      {"rules_changed", std::to_string(changes.changed.size())},
                      {"rules_removed", std::to_string(changes.removed.size())}});
  add(std::move(step), {});
  return {};
}

Status Shard::restore(const Sections& sections) { return state_->decode(sections); }

Status Shard::replay(std::string_view payload, Timestamp time, log::Position end) {
  FICUS_TRY(Step step, state_->replay(payload, time));
  if (end.offset <= history_position_at_open_) return {};
  Pending pending{.end = end,
                  .taken_at = {},
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
  if (is_stalled()) {
    queue_.wait_for_wake(
        std::min(wait, commit_failures_ > 0 ? kRetryCommitAfter : kRetryHistoryAfter));
  } else {
    if (backlog_.empty()) {  // or the queue's limit would not be one
      open = queue_.drain(items_, wait_at_most(wait));
      for (Item& item : items_) enqueue(std::move(item));
      items_.clear();
    }
    turn_bytes_ = 0;
    turn_rows_derived_ = 0;
    work_off_backlog();
    add(state_->advance(parts_.clock.now()), {});
  }
  answer_questions();
  commit();
  release(sink);
  feed_history();
  snapshot_if_due();
  log_->mark_if_idle(parts_.clock.now());
  if (give_up_if_hopeless(sink)) return false;
  if (open) return true;
  if (pending_.empty() && unfed_.empty()) return false;
  queue_.wait_for_wake(std::min(wait, kRetryHistoryAfter));
  return true;
}

bool Shard::is_stalled() const {
  return commit_failures_ > 0 || pending_.size() >= kPendingStepsMax ||
         log_->end() - log_->durable() >= kUnsyncedBytesMax ||
         (history_is_full_ && unfed_.size() >= kUnfedStepsMax);
}

Micros Shard::wait_at_most(Micros wait_max) const {
  if (is_taking_snapshot()) return Micros{};
  if (!unfed_.empty()) wait_max = std::min(wait_max, kRetryHistoryAfter);
  const std::optional<Timestamp> deadline = state_->next_deadline();
  if (!deadline) return wait_max;
  const Timestamp now = parts_.clock.now();
  return *deadline <= now ? Micros{} : std::min(*deadline - now, wait_max);
}

bool Shard::ask(Look&& look) {
  if (!questions_.push_unlimited(std::move(look))) return false;
  queue_.wake();
  return true;
}

void Shard::answer_questions() {
  (void)questions_.drain(looks_, {});
  for (Look& look : looks_) look(*state_, *this);
  looks_.clear();
}

void Shard::enqueue(Item&& item) {
  auto* const heard = std::get_if<Heard>(&item);
  if (heard == nullptr || fits_one_step(heard->batch, state_->rules())) {
    backlog_.push_back(std::move(item));
    return;
  }
  // A step is to be short, so a very large batch is taken in slices.
  std::vector<SourceBatch> slices = slice(std::move(heard->batch), state_->rules());
  const auto gathered = std::make_shared<Gathered>(slices.size(), std::move(heard->done));
  for (SourceBatch& part : slices) {
    backlog_.push_back(Heard{heard->source, std::move(part),
                             [gathered](const Status& status) { gathered->arrive(status); }});
  }
}

void Shard::work_off_backlog() {
  const std::uint64_t captured_max = state_->captured_values() + kTurnValuesCapturedMax;
  while (!backlog_.empty() && commit_failures_ == 0 && turn_bytes_ < kTurnBytesMax &&
         turn_rows_derived_ < kTurnRowsDerivedMax && state_->captured_values() < captured_max) {
    Item item = std::move(backlog_.front());
    backlog_.pop_front();
    work_off(item);
    // The log's buffer is memory.
    if (log_->buffered_bytes() >= kBufferedBytesMax) commit();
  }
}

void Shard::work_off(Item& item) {
  if (auto* const heard = std::get_if<Heard>(&item)) {
    add(state_->hear(heard->source, std::move(heard->batch), parts_.clock.now()),
        std::move(heard->done));
  } else if (auto* const operate = std::get_if<Operate>(&item)) {
    add(state_->operate(operate->command, parts_.clock.now()), std::move(operate->done));
  } else {
    auto& change = std::get<Change>(item);
    add(state_->change(change.configuration, std::move(change.next), parts_.clock.now()),
        std::move(change.done));
  }
}

// REQUIRES: the state has changed already; without its record the log would no longer be its cause.
void Shard::append(Timestamp time, std::string_view record) {
  const auto appended = log_->append(time, record);
  if (!appended) {
    parts_.logger.error("log", "cannot append a step", {{"error", appended.error().message}});
    FICUS_CHECK(appended.has_value());
  }
  uncommitted_ = true;
}

void Shard::add(Step&& step, Completion&& done) {
  if (step.record.empty() && !done) return;
  turn_bytes_ += step.record.size();
  turn_rows_derived_ += rows_derived(step);
  if (!step.record.empty()) append(step.time, step.record);
  pending_.push_back({.end = log_->end(),
                      .taken_at = parts_.clock.monotonic(),
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

// A share of it, or its begin.
void Shard::take_snapshot() {
  if (!snapshot_) {
    snapshot_ = Snapshot{log_->facts_end(), nullptr};
    state_->begin_capture();
    return;
  }
  state_->capture(options_.log.snapshot_values_a_turn);
  if (state_->is_captured()) snapshot_->taken = state_->take_capture();
}

void Shard::snapshot_if_due() {
  if (snapshot_ ? is_taking_snapshot() : log_->snapshot_due()) take_snapshot();
  if (!snapshot_ || is_taking_snapshot()) return;
  // A snapshot lets the log forget what is before it, so history must have it, durably.
  log::Position position = snapshot_->position;
  if (FICUS_PLANTED(snapshot_without_newest_step)) position = log_->facts_end();
  const bool history_has_it =
      history_position() >= position.offset || FICUS_PLANTED(cut_log_before_history);
  if (!history_has_it || log_->durable() < position) return;
  log_->write_snapshot(position, writer_of(std::move(snapshot_->taken)));
  snapshot_.reset();
}

void Shard::take_no_more() {
  questions_.close();
  queue_.close();
}

void Shard::finish() {
  take_no_more();
  if (thread_.joinable()) thread_.join();
}

Status Shard::close() {
  const log::Position end = log_->facts_end();
  if (end != log_->last_snapshot() && log_->durable() >= end && history_position() >= end.offset) {
    snapshot_.reset();
    (void)state_->take_capture();  // one that is under way would be older
    state_->begin_capture();
    while (!state_->is_captured()) state_->capture(SIZE_MAX);
    FICUS_TRY_VOID(log_->write_snapshot_now(end, writer_of(state_->take_capture())));
  }
  return log_->close(parts_.clock.now());
}

}  // namespace ficus
