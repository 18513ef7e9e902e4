#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <mutex>
#include <string_view>

#include "base/clock.h"

namespace ficus {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// One key and value of a log line. Values are quoted and escaped as they are written.
struct LogField {
  std::string_view key;
  std::string_view value;
};

// Structured lines for operators (logfmt), one a call:
//   time=2026-11-23T08:15:00.250Z level=info room=mqtt message="client connected" client=pump-7
// Never give it a secret. Thread-safe. Owned by main; everyone else borrows it.
class Logger {
 public:
  Logger(const Clock& clock, std::FILE* out, LogLevel least)
      : clock_(clock), out_(out), least_(least) {}

  void set_level(LogLevel least) { least_ = least; }  // before other threads log

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

 private:
  const Clock& clock_;
  std::FILE* const out_;
  LogLevel least_;
  std::mutex mutex_;
};

}  // namespace ficus
