#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"

namespace ficus {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
std::string_view log_level_name(LogLevel level);

enum class LogFormat : std::uint8_t { logfmt, json };

// One key and value of a log line. Values are quoted and escaped as they are written.
struct LogField {
  std::string_view key;
  std::string_view value;
};

struct LoggerOptions {
  LogFormat format = LogFormat::logfmt;
  // Of one message (the same room and words) so many lines are written in an interval; the others
  // are counted, and the count is written when the interval is over. 0: no limit.
  std::uint32_t burst_lines = 20;
  Micros interval = Micros::from_seconds(10);
  // Each line begins with its syslog priority, "<4>", which journald takes off and understands
  // (sd-daemon(3)).
  bool has_priorities = false;
};

// Structured lines for operators, one a call:
//   time=2026-11-23T08:15:00.250Z level=info room=mqtt message="client connected" client=pump-7
//   {"time":"2026-11-23T08:15:00.250Z","level":"info","room":"mqtt","message":"client
//   connected",...}
// Never give it a secret; a field whose key speaks of one is written as ***. Thread-safe. Owned by
// main; everyone else borrows it.
class Logger {
 public:
  Logger(const Clock& clock, std::FILE* out, LogLevel least, LoggerOptions options = {})
      : clock_(clock), out_(out), least_(least), options_(options) {}
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  void set_level(LogLevel least) { least_.store(least, std::memory_order_relaxed); }
  void set_options(const LoggerOptions& options);

  void log(LogLevel level, std::string_view room, std::string_view message,
           std::initializer_list<LogField> fields = {});
  void debug(std::string_view room, std::string_view message,
             std::initializer_list<LogField> fields = {}) {
    log(LogLevel::debug, room, message, fields);
  }
  void info(std::string_view room, std::string_view message,
            std::initializer_list<LogField> fields = {}) {
    log(LogLevel::info, room, message, fields);
  }
  void warning(std::string_view room, std::string_view message,
               std::initializer_list<LogField> fields = {}) {
    log(LogLevel::warning, room, message, fields);
  }
  void error(std::string_view room, std::string_view message,
             std::initializer_list<LogField> fields = {}) {
    log(LogLevel::error, room, message, fields);
  }

  // The newest warnings and errors, the oldest first, each as the line that was written (without
  // priority).
  struct Recent {
    Timestamp time;
    LogLevel level = LogLevel::info;
    std::string line;
  };
  std::vector<Recent> recent() const;

 private:
  struct Repeats {
    LogLevel level = LogLevel::info;
    Micros begun;
    std::uint32_t written = 0;
    std::uint64_t held_back = 0;
  };
  bool may_write(LogLevel level, std::string_view room, std::string_view message, Micros now);
  void write_counts(Micros now, bool all);
  void write(LogLevel level, std::string_view room, std::string_view message,
             std::initializer_list<LogField> fields);

  const Clock& clock_;
  std::FILE* const out_;
  std::atomic<LogLevel> least_;

  mutable std::mutex mutex_;  // lines come from every thread
  LoggerOptions options_;
  std::unordered_map<std::string, Repeats> repeats_;  // room '\n' message; a bounded number
  std::size_t held_back_keys_ = 0;                    // entries with held_back > 0
  std::deque<Recent> recent_;
};

}  // namespace ficus
