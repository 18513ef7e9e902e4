#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "base/logger.h"

namespace ficus {

struct IntakeOptions {
  std::string directory;
  // New data is refused while less than this is free, so that what was taken can still be written,
  // and snapshots and history with it.
  std::uint64_t reserve_bytes = 0;
};

// Whether new data may come in. It may not while the disk is nearly full, or a log cannot be
// written or synced. Every way in asks is_open() before it takes something new; questions are
// answered all the same. It opens again by itself when there is room and every log has been
// written.
//
// Thread-safe. look() belongs to one thread with a timer: it asks the file system.
class Intake {
 public:
  Intake(Disk& disk, const Clock& clock, Logger& logger, IntakeOptions options)
      : disk_(disk), clock_(clock), logger_(logger), options_(std::move(options)) {}
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  bool is_open() const { return !closed_.load(std::memory_order_relaxed); }
  // What to tell who brings something new: disk_full, or unavailable if a log fails otherwise.
  // Nothing while it is open.
  std::optional<Error> refusal() const;

  // Asks how much is free.
  void look();
  // A log could not be written (try again later) or synced (final: is never followed by log_works).
  void log_failed(const std::string& log, const Error& error);
  void log_works(const std::string& log);

  std::uint64_t free_bytes() const { return free_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t reserve_bytes() const { return options_.reserve_bytes; }
  std::uint64_t times_closed() const { return times_closed_.load(std::memory_order_relaxed); }

 private:
  void settle(bool opens);
  Error why_closed() const;

  Disk& disk_;
  const Clock& clock_;
  Logger& logger_;
  const IntakeOptions options_;
  std::atomic<bool> closed_ = false;
  std::atomic<std::uint64_t> free_bytes_ = 0;
  std::atomic<std::uint64_t> times_closed_ = 0;

  // Guards what follows: touched when something fails, and ten times a second.
  mutable std::mutex mutex_;
  bool is_low_ = false;
  std::map<std::string, Error, std::less<>> failing_;
  std::optional<Micros> logged_at_;
  bool closing_was_logged_ = false;
};

}  // namespace ficus
