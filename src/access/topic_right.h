#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace ficus::access {

// A right to topics: an MQTT topic filter in which "%u" stands for the user's name and "%c" for the
// client id, at most once in each level: "city/bus/%u/#". As in MQTT, a wildcard in the first level
// covers no topic that begins with "$" (MQTT 5.0, 4.7.2). An immutable value.
class TopicRight {
 public:
  // The error says what is wrong with the pattern.
  static Result<TopicRight> parse(std::string_view pattern);

  // The same with the user's name put in. REQUIRES: the name fits is_user_name().
  TopicRight for_user(std::string_view user) const;

  const std::string& pattern() const { return pattern_; }

  // Whether the topic is covered. Allocates nothing. A client id that is empty or holds "/", "+",
  // "#" or "%" fits no "%c": it could stand for more than itself.
  bool covers_topic(std::string_view topic, std::string_view client_id) const;

  // Whether every topic that the filter matches is covered. `filter` without "$share/GROUP/".
  // REQUIRES: a valid filter.
  bool covers_filter(std::string_view filter, std::string_view client_id) const;

 private:
  explicit TopicRight(std::string pattern);

  std::string pattern_;
  bool has_client_id_ = false;
};

// 1 to 64 bytes of UTF-8: letters, digits, "." "_" "-" "@", and anything beyond ASCII. So a name
// can stand in a topic, in Basic credentials (RFC 7617 forbids ":") and in a line of text as it is.
bool is_user_name(std::string_view name);

}  // namespace ficus::access
