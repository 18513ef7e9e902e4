#include "engine/intake.h"

#include <fmt/format.h>

namespace ficus {
namespace {

// A disk that swings around the reserve is not told of each time.
constexpr Micros kLogAgainAfter = Micros::from_seconds(30);
// Room must be clearly back, or what was just taken would close the intake again.
constexpr std::uint64_t kHysteresisDivisor = 8;

std::uint64_t to_mib(std::uint64_t bytes) { return bytes >> 20; }

}  // namespace

std::optional<Error> Intake::refusal() const {
  if (is_open()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return why_closed();
}

Error Intake::why_closed() const {
  for (const auto& [log, error] : failing_) {
    if (error.code != ErrorCode::disk_full) {
      return {ErrorCode::unavailable, fmt::format("nothing new is taken: {}", error.message)};
    }
  }
  return {ErrorCode::disk_full,
          fmt::format("the disk of {} is full: {} MiB are free, {} MiB are kept in reserve "
                      "(log.disk_reserve_mib): free some space, then it goes on by itself",
                      options_.directory, to_mib(free_bytes()), to_mib(options_.reserve_bytes))};
}

void Intake::look() {
  const auto free = disk_.free_bytes(options_.directory);
  const std::lock_guard lock(mutex_);
  // A file system that does not answer is found out by the next write.
  if (!free) return;
  free_bytes_.store(*free, std::memory_order_relaxed);
  const std::uint64_t enough =
      options_.reserve_bytes + (is_low_ ? options_.reserve_bytes / kHysteresisDivisor : 0);
  is_low_ = *free < enough;
  settle(!is_low_ && failing_.empty());
}

void Intake::log_failed(const std::string& log, const Error& error) {
  const std::lock_guard lock(mutex_);
  failing_.insert_or_assign(log, error);
  settle(false);
}

void Intake::log_works(const std::string& log) {
  const std::lock_guard lock(mutex_);
  failing_.erase(log);
  settle(!is_low_ && failing_.empty());
}

void Intake::settle(bool opens) {
  if (opens != closed_.load(std::memory_order_relaxed)) return;
  closed_.store(!opens, std::memory_order_relaxed);
  if (opens) {
    if (!closing_was_logged_) return;
    closing_was_logged_ = false;
    logger_.info("intake", "new data is taken again",
                 {{"directory", options_.directory}, {"free_bytes", std::to_string(free_bytes())}});
    return;
  }
  times_closed_.fetch_add(1, std::memory_order_relaxed);
  const Micros now = clock_.monotonic();
  if (logged_at_ && now - *logged_at_ < kLogAgainAfter) return;
  logged_at_ = now;
  closing_was_logged_ = true;
  logger_.error("intake", "new data is refused; questions are answered",
                {{"directory", options_.directory},
                 {"free_bytes", std::to_string(free_bytes())},
                 {"reserve_bytes", std::to_string(options_.reserve_bytes)},
                 {"error", why_closed().message}});
}

}  // namespace ficus
