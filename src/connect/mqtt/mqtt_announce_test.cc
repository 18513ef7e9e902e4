#include <gtest/gtest.h>

#include "connect/mqtt/conformance/harness.h"

// Messages of the brain itself, and messages that nobody can take.
namespace ficus::connect::conformance {
namespace {

constexpr std::string_view kType = "ficus/entity/Vehicle";
constexpr std::string_view kTopic = "ficus/entity/Vehicle/v1";

std::uint64_t dropped(const Broker& broker) { return broker.counts().messages_dropped.total(); }

TEST(MqttAnnounce, NobodyAsked) {
  Broker broker;
  Client client = broker.connected("c");
  (void)client.subscribe("city/#", 1);
  EXPECT_FALSE(broker.server().has_taker_below(kType, 3));
  EXPECT_FALSE(broker.server().has_taker(kTopic));
  EXPECT_EQ(dropped(broker), 0U);
}

TEST(MqttAnnounce, GoesToEachAtItsQos) {
  Broker broker;
  Client plain = broker.connected("plain");
  Client old = broker.connected("old", kV3);
  (void)plain.subscribe("#", 0);
  (void)old.subscribe("ficus/entity/+/v1", 0);
  ASSERT_TRUE(broker.server().has_taker_below(kType, 1));
  ASSERT_TRUE(broker.server().has_taker(kTopic));
  broker.server().publish(kTopic, "x");
  EXPECT_EQ(plain.heard(), "PUBLISH ficus/entity/Vehicle/v1 'x'");
  EXPECT_EQ(old.heard(), "PUBLISH ficus/entity/Vehicle/v1 'x'");

  Client sure = broker.connected("sure");
  (void)sure.subscribe("ficus/#", 1);
  ASSERT_TRUE(broker.server().has_taker(kTopic));
  broker.server().publish(kTopic, "y");
  EXPECT_EQ(plain.heard(), "PUBLISH ficus/entity/Vehicle/v1 'y'");
  EXPECT_EQ(sure.heard(), "PUBLISH ficus/entity/Vehicle/v1 'y' q1 #2");
}

TEST(MqttAnnounce, IsCountedForWhoTakesNothingAndNotMade) {
  Broker broker;
  Client hung = broker.connected("hung");
  (void)hung.subscribe("#", 0);
  (void)hung.subscribe("ficus/entity/#", 0);  // once all the same
  hung.stall();
  EXPECT_FALSE(broker.server().has_taker_below(kType, 3));
  EXPECT_EQ(dropped(broker), 3U);
  EXPECT_FALSE(broker.server().has_taker(kTopic));
  EXPECT_EQ(dropped(broker), 4U);

  // Somebody wants one of them: then each is asked for.
  Client other = broker.connected("other");
  (void)other.subscribe(kTopic, 0);
  EXPECT_TRUE(broker.server().has_taker_below(kType, 3));
  EXPECT_TRUE(broker.server().has_taker(kTopic));
  EXPECT_FALSE(broker.server().has_taker("ficus/entity/Vehicle/v2"));
  EXPECT_EQ(dropped(broker), 5U);

  hung.go_on();
  EXPECT_TRUE(broker.server().has_taker("ficus/entity/Vehicle/v2"));
  EXPECT_EQ(dropped(broker), 5U);
}

TEST(MqttAnnounce, AQueueWithRoomTakesItWhoeverIsAway) {
  MqttServerOptions options;
  options.session_messages_max = 2;
  Broker broker(options);
  Client away = broker.connected("away", kV5, false, 3600);
  (void)away.subscribe("ficus/#", 1);
  away.drop();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(broker.server().has_taker_below(kType, 1));
    ASSERT_TRUE(broker.server().has_taker(kTopic));
    broker.server().publish(kTopic, "x");
  }
  EXPECT_FALSE(broker.server().has_taker_below(kType, 5));
  EXPECT_EQ(dropped(broker), 5U);
}

TEST(MqttAnnounce, AnyMemberOfAGroupTakesIt) {
  Broker broker;
  Client one = broker.connected("one");
  Client two = broker.connected("two");
  (void)one.subscribe("$share/g/#", 0);
  (void)two.subscribe("$share/g/#", 0);
  one.stall();
  EXPECT_TRUE(broker.server().has_taker(kTopic));
  two.stall();
  EXPECT_FALSE(broker.server().has_taker(kTopic));
  EXPECT_EQ(dropped(broker), 1U);  // for the group
}

// What a client publishes at QoS 1 to one whose queue is full: acknowledged, counted, not queued.
TEST(MqttAnnounce, AFullQueueCostsThePublisherNothing) {
  MqttServerOptions options;
  options.session_messages_max = 1;
  Broker broker(options);
  Client hung = broker.connected("hung");
  (void)hung.subscribe("city/#", 1);
  hung.stall();
  Client device = broker.connected("device");
  EXPECT_EQ(device.publish("city/a", "1", 1, 1), "PUBACK #1");
  EXPECT_EQ(device.publish("city/a", "2", 1, 2), "PUBACK #2");
  EXPECT_EQ(device.publish("city/a", "3", 1, 3), "PUBACK #3");
  EXPECT_EQ(dropped(broker), 2U);
  hung.go_on();
  EXPECT_EQ(hung.heard(), "PUBLISH city/a '1' q1 #2");
}

}  // namespace
}  // namespace ficus::connect::conformance
