#include "app/status_screen.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>
#include <vector>

namespace ficus::app {
namespace {

using json::JsonItems;
using json::JsonKind;
using json::JsonValue;

double number(JsonValue object, std::string_view key) {
  const JsonValue value = object.member(key);
  return value.kind() == JsonKind::number ? value.as_number() : 0;
}

std::string_view text(JsonValue object, std::string_view key) {
  const JsonValue value = object.member(key);
  return value.kind() == JsonKind::text ? value.as_text() : std::string_view();
}

std::string bytes(double count) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (count >= 1024 && unit + 1 < std::size(kUnits)) {
    count /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", count, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string count(double n) {
  if (n < 100'000) return fmt::format("{:.0f}", n);
  if (n < 10'000'000) return fmt::format("{:.1f}k", n / 1e3);
  return fmt::format("{:.1f}M", n / 1e6);
}

std::string duration(double seconds) {
  const auto s = static_cast<long long>(seconds);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{} h {} min", s / 3600, s / 60 % 60);
  return fmt::format("{} d {} h", s / 86'400, s / 3600 % 24);
}

// Writes the screen part by part. Headings of tables stay English words in both languages where
// they are names of the interface (docs/API.md); everything else is in the operator's language.
class Screen {
 public:
  Screen(JsonValue status, const ScreenStyle& style) : status_(status), style_(style) {}

  std::string run() {
    head();
    problems();
    machine();
    sources();
    shards();
    errors();
    return std::move(out_);
  }

 private:
  const char* say(const char* zh, const char* en) const { return style_.chinese ? zh : en; }
  template <typename... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  std::string coloured(std::string_view words, int colour) const {
    if (!style_.colours) return std::string(words);
    return fmt::format("\x1b[{}m{}\x1b[0m", colour, words);
  }

  void head() {
    const bool ok = text(status_, "status") == "ok";
    put("ficus {}  {}  {} {}  {}\n", text(status_, "version"),
        ok ? coloured(say("正常", "ok"), 32) : coloured(say("异常", "degraded"), 31),
        say("已运行", "up"), duration(number(status_, "uptimeSeconds")), text(status_, "time"));
  }

  void problems() {
    for (JsonItems items(status_.member("problems")); items.next();) {
      put("  ! {}: {}\n", text(items.value(), "code"), text(items.value(), "message"));
    }
  }

  void machine() {
    put("{} {}   {} {}   {} {}   {} {}\n", say("实体", "entities"),
        count(number(status_, "entities")), say("未关闭告警", "open alerts"),
        count(number(status_, "alertsOpen")), say("规则", "rules"), number(status_, "rules"),
        say("规则失败", "rule failures"), count(number(status_, "ruleFailures")));
    const JsonValue disk = status_.member("disk");
    const JsonValue history = status_.member("history");
    put("{} {}   {} {}   {} {} + {} ({})\n", say("内存", "memory"),
        bytes(number(status_, "memoryBytes")), say("磁盘可用", "disk free"),
        bytes(number(disk, "freeBytes")), say("历史行数", "history rows"),
        count(number(history, "rowsTail")), count(number(history, "rowsSealed")),
        bytes(number(history, "bytesSealed")));
    const JsonValue mqtt = status_.member("mqtt");
    put("MQTT: {} {}, {} {}, {} {}, {} {}, {} {}, {} {}\n", count(number(mqtt, "connections")),
        say("连接", "connections"), count(number(mqtt, "sessions")), say("会话", "sessions"),
        count(number(mqtt, "received")), say("已收", "received"), count(number(mqtt, "sent")),
        say("已发", "sent"), count(number(mqtt, "dropped")), say("丢弃", "dropped"),
        count(number(mqtt, "retained")), say("保留", "retained"));
  }

  void sources() {
    // Widths count columns of the terminal, which names in Latin letters fill one by one.
    put("\n{:<22} {:>9} {:>10} {:>10} {:>7} {:>7} {:>7} {:>7}  {}\n", "source", "rate/s",
        "received", "applied", "late", "dup", "quar", "refused", "books");
    bool any = false;
    for (JsonItems items(status_.member("sources").member("sources")); items.next(); any = true) {
      const JsonValue s = items.value();
      const double sum = number(s, "applied") + number(s, "late") + number(s, "duplicate") +
                         number(s, "quarantined") + number(s, "refused");
      const bool balanced = sum == number(s, "received");
      put("{:<22} {:>9.1f} {:>10} {:>10} {:>7} {:>7} {:>7} {:>7}  {}\n", text(s, "name"),
          number(s, "ratePerSecond"), count(number(s, "received")), count(number(s, "applied")),
          count(number(s, "late")), count(number(s, "duplicate")), count(number(s, "quarantined")),
          count(number(s, "refused")),
          balanced ? say("平", "balanced") : coloured(say("不平", "NOT BALANCED"), 31));
    }
    if (!any) put("{}\n", say("（没有数据源）", "(no sources)"));
  }

  void shards() {
    put("\n{:<6} {:>9} {:>10} {:>11} {:>10} {:>12} {:>12} {:>12}\n", "shard", "entities", "twin",
        "queue", "log", "ack mean ms", "ack max ms", "history lag");
    std::size_t index = 0;
    for (JsonItems items(status_.member("shards")); items.next(); ++index) {
      const JsonValue s = items.value();
      put("{:<6} {:>9} {:>10} {:>11} {:>10} {:>12.2f} {:>12.2f} {:>12}\n", index,
          count(number(s, "entities")), bytes(number(s, "twinBytes")),
          fmt::format("{:.0f}/{:.0f}", number(s, "queued"), number(s, "queueMax")),
          bytes(number(s, "logBytes")), number(s, "acknowledgeMicros") / 1000,
          number(s, "acknowledgeMicrosMax") / 1000, bytes(number(s, "historyLagBytes")));
    }
  }

  void errors() {
    std::vector<std::string_view> lines;
    for (JsonItems items(status_.member("lastErrors")); items.next();) {
      lines.push_back(text(items.value(), "line"));
    }
    if (lines.empty()) return;
    constexpr std::size_t kShown = 5;
    constexpr std::size_t kLineBytesMax = 300;
    put("\n{}\n", say("最近的警告和错误：", "last warnings and errors:"));
    for (std::size_t i = lines.size() > kShown ? lines.size() - kShown : 0; i < lines.size(); ++i) {
      put("  {}{}\n", utf8_prefix(lines[i], kLineBytesMax),
          lines[i].size() > kLineBytesMax ? "..." : "");
    }
  }

  // At most so many bytes, without cutting a character.
  static std::string_view utf8_prefix(std::string_view words, std::size_t bytes_max) {
    if (words.size() <= bytes_max) return words;
    while (bytes_max > 0 && (static_cast<unsigned char>(words[bytes_max]) & 0xc0U) == 0x80U) {
      --bytes_max;
    }
    return words.substr(0, bytes_max);
  }

  const JsonValue status_;
  const ScreenStyle style_;
  std::string out_;
};

}  // namespace

std::string status_screen(JsonValue status, const ScreenStyle& style) {
  return Screen(status, style).run();
}

std::string unreachable_text(std::string_view url, std::string_view why, bool chinese) {
  return chinese
             ? fmt::format("ficus: 无法连接 {}：{}。服务在运行吗？地址对吗（--url）？", url, why)
             : fmt::format("ficus: cannot reach {}: {}. Is it running, and is --url right?", url,
                           why);
}

}  // namespace ficus::app
