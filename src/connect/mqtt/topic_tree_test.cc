#include "connect/mqtt/topic_tree.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "codec/mqtt/topic.h"
#include "connect/mqtt/session.h"

namespace ficus::connect {
namespace {

// Few names, so that filters and topics meet often; empty levels and '$' among them.
std::string random_topic(Random& random, bool with_wildcards) {
  static constexpr const char* kLevels[] = {"a", "b", "", "$s", "ab"};
  std::string topic;
  for (std::uint64_t left = 1 + random.below(4); left > 0; --left) {
    if (with_wildcards && left == 1 && random.chance(0.3)) return topic + "#";
    topic += with_wildcards && random.chance(0.3) ? "+" : kLevels[random.below(5)];
    if (left > 1) topic += '/';
  }
  return topic.empty() ? "a" : topic;
}

std::multiset<const Session*> sessions_of(const TopicTree& tree, std::string_view topic) {
  std::vector<Subscriber> found;
  tree.match(topic, found);
  std::multiset<const Session*> sessions;
  for (const Subscriber& subscriber : found) sessions.insert(subscriber.session);
  return sessions;
}

TEST(TopicTree, FindsWhatMatchesAndNothingElse) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    Session sessions[] = {{"0", 1}, {"1", 2}, {"2", 3}};
    std::set<std::pair<std::string, Session*>> expected;
    TopicTree tree;
    for (int step = 0; step < 80; ++step) {
      Session& session = sessions[random.below(3)];
      const std::string filter = random_topic(random, true);
      ASSERT_TRUE(mqtt::is_valid_topic_filter(filter)) << filter;
      if (random.chance(0.6)) {
        tree.add(filter, session, {});
        expected.emplace(filter, &session);
      } else {
        tree.remove(filter, session);
        expected.erase({filter, &session});
      }
      ASSERT_EQ(tree.size(), expected.size());
      const std::string topic = random_topic(random, false);
      std::multiset<const Session*> wanted;
      for (const auto& [f, s] : expected) {
        if (mqtt::matches(f, topic)) wanted.insert(s);
      }
      ASSERT_EQ(sessions_of(tree, topic), wanted) << "topic " << topic << ", seed " << seed;
      ASSERT_EQ(tree.matches_any(topic), !wanted.empty());
    }
    for (const auto& [filter, session] : expected) tree.remove(filter, *session);
    EXPECT_EQ(tree.size(), 0U);
    EXPECT_FALSE(tree.has_any_under("a"));
  }
}

TEST(TopicTree, ReplacesTheOptionsOfOneFilter) {
  TopicTree tree;
  Session session("c", 1);
  tree.add("a/+", session, {});
  tree.add("a/+", session, {.qos = mqtt::Qos::at_least_once, .no_local = true});
  std::vector<Subscriber> found;
  tree.match("a/b", found);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].options.qos, mqtt::Qos::at_least_once);
  EXPECT_TRUE(found[0].options.no_local);
}

TEST(TopicTree, KnowsWhetherAFilterCanMatchUnderLevels) {
  struct Case {
    const char* filter;
    bool under;
  };
  for (const auto& [filter, under] :
       {Case{"#", true}, Case{"ficus/#", true}, Case{"ficus/entity/#", true},
        Case{"ficus/entity/Vehicle/+", true}, Case{"+/+/Vehicle/x", true},
        Case{"ficus/alert/#", false}, Case{"ficus", false}, Case{"city/#", false},
        Case{"+/alert/x", false}}) {
    TopicTree tree;
    Session session("c", 1);
    tree.add(filter, session, {});
    EXPECT_EQ(tree.has_any_under("ficus/entity"), under) << filter;
    tree.remove(filter, session);
    EXPECT_FALSE(tree.has_any_under("ficus/entity")) << filter;
  }
}

TEST(TopicTree, KnowsWhoWantsAllThatIsBelowLevels) {
  struct Case {
    const char* filter;
    std::size_t all;
    bool some;
  };
  for (const auto& [filter, all, some] :
       {Case{"#", 1, false}, Case{"ficus/#", 1, false}, Case{"ficus/entity/Vehicle/#", 1, false},
        Case{"ficus/+/Vehicle/+", 1, false}, Case{"+/+/+/+/#", 1, false},
        Case{"ficus/entity/Vehicle/x", 0, true}, Case{"+/+/+/x/#", 0, true},
        Case{"ficus/entity/Vehicle/x/y", 0, false}, Case{"ficus/entity/Vehicle/+/y", 0, false},
        Case{"ficus/entity/Vehicle", 0, false}, Case{"ficus/entity/Bus/#", 0, false},
        Case{"ficus/entity", 0, false}, Case{"city/#", 0, false}}) {
    TopicTree tree;
    Session session("c", 1);
    tree.add(filter, session, {});
    std::vector<Subscriber> found;
    EXPECT_EQ(tree.match_below("ficus/entity/Vehicle", found), some) << filter;
    EXPECT_EQ(found.size(), all) << filter;
  }
}

}  // namespace
}  // namespace ficus::connect
