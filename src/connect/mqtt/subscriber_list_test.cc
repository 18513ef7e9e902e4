#include "connect/mqtt/subscriber_list.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "connect/mqtt/session.h"

namespace ficus::connect {
namespace {

// Against a map, as it grows from a short list to a long one and back.
TEST(SubscriberList, IsASetOfSubscribers) {
  std::vector<std::unique_ptr<Session>> sessions;
  sessions.reserve(60);
  for (int i = 0; i < 60; ++i)
    sessions.push_back(std::make_unique<Session>("c", 1 + sessions.size()));
  SubscriberList list;
  std::map<Session*, mqtt::Qos> model;
  Random random(7);
  for (int step = 0; step < 5000; ++step) {
    Session* const session = sessions[random.below(sessions.size())].get();
    const bool grows = (step / 500) % 2 == 0;
    if (random.chance(grows ? 0.8 : 0.2)) {
      const auto qos = static_cast<mqtt::Qos>(random.below(3));
      Subscriber subscriber;
      subscriber.session = session;
      subscriber.options.qos = qos;
      ASSERT_EQ(list.put(subscriber), !model.contains(session));
      model[session] = qos;
    } else {
      Subscriber subscriber;
      subscriber.session = session;
      ASSERT_EQ(list.remove(subscriber), model.erase(session) == 1);
    }
    ASSERT_EQ(list.items().size(), model.size());
    ASSERT_EQ(list.empty(), model.empty());
    for (const Subscriber& s : list.items()) ASSERT_EQ(model.at(s.session), s.options.qos);
  }
}

// A list that is looked through at each would take minutes.
TEST(SubscriberList, ManyMayComeAndGo) {
  std::vector<std::unique_ptr<Session>> sessions;
  sessions.reserve(200'000);
  for (int i = 0; i < 200'000; ++i)
    sessions.push_back(std::make_unique<Session>("c", 1 + sessions.size()));
  SubscriberList list;
  for (const auto& session : sessions) {
    Subscriber subscriber;
    subscriber.session = session.get();
    ASSERT_TRUE(list.put(subscriber));
  }
  for (const auto& session : sessions) {
    Subscriber subscriber;
    subscriber.session = session.get();
    ASSERT_TRUE(list.remove(subscriber));
  }
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace ficus::connect
