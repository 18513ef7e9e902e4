#include "base/logger.h"

#include <algorithm>
#include <cctype>

#include "base/time_text.h"

namespace ficus {
namespace {

constexpr std::size_t kRecentMax = 20;
// Messages are words of the program, so they are few; this only keeps a mistake from growing.
constexpr std::size_t kMessagesMax = 1000;
constexpr char kHex[] = "0123456789abcdef";

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= ' ' || c == '"' || c == '=' || c == '\\' || u == 0x7f) return true;
  }
  return false;
}

// Quoted as JSON does it (RFC 8259, 7), in both formats. A value may come from outside: control
// characters must not forge a line.
void append_quoted(std::string_view value, std::string& line) {
  line += '"';
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else if (u < ' ' || u == 0x7f) {
      line += "\\u00";
      line += kHex[u >> 4];
      line += kHex[u & 15];
    } else {
      line += c;
    }
  }
  line += '"';
}

// The last guard behind "never give it a secret".
bool speaks_of_secret(std::string_view key) {
  std::string lower(key);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const std::string_view word : {"password", "secret", "token", "authorization", "cookie"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

void append_field(LogFormat format, std::string_view key, std::string_view value,
                  std::string& line) {
  if (format == LogFormat::json) {
    line += line.empty() ? '{' : ',';
    append_quoted(key, line);
    line += ':';
    return append_quoted(value, line);
  }
  if (!line.empty()) line += ' ';
  line += key;
  line += '=';
  if (needs_quotes(value)) return append_quoted(value, line);
  line += value;
}

// syslog's numbers (RFC 5424, 6.2.1).
const char* priority(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "<7>";
    case LogLevel::info:
      return "<6>";
    case LogLevel::warning:
      return "<4>";
    case LogLevel::error:
      return "<3>";
  }
  return "<3>";
}

}  // namespace

std::string_view log_level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

Logger::~Logger() {
  const std::lock_guard lock(mutex_);
  write_counts({}, true);
}

void Logger::set_options(const LoggerOptions& options) {
  const std::lock_guard lock(mutex_);
  options_ = options;
}

void Logger::log(LogLevel level, std::string_view room, std::string_view message,
                 std::initializer_list<LogField> fields) {
  if (level < least_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  const Micros now = clock_.monotonic();
  if (held_back_keys_ > 0) write_counts(now, false);
  if (may_write(level, room, message, now)) write(level, room, message, fields);
}

bool Logger::may_write(LogLevel level, std::string_view room, std::string_view message,
                       Micros now) {
  if (options_.burst_lines == 0) return true;
  std::string key(room);
  key.append("\n").append(message);
  if (repeats_.size() >= kMessagesMax && !repeats_.contains(key)) {
    write_counts(now, true);
    repeats_.clear();
  }
  Repeats& repeats = repeats_[std::move(key)];
  if (repeats.written == 0 || now - repeats.begun >= options_.interval) {
    repeats = {.level = level, .begun = now, .written = 1, .held_back = 0};
    return true;
  }
  repeats.level = std::max(repeats.level, level);
  if (repeats.written < options_.burst_lines) {
    ++repeats.written;
    return true;
  }
  if (repeats.held_back++ == 0) ++held_back_keys_;
  return false;
}

void Logger::write_counts(Micros now, bool all) {
  for (auto& [key, repeats] : repeats_) {
    if (repeats.held_back == 0 || (!all && now - repeats.begun < options_.interval)) continue;
    const std::size_t split = key.find('\n');
    const std::string text =
        "... repeated " + std::to_string(repeats.held_back) + " times: " + key.substr(split + 1);
    const std::string count = std::to_string(repeats.held_back);
    write(repeats.level, std::string_view(key).substr(0, split), text, {{"repeated", count}});
    repeats = {};
    --held_back_keys_;
  }
}

void Logger::write(LogLevel level, std::string_view room, std::string_view message,
                   std::initializer_list<LogField> fields) {
  const Timestamp time = clock_.now();
  const LogFormat format = options_.format;
  std::string line;
  append_field(format, "time", to_iso8601(time), line);
  append_field(format, "level", log_level_name(level), line);
  append_field(format, "room", room, line);
  append_field(format, "message", message, line);
  for (const LogField& field : fields) {
    append_field(format, field.key, speaks_of_secret(field.key) ? "***" : field.value, line);
  }
  if (format == LogFormat::json) line += '}';
  if (level >= LogLevel::warning) {
    recent_.push_back({time, level, line});
    if (recent_.size() > kRecentMax) recent_.pop_front();
  }
  if (options_.has_priorities) line.insert(0, priority(level));
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), out_);
  std::fflush(out_);
}

std::vector<Logger::Recent> Logger::recent() const {
  const std::lock_guard lock(mutex_);
  return {recent_.begin(), recent_.end()};
}

}  // namespace ficus
