#include "connect/mapping/topic_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "connect/mapping/text_template.h"

namespace ficus::connect {
namespace {

constexpr std::size_t kTopicBytesMax = 65'535;  // MQTT 5.0, 1.5.4

std::unexpected<Error> expected(std::size_t column, std::string_view what) {
  return invalid(fmt::format("column {}: {}", column, what));
}

}  // namespace

Result<TopicPattern> TopicPattern::compile(std::string_view text) {
  if (text.empty()) return expected(1, "expected a topic");
  if (text.size() > kTopicBytesMax || !is_valid_utf8(text) || text.contains('\0')) {
    return expected(1, "a topic is UTF-8 of at most 65535 bytes without NUL");
  }
  TopicPattern pattern;
  pattern.text_ = text;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    if (part == "#") {
      if (end != text.size()) return expected(begin + 1, "'#' may only be the last level");
      pattern.takes_rest_ = true;
      pattern.filter_ += begin == 0 ? "#" : "/#";
      return pattern;
    }
    FICUS_TRY(Level level, compile_level(part, begin + 1, pattern.names_));
    if (begin > 0) pattern.filter_.push_back('/');
    pattern.filter_ += level.is_place ? "+" : level.before;
    pattern.levels_.push_back(std::move(level));
    begin = end + 1;
  }
  return pattern;
}

Result<TopicPattern::Level> TopicPattern::compile_level(std::string_view text, std::size_t column,
                                                        std::vector<std::string>& names) {
  Level level;
  if (text == "+") {
    level.is_place = true;
    return level;
  }
  const std::size_t wildcard = text.find_first_of("+#");
  if (wildcard != std::string_view::npos) {
    return expected(
        column + wildcard,
        fmt::format("'{}' must be a level of its own; a named level is written {{name}}",
                    text[wildcard]));
  }
  const std::size_t open = text.find('{');
  if (open == std::string_view::npos) {
    if (text.contains('}')) return expected(column + text.find('}'), "'}' without '{'");
    level.before = text;
    return level;
  }
  const std::size_t close = text.find('}', open);
  if (close == std::string_view::npos) return expected(column + open, "'{' without '}'");
  const std::string_view name = text.substr(open + 1, close - open - 1);
  if (!is_placeholder_name(name)) {
    return expected(column + open + 1,
                    "expected a name of letters, digits and '_' between '{' and '}'");
  }
  if (std::ranges::count(names, name) > 0) {
    return expected(column + open + 1, fmt::format("the name '{}' is used twice", name));
  }
  level.is_place = true;
  level.is_named = true;
  level.before = text.substr(0, open);
  level.after = text.substr(close + 1);
  if (level.before.contains('}') || level.after.find_first_of("{}") != std::string::npos) {
    return expected(column, "expected at most one {name} in a level");
  }
  names.emplace_back(name);
  return level;
}

bool TopicPattern::match(std::string_view topic, std::vector<std::string_view>& values) const {
  values.clear();
  // Topics of the broker itself are not meant by a leading wildcard (MQTT 5.0, 4.7.2).
  const bool leading_wildcard = levels_.empty() || levels_.front().is_place;
  if (leading_wildcard && topic.starts_with('$')) return false;
  bool is_done = false;  // the topic has no further level
  for (const Level& level : levels_) {
    if (is_done) return false;
    const std::size_t slash = topic.find('/');
    std::string_view part = topic.substr(0, slash);
    is_done = slash == std::string_view::npos;
    topic.remove_prefix(is_done ? topic.size() : slash + 1);
    if (!level.is_place) {
      if (part != level.before) return false;
      continue;
    }
    if (part.size() < level.before.size() + level.after.size()) return false;
    if (!part.starts_with(level.before) || !part.ends_with(level.after)) return false;
    part.remove_prefix(level.before.size());
    part.remove_suffix(level.after.size());
    if (level.is_named) values.push_back(part);
  }
  return is_done || takes_rest_;
}

}  // namespace ficus::connect
