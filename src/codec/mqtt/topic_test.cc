#include "codec/mqtt/topic.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace ficus::mqtt {
namespace {

using std::string_literals::operator""s;

TEST(MqttTopic, NamesAreNotEmptyAndHoldNoWildcard) {
  for (const std::string& name : {"a"s, "/"s, "a/b"s, "/a"s, "a/"s, "a//b"s, "$SYS/load"s, " "s,
                                  "city/福州/noise"s, std::string(65'535, 'x')}) {
    EXPECT_TRUE(is_valid_topic_name(name)) << name.substr(0, 40);
  }
  for (const std::string& name :
       {""s, "+"s, "#"s, "a/+"s, "a/#"s, "a+b"s, "a\0b"s, "0123456+"s, "01234567#"s, "0123456\0"s,
        "01234567\0"s, std::string(65'536, 'x')}) {
    EXPECT_FALSE(is_valid_topic_name(name)) << name.substr(0, 40);
  }
}

TEST(MqttTopic, EveryPlaceInAWordIsSearched) {
  for (std::size_t length = 1; length < 20; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (const char c : {'+', '#', '\0'}) {
        std::string name(length, '\xff');
        EXPECT_TRUE(is_valid_topic_name(name));
        name[at] = c;
        EXPECT_FALSE(is_valid_topic_name(name)) << length << " " << at;
      }
    }
  }
}

// The examples of 4.7.1.2 and 4.7.1.3, and more.
TEST(MqttTopic, Filters) {
  for (const char* filter : {"#", "+", "sport/tennis/#", "sport/tennis/player1", "+/tennis/#",
                             "sport/+/player1", "/+", "+/+", "/#", "//", "a/+/+/#", "$SYS/#"}) {
    EXPECT_TRUE(is_valid_topic_filter(filter)) << filter;
  }
  for (const std::string& filter :
       {""s, "sport/tennis#"s, "sport/tennis/#/ranking"s, "sport+"s, "sport/+x/y"s, "++"s, "#/"s,
        "##"s, "+#"s, "/+#"s, "a/#+"s, "a\0"s, std::string(65'536, 'x')}) {
    EXPECT_FALSE(is_valid_topic_filter(filter)) << filter.substr(0, 40);
  }
}

TEST(MqttTopic, MatchesAsTheStandardSays) {
  struct Case {
    const char* filter;
    const char* topic;
    bool is_match;
  };
  const Case cases[] = {
      // 4.7.1.2
      {"sport/tennis/player1/#", "sport/tennis/player1", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
      {"sport/tennis/player1/#", "sport/tennis/player12", false},
      {"sport/#", "sport", true},
      {"sport/#", "sports", false},
      {"#", "a/b/c", true},
      {"#", "/", true},
      // 4.7.1.3
      {"sport/tennis/+", "sport/tennis/player1", true},
      {"sport/tennis/+", "sport/tennis/player1/ranking", false},
      {"sport/+", "sport", false},
      {"sport/+", "sport/", true},
      {"+/+", "/finance", true},
      {"/+", "/finance", true},
      {"+", "/finance", false},
      {"+/#", "a", true},
      // 4.7.2
      {"#", "$SYS/load", false},
      {"+/monitor/Clients", "$SYS/monitor/Clients", false},
      {"$SYS/#", "$SYS/", true},
      {"$SYS/#", "$SYS", true},
      {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
      {"a/#", "a/$b", true},
      {"a/+", "a/$b", true},
      // 4.7.3
      {"ACCOUNTS", "Accounts", false},
      {"/A", "A", false},
      {"a//b", "a//b", true},
      {"a/+/b", "a//b", true},
      {"a/b", "a/b/c", false},
      {"a/b/c", "a/b", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(matches(c.filter, c.topic), c.is_match) << c.filter << " " << c.topic;
  }
}

TEST(MqttTopic, SharedFilters) {
  EXPECT_EQ(parse_filter("a/b"), (ParsedFilter{"", "a/b"}));
  EXPECT_EQ(parse_filter("$share/workers/city/+/#"), (ParsedFilter{"workers", "city/+/#"}));
  EXPECT_EQ(parse_filter("$share/g//a"), (ParsedFilter{"g", "/a"}));
  EXPECT_EQ(parse_filter("$share"), (ParsedFilter{"", "$share"}));
  EXPECT_EQ(parse_filter("$shared/g/a"), (ParsedFilter{"", "$shared/g/a"}));
  for (const char* filter : {"$share/", "$share/g", "$share/g/", "$share//a", "$share/+/a",
                             "$share/#", "$share/a+/b", "$share/g/a#", ""}) {
    EXPECT_FALSE(parse_filter(filter).has_value()) << filter;
  }
}

std::vector<std::string> levels_of(std::string_view topic) {
  std::vector<std::string> result;
  TopicLevels levels(topic);
  while (const auto level = levels.next()) result.emplace_back(*level);
  EXPECT_FALSE(levels.next().has_value());
  return result;
}

TEST(MqttTopic, Levels) {
  EXPECT_EQ(levels_of("a"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(levels_of("/a//b"), (std::vector<std::string>{"", "a", "", "b"}));
  EXPECT_EQ(levels_of("/"), (std::vector<std::string>{"", ""}));
}

// The definition itself, slow and recursive, as an oracle.
bool matches_by_definition(const std::vector<std::string>& filter,
                           const std::vector<std::string>& topic, std::size_t i) {
  if (i == filter.size()) return i == topic.size();
  if (filter[i] == "#") return true;
  if (i >= topic.size()) return false;
  return (filter[i] == "+" || filter[i] == topic[i]) && matches_by_definition(filter, topic, i + 1);
}

TEST(MqttTopic, MatchesAgreesWithTheDefinition) {
  Random random(7);
  const char* const words[] = {"", "a", "b", "$x"};
  int match_count = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string topic = words[random.below(4)];
    for (auto n = random.below(4); n > 0; --n) topic += "/"s + words[random.below(4)];
    std::string filter = random.chance(0.3) ? "+" : words[random.below(4)];
    for (auto n = random.below(4); n > 0; --n) {
      filter += "/"s + (random.chance(0.4) ? "+" : words[random.below(4)]);
    }
    if (random.chance(0.3)) filter += "/#";
    if (!is_valid_topic_name(topic) || !is_valid_topic_filter(filter)) continue;
    const bool is_hidden = topic[0] == '$' && filter[0] == '+';
    const bool expected =
        !is_hidden && matches_by_definition(levels_of(filter), levels_of(topic), 0);
    EXPECT_EQ(matches(filter, topic), expected) << filter << " " << topic;
    match_count += expected ? 1 : 0;
  }
  EXPECT_GT(match_count, 500);
}

}  // namespace
}  // namespace ficus::mqtt
