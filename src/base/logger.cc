#include "base/logger.h"

#include <string>

#include "base/time_text.h"

namespace ficus {
namespace {

std::string_view level_name(LogLevel level) {
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

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= ' ' || c == '"' || c == '=' || c == '\\' || u == 0x7f) return true;
  }
  return false;
}

// A value may come from outside: control characters must not forge a line.
void append_value(std::string_view value, std::string& line) {
  if (!needs_quotes(value)) {
    line += value;
    return;
  }
  constexpr char kHex[] = "0123456789abcdef";
  line += '"';
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (u < ' ' || u == 0x7f) {
      line += "\\x";
      line += kHex[u >> 4];
      line += kHex[u & 15];
    } else {
      line += c;
    }
  }
  line += '"';
}

void append_field(std::string_view key, std::string_view value, std::string& line) {
  line += ' ';
  line += key;
  line += '=';
  append_value(value, line);
}

}  // namespace

void Logger::log(LogLevel level, std::string_view room, std::string_view message,
                 std::initializer_list<LogField> fields) {
  if (level < least_) return;
  std::string line = "time=";
  append_iso8601(clock_.now(), line);
  append_field("level", level_name(level), line);
  append_field("room", room, line);
  append_field("message", message, line);
  for (const LogField& field : fields) append_field(field.key, field.value, line);
  line += '\n';
  const std::lock_guard lock(mutex_);
  std::fwrite(line.data(), 1, line.size(), out_);
  std::fflush(out_);
}

}  // namespace ficus
