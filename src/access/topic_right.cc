#include "access/topic_right.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "codec/mqtt/topic.h"

namespace ficus::access {
namespace {

constexpr std::string_view kUser = "%u";
constexpr std::string_view kClient = "%c";

bool can_stand_in_a_topic(std::string_view client_id) {
  return !client_id.empty() &&
         client_id.find_first_of(std::string_view("/+#%\0", 5)) == std::string_view::npos;
}

// Whether a level of the pattern, without wildcards, is exactly this level of a topic.
bool is_same_level(std::string_view pattern, std::string_view level, std::string_view client_id) {
  const std::size_t at = pattern.find(kClient);
  if (at == std::string_view::npos) return pattern == level;
  const std::string_view after = pattern.substr(at + kClient.size());
  return can_stand_in_a_topic(client_id) && level.size() == at + client_id.size() + after.size() &&
         level.starts_with(pattern.substr(0, at)) && level.ends_with(after) &&
         level.substr(at, client_id.size()) == client_id;
}

// Walks both level by level; `is_filter` tells whether wildcards of `asked` mean anything.
bool covers(std::string_view pattern, std::string_view asked, std::string_view client_id,
            bool is_filter) {
  if (asked.starts_with('$') && (pattern.starts_with('#') || pattern.starts_with('+')))
    return false;
  mqtt::TopicLevels pattern_levels(pattern);
  mqtt::TopicLevels asked_levels(asked);
  while (true) {
    const auto wanted = pattern_levels.next();
    const auto level = asked_levels.next();
    // "a/#" covers its parent level "a" too (4.7.1.2).
    if (wanted && *wanted == "#") return true;
    if (!wanted || !level) return !wanted && !level;
    if (is_filter && *level == "#") return false;
    if (*wanted == "+") continue;
    if (is_filter && *level == "+") return false;
    if (!is_same_level(*wanted, *level, client_id)) return false;
  }
}

}  // namespace

TopicRight::TopicRight(std::string pattern)
    : pattern_(std::move(pattern)), has_client_id_(pattern_.contains(kClient)) {}

Result<TopicRight> TopicRight::parse(std::string_view pattern) {
  const auto wrong = [&](std::string_view why) {
    return invalid(fmt::format("topic right '{}' {}", pattern, why));
  };
  if (!is_valid_utf8(pattern) || !mqtt::is_valid_topic_filter(pattern)) {
    return wrong(
        "is no MQTT topic filter: expected levels between '/', '+' and '#' as whole levels");
  }
  if (pattern.starts_with("$share/")) return wrong("may not begin with $share: name the topics");
  mqtt::TopicLevels levels(pattern);
  while (const auto level = levels.next()) {
    std::size_t clients = 0;
    for (std::size_t at = level->find('%'); at != std::string_view::npos;
         at = level->find('%', at + 2)) {
      const std::string_view placeholder = level->substr(at, 2);
      if (placeholder != kUser && placeholder != kClient) {
        return wrong("has a '%': expected %u (user name) or %c (client id)");
      }
      clients += placeholder == kClient ? 1 : 0;
    }
    if (clients > 1) return wrong("has %c twice in one level");
  }
  return TopicRight(std::string(pattern));
}

TopicRight TopicRight::for_user(std::string_view user) const {
  std::string text;
  std::string_view rest = pattern_;
  for (std::size_t at = rest.find(kUser); at != std::string_view::npos; at = rest.find(kUser)) {
    text.append(rest.substr(0, at));
    text.append(user);
    rest.remove_prefix(at + kUser.size());
  }
  text.append(rest);
  return TopicRight(std::move(text));
}

bool TopicRight::covers_topic(std::string_view topic, std::string_view client_id) const {
  if (!has_client_id_) return mqtt::matches(pattern_, topic);
  return covers(pattern_, topic, client_id, false);
}

bool TopicRight::covers_filter(std::string_view filter, std::string_view client_id) const {
  return covers(pattern_, filter, client_id, true);
}

bool is_user_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || !is_valid_utf8(name)) return false;
  return std::ranges::all_of(name, [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' ||
           c == '@';
  });
}

}  // namespace ficus::access
