#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ficus::connect {

// An MQTT topic with named places: `city/{line}/vehicle/{vehicle}`. `{name}` stands for the text of
// one level (or for a part of it: `bus-{number}`), '+' for any one level, a final '#' for any rest
// (MQTT 5.0, 4.7.1). A value.
class TopicPattern {
 public:
  TopicPattern() = default;
  // The error names the column and what was expected there.
  static Result<TopicPattern> compile(std::string_view text);

  const std::string& text() const { return text_; }
  // The same as an MQTT topic filter: `city/+/vehicle/+`.
  const std::string& filter() const { return filter_; }
  // The names of the places, in order.
  const std::vector<std::string>& names() const { return names_; }

  // Whether the topic fits; if so, `values` holds the text of each place (views into `topic`).
  bool match(std::string_view topic, std::vector<std::string_view>& values) const;

  friend bool operator==(const TopicPattern& a, const TopicPattern& b) {
    return a.text_ == b.text_;
  }

 private:
  struct Level {
    bool is_place = false;  // holds a place, or is '+'
    bool is_named = false;
    std::string before;  // literal text before the place, or the whole level
    std::string after;
  };
  static Result<Level> compile_level(std::string_view text, std::size_t column,
                                     std::vector<std::string>& names);

  std::string text_;
  std::string filter_;
  std::vector<std::string> names_;
  std::vector<Level> levels_;
  bool takes_rest_ = false;
};

}  // namespace ficus::connect
