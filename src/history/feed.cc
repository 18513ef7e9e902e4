#include "history/feed.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"

namespace ficus::history {

HistoryFeed::HistoryFeed(History& history, const Clock& clock, FeedOptions options,
                         FeedEvents events, std::span<const std::uint64_t> positions)
    : history_(history),
      clock_(clock),
      options_(options),
      events_(std::move(events)),
      queue_(options.queue_items_max),
      taken_(positions.begin(), positions.end()),
      committed_(positions.size()) {
  for (std::size_t shard = 0; shard < positions.size(); ++shard) {
    committed_[shard] = positions[shard];
  }
  commit_at_ = clock_.monotonic() + options_.commit_interval;
  maintain_at_ = clock_.monotonic() + options_.maintain_interval;
  if (!is_driven()) thread_ = std::thread([this] { run(); });
}

void HistoryFeed::run() {
  while (turn()) {
  }
  end();
}

void HistoryFeed::end() {
  {
    const std::lock_guard lock(tasks_mutex_);
    has_ended_ = true;
  }
  run_tasks();
}

bool HistoryFeed::push(FeedItem&& item) {
  if (!is_driven()) return queue_.push(std::move(item));
  while (!queue_.try_push(std::move(item))) {
    if (queue_.is_closed()) return false;
    (void)turn();
  }
  return true;
}

HistoryFeed::~HistoryFeed() { (void)flush_and_stop({}); }

std::uint64_t HistoryFeed::committed_position(std::uint32_t shard) const {
  FICUS_CHECK(shard < committed_.size());
  return committed_[shard].load(std::memory_order_acquire);
}

Status HistoryFeed::flush_and_stop(Micros patience) {
  if (stopping_) return last_;
  stop_by_ = (clock_.monotonic() + patience).count;
  stopping_ = true;
  queue_.close();
  if (is_driven()) {
    // Its clock stands still meanwhile: what is queued is taken, and one try to commit it.
    if (turn()) (void)turn();
    end();
  } else {
    thread_.join();
  }
  return last_;
}

bool HistoryFeed::turn() {
  // So that an empty queue is not asked without a pause while a busy commit waits.
  constexpr Micros kLookInterval = Micros::from_millis(20);
  const Micros busy_wait =
      std::max(Micros{}, options_.commit_interval_busy - options_.commit_interval);
  items_.clear();
  Micros wait = std::max(dirty_ ? kLookInterval : Micros{}, commit_at_ - clock_.monotonic());
  if (is_driven()) wait = {};
  // While the database refuses, nothing more is taken: the queue fills and pushes wait.
  if (is_open_ && failures_ == 0) is_open_ = queue_.drain(items_, wait);
  for (FeedItem& item : items_) {
    take(item);
    if (rows_pending_ >= options_.commit_rows_max && failures_ == 0) commit();
  }
  const Micros now = clock_.monotonic();
  const bool is_busy = rows_pending_ >= options_.commit_rows_busy && now < commit_at_ + busy_wait;
  if (!is_open_ || failures_ > 0 || (now >= commit_at_ && !is_busy)) {
    if (dirty_ && !commit()) {
      if (stopping_ && clock_.monotonic().count >= stop_by_) return false;
      if (!is_driven()) {
        std::this_thread::sleep_for(std::chrono::microseconds(
            stopping_ ? options_.commit_interval.count : options_.retry_after.count));
      }
    }
    commit_at_ = clock_.monotonic() + options_.commit_interval;
  }
  run_tasks();
  // Also while commits fail: maintenance may set the damaged file aside that they fail on.
  if (!stopping_ && now >= maintain_at_) {
    maintain();
    maintain_at_ = clock_.monotonic() + options_.maintain_interval;
  }
  return is_open_ || dirty_;
}

bool HistoryFeed::run_between_commits(std::move_only_function<void()> task) {
  const std::lock_guard lock(tasks_mutex_);
  if (has_ended_) return false;
  tasks_.push_back(std::move(task));
  return true;
}

void HistoryFeed::run_tasks() {
  std::vector<std::move_only_function<void()>> tasks;
  {
    const std::lock_guard lock(tasks_mutex_);
    tasks.swap(tasks_);
  }
  for (auto& task : tasks) task();
}

void HistoryFeed::take(FeedItem& item) {
  FICUS_CHECK(item.shard < taken_.size());
  if (item.again_after) {  // its quarantined items were never lost
    take_rows(item);
    history_.note_given({item.shard, *item.again_after, item.position_end, true});
    dirty_ = true;
    return;
  }
  // The history already has it: the log was replayed from an earlier point than it asked for.
  if (item.position_end <= taken_[item.shard]) return;
  take_rows(item);
  if (!item.quarantined.empty()) {
    const Status status =
        history_.append_quarantine(item.source, item.received_at, item.quarantined);
    FICUS_CHECK(status.has_value());
    rows_pending_ += item.quarantined.size();
  }
  taken_[item.shard] = item.position_end;
  dirty_ = true;
}

void HistoryFeed::take_rows(FeedItem& item) {
  for (Rows& rows : item.rows) {
    rows_pending_ += rows.batch->row_count();
    rows.shard = item.shard;
    rows.position = item.position_end;
    rows.is_again = item.again_after.has_value();
    // Appending only remembers; it has no way to fail that a retry would mend.
    const Status status = history_.append(std::move(rows));
    FICUS_CHECK(status.has_value());
  }
}

bool HistoryFeed::commit() {
  last_ = history_.commit(taken_);
  if (!last_) {
    ++failures_;
    if (events_.failed) events_.failed(last_.error(), failures_);
    return false;
  }
  for (std::size_t shard = 0; shard < taken_.size(); ++shard) {
    committed_[shard].store(taken_[shard], std::memory_order_release);
  }
  rows_pending_ = 0;
  dirty_ = false;
  if (failures_ > 0 && events_.recovered) events_.recovered();
  failures_ = 0;
  return true;
}

void HistoryFeed::maintain() {
  const Result<MaintenanceReport> report = history_.maintain(clock_.now());
  if (!report) {
    if (events_.failed) events_.failed(report.error(), 1);
  } else if (!report->is_empty() && events_.maintained) {
    events_.maintained(*report);
  }
}

}  // namespace ficus::history
