#include "connect/mqtt/route_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "connect/mqtt/session.h"
#include "connect/mqtt/shared_group.h"

namespace ficus::connect {
namespace {

using mqtt::Qos;

SubscriptionOptions at(Qos qos) {
  SubscriptionOptions options;
  options.qos = qos;
  return options;
}

class RouteCacheTest : public testing::Test {
 protected:
  Session one_{"one", 1};
  Session two_{"two", 2};
  TopicTree tree_;
  SourceSet sources_;
  RouteCache routes_{tree_, sources_};
};

TEST_F(RouteCacheTest, NobodyWantsIt) {
  const Route& route = routes_.find("a/b");
  EXPECT_FALSE(route.has_subscriber);
  EXPECT_TRUE(route.is_plain);
  EXPECT_TRUE(route.sessions.empty());
  EXPECT_EQ(route.source, nullptr);
}

TEST_F(RouteCacheTest, HasEachSessionOnceAndTheHighestQos) {
  tree_.add("a/+", one_, at(Qos::at_most_once));
  tree_.add("a/#", one_, at(Qos::at_least_once));
  tree_.add("a/b", two_, at(Qos::at_most_once));
  const Route& route = routes_.find("a/b");
  EXPECT_TRUE(route.has_subscriber);
  EXPECT_TRUE(route.is_plain);
  EXPECT_EQ(route.qos_max, Qos::at_least_once);
  EXPECT_EQ(route.sessions, (std::vector<Session*>{&one_, &two_}));
}

TEST_F(RouteCacheTest, FollowsTheSubscriptions) {
  EXPECT_FALSE(routes_.find("a/b").has_subscriber);
  tree_.add("a/#", one_, at(Qos::at_most_once));
  EXPECT_TRUE(routes_.find("a/b").has_subscriber);
  tree_.remove("a/#", one_);
  EXPECT_FALSE(routes_.find("a/b").has_subscriber);
}

TEST_F(RouteCacheTest, IsNotPlainWhereMessagesDifferByWhoHears) {
  SubscriptionOptions no_local = at(Qos::at_most_once);
  no_local.no_local = true;
  tree_.add("local", one_, no_local);
  EXPECT_FALSE(routes_.find("local").is_plain);

  SubscriptionOptions with_id = at(Qos::at_most_once);
  with_id.id = mqtt::SubscriptionId{7};
  tree_.add("id", one_, with_id);
  tree_.add("id", two_, at(Qos::at_most_once));
  EXPECT_FALSE(routes_.find("id").is_plain);

  SharedGroup group("$share/g/shared");
  group.add(one_, at(Qos::at_most_once));
  tree_.add("shared", group);
  EXPECT_FALSE(routes_.find("shared").is_plain);
  EXPECT_TRUE(routes_.find("shared").has_subscriber);
  tree_.remove("shared", group);
  EXPECT_TRUE(routes_.find("shared").is_plain);
}

// More topics than places, looked up again and again while subscriptions change: always what the
// tree says.
TEST_F(RouteCacheTest, SaysWhatTheTreeSays) {
  Random random(1);
  Session sessions[] = {{"0", 1}, {"1", 2}, {"2", 3}};
  for (int step = 0; step < 60'000; ++step) {
    if (step % 1000 == 0) {
      const std::string filter =
          random.chance(0.5) ? "t/#" : "t/" + std::to_string(random.below(9));
      Session& session = sessions[random.below(3)];
      if (random.chance(0.6)) {
        tree_.add(filter, session, at(Qos::at_most_once));
      } else {
        tree_.remove(filter, session);
      }
    }
    const std::string topic = "t/" + std::to_string(random.below(50'000));
    std::vector<Subscriber> expected;
    tree_.match(topic, expected);
    std::set<Session*> wanted;
    for (const Subscriber& subscriber : expected) wanted.insert(subscriber.session);
    const Route& route = routes_.find(topic);
    ASSERT_EQ(route.topic, topic);
    ASSERT_EQ(std::set<Session*>(route.sessions.begin(), route.sessions.end()), wanted);
    ASSERT_EQ(route.has_subscriber, !wanted.empty());
  }
}

// A thousand subscribers of everything, and ever new topics: without a limit each topic would keep
// the list of all of them.
TEST_F(RouteCacheTest, TakesSoMuchMemoryAndNoMore) {
  std::vector<std::unique_ptr<Session>> sessions;
  for (int i = 0; i < 1000; ++i) {
    sessions.push_back(std::make_unique<Session>("c", 1 + sessions.size()));
    tree_.add("#", *sessions.back(), at(Qos::at_most_once));
  }
  std::size_t highest = 0;
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_EQ(routes_.find("t/" + std::to_string(i)).sessions.size(), 1000U);
    highest = std::max(highest, routes_.bytes());
  }
  EXPECT_LE(highest, RouteCache::kBytesMax + 20'000);
  EXPECT_GT(highest, RouteCache::kBytesMax / 2);
}

}  // namespace
}  // namespace ficus::connect
