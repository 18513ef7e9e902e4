#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

// Topic names and topic filters (MQTT 5.0, 4.7 and 4.8; the same in 3.1.1 but for shared
// subscriptions). All functions take well-formed UTF-8, as the decoder ensures, and compare byte by
// byte (4.7.3).

namespace ficus::mqtt {

inline constexpr std::size_t kTopicBytesMax = 65'535;  // 4.7.3

// 1 to 65 535 bytes, no wildcard, no U+0000 (4.7.1, 4.7.3).
bool is_valid_topic_name(std::string_view topic);

// "#" only as the whole last level, "+" only as a whole level (4.7.1). Says nothing about "$share".
bool is_valid_topic_filter(std::string_view filter);

// Whether a topic name matches a filter. A wildcard in the first level does not match names that
// begin with "$" (4.7.2). REQUIRES: both valid; the filter of a shared subscription without its
// "$share/NAME/".
bool matches(std::string_view filter, std::string_view topic);

// A filter as a client sends it: "$share/workers/city/+/noise" is shared by the group "workers" and
// filters "city/+/noise" (4.8.2).
struct ParsedFilter {
  std::string_view group;  // empty: not shared
  std::string_view filter;

  bool is_shared() const { return !group.empty(); }
  friend bool operator==(const ParsedFilter&, const ParsedFilter&) = default;
};

// Nothing if the filter is invalid: also a share name that is empty or holds a wildcard, or no
// filter after it.
std::optional<ParsedFilter> parse_filter(std::string_view filter);

// The levels of a name or filter, split at "/", empty ones included: "/a//b" has four levels.
class TopicLevels {
 public:
  explicit TopicLevels(std::string_view topic) : rest_(topic) {}

  // The next level; nothing after the last. Every topic has at least one level.
  std::optional<std::string_view> next();

 private:
  std::string_view rest_;
  bool done_ = false;
};

}  // namespace ficus::mqtt
