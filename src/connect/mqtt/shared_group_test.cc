#include "connect/mqtt/shared_group.h"

#include <gtest/gtest.h>

#include <map>

#include "connect/mqtt/broker_state_testing.h"

namespace ficus::connect {
namespace {

using mqtt::Qos;

constexpr const char* kShared = "$share/workers/job/#";

class SharedGroups : public testing::Test {
 protected:
  FakeClient& join(std::string_view id, SubscriptionOptions options = kQos1,
                   std::size_t receive_maximum = 65'535) {
    Session& session = open(state, id);
    auto& client = clients[std::string(id)];
    client = std::make_unique<FakeClient>(state, receive_maximum);
    client->connect(session);
    subscribe(state, session, kShared, options);
    return *client;
  }
  void publish(int count, Qos qos = Qos::at_least_once) {
    for (int i = 0; i < count; ++i) {
      state.publish(message("job/1", fmt::format("{}", next++), qos), nullptr, kNow);
    }
  }
  void go_offline(std::string_view id) { state.go_offline(*state.find(id), kNow); }

  BrokerState state{{}};
  std::map<std::string, std::unique_ptr<FakeClient>> clients;
  int next = 1;
};

TEST_F(SharedGroups, EachMessageGoesToOneMemberInTurn) {
  const FakeClient& one = join("client-1");
  const FakeClient& two = join("client-2");
  const FakeClient& three = join("client-3");
  publish(9);
  EXPECT_EQ(one.got.size(), 3U);
  EXPECT_EQ(two.got.size(), 3U);
  EXPECT_EQ(three.got.size(), 3U);
  EXPECT_EQ(state.tree().size(), 1U);
}

TEST_F(SharedGroups, WhoIsOnlineAndFreeComesFirst) {
  const FakeClient& one = join("client-1", kQos1, 2);  // takes two, then waits for them
  const FakeClient& two = join("client-2");
  join("client-3");
  go_offline("client-3");
  publish(10);
  EXPECT_EQ(one.got.size(), 2U);
  EXPECT_EQ(two.got.size() + state.find("client-1")->queue.size(), 10U);
  EXPECT_LE(state.find("client-1")->queue.size(), 3U);
  EXPECT_TRUE(state.find("client-3")->queue.empty());
}

TEST_F(SharedGroups, AllAwayOneKeepsIt) {
  join("client-1");
  join("client-2");
  go_offline("client-1");
  go_offline("client-2");
  publish(4);
  EXPECT_EQ(state.find("client-1")->queue.size(), 2U);
  EXPECT_EQ(state.find("client-2")->queue.size(), 2U);
  publish(1, Qos::at_most_once);  // is for nobody
  EXPECT_EQ(state.counts().messages_dropped.total(), 1U);
}

TEST_F(SharedGroups, RespectsWhatEachMemberAskedFor) {
  const FakeClient& one = join("client-1", {.id = mqtt::SubscriptionId{4}});
  publish(1);
  EXPECT_TRUE(state.find("client-1")->queue.empty());  // granted QoS 0 ([MQTT-4.8.2-3])
  EXPECT_EQ(one.got.size(), 1U);
  EXPECT_EQ(*one.ids_got.view().begin(), mqtt::SubscriptionId{4});
}

TEST_F(SharedGroups, WhatWasNotSentGoesToAnotherWhenTheMemberGoes) {
  join("client-1", kQos2, 2);
  publish(2, Qos::exactly_once);
  publish(2);  // wait behind those
  FakeClient& two = join("client-2", kQos2);
  EXPECT_EQ(state.find("client-1")->queue.size(), 4U);
  go_offline("client-1");
  EXPECT_EQ(two.got, (std::vector<std::string>{"3", "4"}));
  EXPECT_EQ(state.counts().messages_moved, 2U);
  // Those sent at QoS 2 are its own, also when its session ends ([MQTT-4.8.2-5]).
  EXPECT_EQ(state.find("client-1")->queue.size(), 2U);
  BrokerState again({});
  ASSERT_TRUE(replay(again, state.take_facts()));
  EXPECT_EQ(durable_part(again), durable_part(state));
  state.expire(kNow + kHour + kHour);
  EXPECT_EQ(two.got.size(), 2U);
}

TEST_F(SharedGroups, Qos1SentGoesToAnotherWhenTheSessionEnds) {
  join("client-1");
  publish(2);
  FakeClient& two = join("client-2");
  go_offline("client-1");
  EXPECT_TRUE(two.got.empty());  // client-1 may come back
  state.expire(kNow + kHour + kHour);
  EXPECT_EQ(two.got, (std::vector<std::string>{"1", "2"}));
}

TEST_F(SharedGroups, TheLastMemberEndsTheGroup) {
  join("client-1");
  join("client-2");
  EXPECT_TRUE(state.unsubscribe(*state.find("client-1"), kShared));
  EXPECT_TRUE(state.tree().matches_any("job/1"));
  state.go_offline(open(state, "client-3", true, Micros{}), kNow);
  EXPECT_TRUE(state.unsubscribe(*state.find("client-2"), kShared));
  EXPECT_FALSE(state.tree().matches_any("job/1"));
  EXPECT_EQ(state.tree().size(), 0U);
}

TEST_F(SharedGroups, SurviveACrash) {
  join("client-1");
  join("client-2");
  go_offline("client-1");
  go_offline("client-2");
  publish(3);
  const std::vector<std::string> facts = state.take_facts();
  for (const bool by_snapshot : {false, true}) {
    BrokerState again({});
    if (by_snapshot) {
      ASSERT_TRUE(again.restore(state.encode()));
    } else {
      ASSERT_TRUE(replay(again, facts));
    }
    again.all_offline(kNow);
    EXPECT_EQ(durable_part(again), durable_part(state));
    FakeClient client(again);
    client.connect(open(again, "client-1"));
    client.send_queued();
    again.expire(kNow + kHour + kHour);  // client-2 ends: what it had goes to client-1
    EXPECT_EQ(client.got.size(), 3U);
  }
}

}  // namespace
}  // namespace ficus::connect
