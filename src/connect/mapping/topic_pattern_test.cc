#include "connect/mapping/topic_pattern.h"

#include <gtest/gtest.h>

namespace ficus::connect {
namespace {

// The values of the places joined by '|', or "no".
std::string match(std::string_view pattern, std::string_view topic) {
  std::vector<std::string_view> values;
  if (!TopicPattern::compile(pattern).value().match(topic, values)) return "no";
  std::string out;
  for (const std::string_view value : values) out += std::string(value) + "|";
  return out;
}

TEST(TopicPattern, MatchesAndTakesThePlaces) {
  EXPECT_EQ(match("city/{line}/vehicle/{vehicle}", "city/K2/vehicle/7"), "K2|7|");
  EXPECT_EQ(match("city/{line}/vehicle/{vehicle}", "city/K2/vehicle"), "no");
  EXPECT_EQ(match("city/{line}/vehicle/{vehicle}", "city/K2/vehicle/7/x"), "no");
  EXPECT_EQ(match("city/{line}/vehicle/{vehicle}", "town/K2/vehicle/7"), "no");
  EXPECT_EQ(match("city/+/{v}", "city//x"), "x|");
  EXPECT_EQ(match("city/bus-{n}.gps", "city/bus-12.gps"), "12|");
  EXPECT_EQ(match("city/bus-{n}.gps", "city/bus-.gps"), "|");
  EXPECT_EQ(match("city/bus-{n}.gps", "city/bus-gps"), "no");
  EXPECT_EQ(match("city/bus-{n}.gps", "city/tram-1.gps"), "no");
  EXPECT_EQ(match("a/{b}/#", "a/1/2/3"), "1|");
  EXPECT_EQ(match("a/{b}/#", "a/1"), "1|");
  EXPECT_EQ(match("a/{b}/#", "a"), "no");
  EXPECT_EQ(match("#", "a/b"), "");
  EXPECT_EQ(match("#", "$SYS/x"), "no");
  EXPECT_EQ(match("{x}", "$SYS"), "no");
  EXPECT_EQ(match("$SYS/{x}", "$SYS/load"), "load|");
  EXPECT_EQ(match("a", "a/"), "no");
  EXPECT_EQ(match("a/", "a/"), "");
  EXPECT_EQ(match("/{a}", "/x"), "x|");
}

TEST(TopicPattern, GivesAnMqttFilter) {
  const auto filter = [](std::string_view text) { return TopicPattern::compile(text)->filter(); };
  EXPECT_EQ(filter("city/{line}/vehicle/{vehicle}"), "city/+/vehicle/+");
  EXPECT_EQ(filter("a/bus-{n}/#"), "a/+/#");
  EXPECT_EQ(filter("#"), "#");
  EXPECT_EQ(filter("/a/"), "/a/");
}

TEST(TopicPattern, SaysWhatIsWrong) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "column 1: expected a topic"},
      {"a/#/b", "column 3: '#' may only be the last level"},
      {"a/+line", "column 3: '+' must be a level of its own; a named level is written {name}"},
      {"a/b#", "column 4: '#' must be a level of its own; a named level is written {name}"},
      {"a/{b", "column 3: '{' without '}'"},
      {"a/b}", "column 4: '}' without '{'"},
      {"a/{b c}", "column 4: expected a name of letters, digits and '_' between '{' and '}'"},
      {"a/{}", "column 4: expected a name of letters, digits and '_' between '{' and '}'"},
      {"{a}/{a}", "column 6: the name 'a' is used twice"},
      {"{a}{b}", "column 1: expected at most one {name} in a level"},
      {"a\xff", "column 1: a topic is UTF-8 of at most 65535 bytes without NUL"},
  };
  for (const auto& [text, message] : cases) {
    const auto result = TopicPattern::compile(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().message, message);
  }
}

}  // namespace
}  // namespace ficus::connect
