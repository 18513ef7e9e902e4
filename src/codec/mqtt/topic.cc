#include "codec/mqtt/topic.h"

#include <cstdint>
#include <cstring>

namespace ficus::mqtt {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101ULL;

// Not zero when one of the word's eight bytes is `value`. The classic test for a zero byte after an
// xor.
constexpr std::uint64_t has_byte(std::uint64_t word, unsigned char value) {
  const std::uint64_t x = word ^ (kOnes * value);
  return (x - kOnes) & ~x & (kOnes << 7);
}

constexpr bool is_forbidden_in_name(char c) { return c == '+' || c == '#' || c == '\0'; }

}  // namespace

bool is_valid_topic_name(std::string_view topic) {
  if (topic.empty() || topic.size() > kTopicBytesMax) return false;
  const char* p = topic.data();
  const char* const end = p + topic.size();
  for (; end - p >= 8; p += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    if ((has_byte(word, '+') | has_byte(word, '#') | has_byte(word, 0)) != 0) return false;
  }
  for (; p < end; ++p) {
    if (is_forbidden_in_name(*p)) return false;
  }
  return true;
}

bool is_valid_topic_filter(std::string_view filter) {
  if (filter.empty() || filter.size() > kTopicBytesMax) return false;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    const char c = filter[i];
    if (!is_forbidden_in_name(c)) continue;
    if (c == '\0') return false;
    const bool begins_level = i == 0 || filter[i - 1] == '/';
    const bool is_last = i + 1 == filter.size();
    // [MQTT-4.7.1-1] for "#", [MQTT-4.7.1-2] for "+".
    const bool ends_level = is_last || (c == '+' && filter[i + 1] == '/');
    if (!begins_level || !ends_level) return false;
  }
  return true;
}

// One pass over both: where the filter has a character, the topic must have the same. A wildcard
// begins a level of the filter, and as all before it was equal, the topic is at the beginning of a
// level there too.
bool matches(std::string_view filter, std::string_view topic) {
  // [MQTT-4.7.2-1]: names such as "$SYS/load" are asked for by their first level only.
  if (topic.starts_with('$') && (filter.starts_with('#') || filter.starts_with('+'))) return false;
  const char* t = topic.data();
  const char* const topic_end = t + topic.size();
  const char* f = filter.data();
  const char* const filter_end = f + filter.size();
  for (; f < filter_end; ++f) {
    if (*f == '#') return true;
    if (*f == '+') {
      while (t < topic_end && *t != '/') ++t;
      continue;
    }
    // "a/#" also matches its parent level "a" (4.7.1.2).
    if (t == topic_end) return std::string_view(f, filter_end) == "/#";
    if (*f != *t++) return false;
  }
  return t == topic_end;
}

std::optional<ParsedFilter> parse_filter(std::string_view filter) {
  constexpr std::string_view kShare = "$share/";
  if (!is_valid_topic_filter(filter)) return std::nullopt;
  if (!filter.starts_with(kShare)) return ParsedFilter{.group = {}, .filter = filter};
  const std::string_view rest = filter.substr(kShare.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;  // [MQTT-4.8.2-2]
  const ParsedFilter parsed{.group = rest.substr(0, slash), .filter = rest.substr(slash + 1)};
  // [MQTT-4.8.2-1]; a valid topic name without "/" is exactly what a share name may be.
  if (!is_valid_topic_name(parsed.group) || parsed.filter.empty()) return std::nullopt;
  return parsed;
}

std::optional<std::string_view> TopicLevels::next() {
  if (done_) return std::nullopt;
  const std::size_t slash = rest_.find('/');
  const std::string_view level = rest_.substr(0, slash);
  done_ = slash == std::string_view::npos;
  if (!done_) rest_.remove_prefix(slash + 1);
  return level;
}

}  // namespace ficus::mqtt
