#include "access/topic_right.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "codec/mqtt/topic.h"

namespace ficus::access {
namespace {

TopicRight right(std::string_view pattern) { return TopicRight::parse(pattern)->for_user("wang"); }

TEST(TopicRight, RefusesWhatIsNoPattern) {
  for (const char* pattern :
       {"", "a#", "a/#/b", "a+/b", "%", "a/%", "a/%d", "%c%c", "$share/g/a", "\xff", "%%u"}) {
    EXPECT_FALSE(TopicRight::parse(pattern)) << pattern;
  }
}

TEST(TopicRight, PutsUserAndClientIn) {
  EXPECT_TRUE(right("city/%u/#").covers_topic("city/wang/speed", "c"));
  EXPECT_FALSE(right("city/%u/#").covers_topic("city/li/speed", "c"));
  EXPECT_TRUE(right("bus-%u/x").covers_topic("bus-wang/x", ""));
  const TopicRight client = right("%u/pump-%c-a/+");
  EXPECT_TRUE(client.covers_topic("wang/pump-7-a/on", "7"));
  EXPECT_FALSE(client.covers_topic("wang/pump-8-a/on", "7"));
  EXPECT_FALSE(client.covers_topic("wang/pump--a/on", ""));
  EXPECT_TRUE(client.covers_filter("wang/pump-7-a/+", "7"));
  EXPECT_FALSE(client.covers_filter("wang/+/+", "7"));
}

TEST(TopicRight, AClientIdStandsForNothingButItself) {
  const TopicRight client = right("devices/%c/#");
  for (const char* id : {"+", "#", "a/b", "", "%u", "%c"}) {
    EXPECT_FALSE(client.covers_topic("devices/a/b", id)) << id;
    EXPECT_FALSE(client.covers_filter("devices/+/#", id)) << id;
    EXPECT_FALSE(client.covers_topic(std::string("devices/") + id + "/x", id)) << id;
  }
}

TEST(TopicRight, AFilterMustLieWithinItAsAWhole) {
  struct Case {
    const char* pattern;
    const char* filter;
    bool covered;
  };
  for (const Case& c :
       {Case{"a/#", "a/b/#", true}, Case{"a/#", "a", true}, Case{"a/#", "a/+", true},
        Case{"a/+", "a/+", true}, Case{"a/+", "a/#", false}, Case{"a/+", "a/b", true},
        Case{"a/b", "a/+", false}, Case{"a/#", "#", false}, Case{"#", "#", true},
        Case{"+/b", "a/b", true}, Case{"a/+/c", "a/#", false}, Case{"#", "$SYS/x", false},
        Case{"+/x", "$SYS/x", false}, Case{"$SYS/#", "$SYS/x", true}, Case{"a", "a/b", false},
        Case{"a/b", "a", false}, Case{"a/", "a", false}, Case{"a/+", "a/", true},
        Case{"a/+", "a", false}}) {
    EXPECT_EQ(right(c.pattern).covers_filter(c.filter, "c"), c.covered)
        << c.pattern << " " << c.filter;
  }
}

// Against the meaning itself: a covered filter matches no topic that the right does not cover.
TEST(TopicRight, CoveredFiltersMatchCoveredTopicsOnly) {
  Random random(3);
  const auto some = [&](bool wild) {
    std::string text;
    const std::uint64_t levels = 1 + random.below(3);
    for (std::uint64_t i = 0; i < levels; ++i) {
      if (i > 0) text += '/';
      const std::uint64_t kind = random.below(wild ? 5 : 3);
      if (kind == 4 && i + 1 == levels) return text + "#";
      text += kind == 3 ? "+" : kind == 2 ? "$b" : kind == 1 ? "a" : "";
    }
    return text.empty() ? std::string("a") : text;
  };
  int covered = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string pattern = some(true);
    const std::string filter = some(true);
    const std::string topic = some(false);
    if (!right(pattern).covers_filter(filter, "c")) continue;
    ++covered;
    if (mqtt::matches(filter, topic)) {
      EXPECT_TRUE(right(pattern).covers_topic(topic, "c"))
          << pattern << " " << filter << " " << topic;
    }
  }
  EXPECT_GT(covered, 1000);
}

TEST(UserName, IsSafeToWriteAnywhere) {
  for (const char* name : {"wang", "王芳", "gate-7", "a.b_c@d"}) EXPECT_TRUE(is_user_name(name));
  for (const char* name : {"", "a b", "a/b", "a+", "#", "a:b", "%u", "a\n", "\"", "$x", "\xff"}) {
    EXPECT_FALSE(is_user_name(name)) << name;
  }
  EXPECT_FALSE(is_user_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace ficus::access
