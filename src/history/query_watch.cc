#include "history/query_watch.h"

#include <algorithm>
#include <chrono>

namespace ficus::history {
namespace {

// While something runs. A time limit is met within this; waking costs a microsecond.
constexpr std::chrono::milliseconds kLookInterval(10);
constexpr int kLooksPerMemoryCheck = 5;
constexpr int kLooksAfterStop = 20;  // a second

}  // namespace

QueryWatch::QueryWatch(const Clock& clock) : clock_(clock), thread_([this] { run(); }) {}

QueryWatch::~QueryWatch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

QueryWatch::Guard::Guard(QueryWatch& watch, DuckConnection& connection, Micros deadline,
                         std::uint64_t memory_bytes_max)
    : watch_(watch),
      connection_(&connection),
      since_(watch.clock_.monotonic()),
      deadline_(deadline),
      memory_bytes_max_(memory_bytes_max) {
  {
    const std::lock_guard lock(watch_.mutex_);
    watch_.guards_.push_back(this);
  }
  watch_.changed_.notify_all();
}

QueryWatch::Guard::~Guard() {
  const std::lock_guard lock(watch_.mutex_);
  std::erase(watch_.guards_, this);
}

void QueryWatch::Guard::stop(StopReason reason) {
  const std::lock_guard lock(watch_.mutex_);
  if (!reason_) reason_ = reason;
  connection_->interrupt();
}

void QueryWatch::Guard::set_size_check(std::function<bool()> is_too_large) {
  const std::lock_guard lock(watch_.mutex_);
  is_too_large_ = std::move(is_too_large);
}

std::optional<StopReason> QueryWatch::Guard::stopped() const {
  const std::lock_guard lock(watch_.mutex_);
  return reason_;
}

void QueryWatch::set_database(DuckDatabase* database) {
  const std::lock_guard lock(mutex_);
  memory_connection_.reset();
  if (database == nullptr) return;
  auto connection = DuckConnection::open(*database);
  if (connection) memory_connection_ = std::move(*connection);
}

void QueryWatch::set_upkeep(bool is_running) {
  const std::lock_guard lock(mutex_);
  upkeep_since_.reset();
  if (is_running) upkeep_since_ = clock_.monotonic();
}

void QueryWatch::stop_all() {
  const std::lock_guard lock(mutex_);
  for (Guard* guard : guards_) {
    if (!guard->reason_) guard->reason_ = StopReason::cancelled;
    guard->connection_->interrupt();
  }
}

void QueryWatch::run() {
  std::unique_lock lock(mutex_);
  int looks = 0;
  while (!ending_) {
    if (guards_.empty()) {
      memory_bytes_ = 0;
      last_charge_ = {};  // what is found at first has grown since upkeep began
      changed_.wait(lock, [this] { return ending_ || !guards_.empty(); });
      continue;
    }
    changed_.wait_for(lock, kLookInterval, [this] { return ending_; });
    look();
    if (++looks % kLooksPerMemoryCheck != 0) continue;
    look_at_memory();
  }
}

void QueryWatch::look_at_memory() {
  charge(static_cast<double>(query_memory_bytes()));
  double bytes = 0;
  for (const Guard* guard : guards_) bytes += guard->charged_bytes_;
  Guard* largest = nullptr;
  for (Guard* guard : guards_) {
    if (guard->memory_bytes_max_ == 0) continue;
    if (guard->reason_ == StopReason::memory && ++looks_since_stop_ < kLooksAfterStop) return;
    if (guard->reason_) continue;
    // Of two alike the one that was there first.
    if (largest == nullptr || guard->charged_bytes_ > largest->charged_bytes_) largest = guard;
  }
  if (largest == nullptr || bytes <= static_cast<double>(largest->memory_bytes_max_)) return;
  largest->reason_ = StopReason::memory;
  looks_since_stop_ = 0;
}

void QueryWatch::charge(double bytes) {
  const Micros now = clock_.monotonic();
  // How long each has run since the last look: who has just come has grown by little.
  const auto time_since = [&](Micros begin) {
    return 1 + static_cast<double>((now - std::max(begin, last_charge_)).count);
  };
  double time = upkeep_since_ ? time_since(*upkeep_since_) : 0;
  for (const Guard* guard : guards_) time += time_since(guard->since_);
  const double grown = bytes - memory_bytes_;
  for (Guard* guard : guards_) {
    if (grown > 0) {
      guard->charged_bytes_ += grown * time_since(guard->since_) / time;
    } else if (memory_bytes_ > 0) {
      guard->charged_bytes_ *= bytes / memory_bytes_;
    }
  }
  memory_bytes_ = bytes;
  last_charge_ = now;
}

void QueryWatch::look() {
  const Micros now = clock_.monotonic();
  for (Guard* guard : guards_) {
    if (!guard->reason_ && now >= guard->deadline_) guard->reason_ = StopReason::time;
    if (!guard->reason_ && guard->is_too_large_ && guard->is_too_large_()) {
      guard->reason_ = StopReason::size;
    }
    if (guard->reason_) guard->connection_->interrupt();
  }
}

// What sorting, joining and grouping hold; not the cached blocks, which give way.
std::uint64_t QueryWatch::query_memory_bytes() {
  if (memory_connection_ == nullptr) return 0;
  const auto rows = memory_connection_->select(
      "SELECT CAST(sum(memory_usage_bytes) AS BIGINT) FROM duckdb_memory() WHERE tag IN "
      "('HASH_TABLE', 'ORDER_BY', 'COLUMN_DATA', 'WINDOW', 'ALLOCATOR', 'ART_INDEX')");
  if (!rows || rows->empty()) return 0;
  return static_cast<std::uint64_t>(integer_of((*rows)[0][0]));
}

}  // namespace ficus::history
