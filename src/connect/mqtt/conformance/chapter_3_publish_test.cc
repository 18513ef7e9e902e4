// PUBLISH, its answers, SUBSCRIBE and UNSUBSCRIBE (MQTT 5.0, 3.3 to 3.11; 3.1.1 likewise).

#include "connect/mqtt/conformance/harness.h"

namespace ficus::connect::conformance {
namespace {

class Chapter3Publish : public testing::TestWithParam<ProtocolVersion> {
 protected:
  Broker broker;
};

mqtt::Publish example() { return {.topic = "a", .properties = {}, .payload = bytes_of("x")}; }

// Subscribes with all options of 5.0.
std::string subscribe(Client& client, const mqtt::Subscription& wish, std::uint32_t id = 0) {
  mqtt::SubscriptionBuffer buffer;
  (void)buffer.add(wish);
  mqtt::Subscribe packet{
      .packet_id = mqtt::PacketId{1}, .properties = {}, .subscriptions = buffer.view()};
  if (id > 0) packet.properties.subscription_id = mqtt::SubscriptionId{id};
  return client.send(packet).heard();
}

// [MQTT-3.3.1-5] to [MQTT-3.3.1-8]; 3.1.1: [MQTT-3.3.1-5] to [MQTT-3.3.1-12].
TEST_P(Chapter3Publish, Retained) {
  Client writer = broker.connected("writer", GetParam());
  const auto retained = [&] {
    Client reader = broker.connected("reader", GetParam());
    return reader.subscribe("a", 2);
  };
  writer.publish("a", "1", 1, 1, true);
  writer.publish("a", "not kept", 1, 1, false);
  EXPECT_EQ(retained(), "PUBLISH a '1' q1 #2 retain; SUBACK #1: 2");
  writer.publish("a", "2", 0, 0, true);
  EXPECT_EQ(retained(), "PUBLISH a '2' retain; SUBACK #1: 2");
  writer.publish("a", "3", 2, 2, true);
  EXPECT_EQ(retained(), "PUBLISH a '3' q2 #2 retain; SUBACK #1: 2");
  Client reader = broker.connected("other", GetParam());
  reader.subscribe("a", 0);
  reader.heard();
  writer.publish("a", "", 0, 0, true);
  EXPECT_EQ(reader.heard(), "PUBLISH a ''");  // is passed on like any
  EXPECT_EQ(retained(), "SUBACK #1: 2");
}

TEST_P(Chapter3Publish, RetainedOutlivesACrash) {
  {
    Client writer = broker.connected("writer", GetParam());
    EXPECT_EQ(writer.publish("a", "1", 1, 1, true), "PUBACK #1");
  }
  broker.crash();
  Client reader = broker.connected("reader", GetParam());
  EXPECT_EQ(reader.subscribe("a", 0), "PUBLISH a '1' retain; SUBACK #1: 0");
}

// [MQTT-3.3.1-9] to [MQTT-3.3.1-11], [MQTT-3.8.4-3], [MQTT-3.8.4-4]; 3.1.1: [MQTT-3.8.4-3].
TEST(Chapter3PublishV5, RetainHandling) {
  using enum mqtt::RetainHandling;
  Broker broker;
  broker.connected("writer").publish("a", "1", 0, 0, true);
  Client reader = broker.connected("reader");
  EXPECT_EQ(subscribe(reader, {.filter = "a", .retain_handling = do_not_send}), "SUBACK #1: 0");
  EXPECT_EQ(subscribe(reader, {.filter = "a", .retain_handling = send_if_new}), "SUBACK #1: 0");
  EXPECT_EQ(subscribe(reader, {.filter = "a", .retain_handling = send_at_subscribe}),
            "PUBLISH a '1' retain; SUBACK #1: 0");
  EXPECT_EQ(subscribe(reader, {.filter = "+", .retain_handling = send_if_new}),
            "PUBLISH a '1' retain; SUBACK #1: 0");
  EXPECT_EQ(subscribe(reader, {.filter = "a", .qos_max = Qos::exactly_once}),
            "PUBLISH a '1' retain; SUBACK #1: 2");  // in place of the earlier one
  EXPECT_EQ(broker.counts().subscriptions, 2U);
}

// [MQTT-3.3.1-12], [MQTT-3.3.1-13].
TEST(Chapter3PublishV5, RetainAsPublished) {
  Broker broker;
  Client plain = broker.connected("plain");
  subscribe(plain, {.filter = "a"});
  Client bridge = broker.connected("bridge");
  subscribe(bridge, {.filter = "a", .retain_as_published = true});
  Client writer = broker.connected("writer");
  writer.publish("a", "1", 0, 0, true);
  writer.publish("a", "2");
  EXPECT_EQ(plain.heard(), "PUBLISH a '1'; PUBLISH a '2'");
  EXPECT_EQ(bridge.heard(), "PUBLISH a '1' retain; PUBLISH a '2'");
}

// [MQTT-3.3.2-1], [MQTT-3.3.2-2], [MQTT-4.7.0-1], [MQTT-4.7.3-1], [MQTT-4.7.3-2], [MQTT-3.3.1-2],
// [MQTT-3.3.1-4]; 3.1.1: [MQTT-3.3.2-1], [MQTT-3.3.2-2], [MQTT-3.3.1-2], [MQTT-3.3.1-4].
TEST_P(Chapter3Publish, MalformedOnes) {
  const bool is_v5 = GetParam() == kV5;
  struct Case {
    const char* v3;
    const char* v5;
    const char* reason;
  };
  constexpr Case kCases[] = {
      {"30 03 00 01 23", "30 04 00 01 23 00", "topic_name_invalid"},
      {"30 05 00 03 61 2f 2b", "30 06 00 03 61 2f 2b 00", "topic_name_invalid"},
      {"30 03 00 01 00", "30 04 00 01 00 00", "malformed_packet"},
      {"30 03 00 01 ff", "30 04 00 01 ff 00", "malformed_packet"},
      {"38 03 00 01 61", "38 04 00 01 61 00", "malformed_packet"},              // DUP at QoS 0
      {"36 05 00 01 61 00 01", "36 06 00 01 61 00 01 00", "malformed_packet"},  // QoS 3
      {"30 02 00 00", "30 03 00 00 00", "protocol_error"},                      // no name, no alias
  };
  for (const Case& c : kCases) {
    Client client = broker.connected("a", GetParam());
    const std::string heard = client.raw(is_v5 ? c.v5 : c.v3).heard();
    EXPECT_EQ(heard, is_v5 ? std::string("DISCONNECT ") + c.reason + "; CLOSED" : "CLOSED") << c.v3;
  }
}

// [MQTT-3.3.2-4], [MQTT-3.3.2-15] to [MQTT-3.3.2-18], [MQTT-3.3.2-20], [MQTT-3.1.3-10].
TEST(Chapter3PublishV5, PropertiesArePassedOn) {
  Broker broker;
  Client reader = broker.connected("reader");
  reader.subscribe("a", 0);
  mqtt::UserPropertyBuffer user;
  for (const char* key : {"z", "a", "z"}) ASSERT_TRUE(user.add(key, "v"));
  mqtt::Publish publish = example();
  publish.properties.payload_is_utf8 = true;
  publish.properties.content_type = "text/plain";
  publish.properties.response_topic = "r/1";
  publish.properties.correlation_data = bytes_of("id");
  publish.properties.user_properties = user.view();
  broker.connected("writer").send(publish);
  EXPECT_EQ(reader.heard(), "PUBLISH a 'x'");
  EXPECT_EQ(reader.last<mqtt::Publish>().properties, publish.properties);
  Client doomed = broker.client();
  mqtt::Connect connect = doomed.connect_packet("doomed");
  connect.will.emplace(mqtt::Will{.topic = "a", .payload = bytes_of("w"), .properties = {}});
  connect.will->properties.content_type = "text/plain";
  connect.will->properties.user_properties = user.view();
  doomed.send(connect);
  doomed.drop();
  EXPECT_EQ(reader.heard(), "PUBLISH a 'w'");
  EXPECT_EQ(reader.last<mqtt::Publish>().properties.user_properties, user.view());
  EXPECT_EQ(reader.last<mqtt::Publish>().properties.content_type, "text/plain");
}

// 3.3.2.3.2: what says that it is UTF-8 is checked, and refused with 0x99 if it is not.
TEST(Chapter3PublishV5, PayloadFormat) {
  Broker broker;
  Client reader = broker.connected("reader");
  reader.subscribe("a", 0);
  Client writer = broker.connected("writer");
  mqtt::Publish publish = example();
  publish.properties.payload_is_utf8 = true;
  publish.payload = bytes_of("\xff");
  writer.send(publish);
  publish.qos = Qos::at_least_once;
  publish.packet_id = mqtt::PacketId{1};
  EXPECT_EQ(writer.send(publish).heard(), "PUBACK #1 payload_format_invalid");
  publish.qos = Qos::exactly_once;
  EXPECT_EQ(writer.send(publish).heard(), "PUBREC #1 payload_format_invalid");
  EXPECT_EQ(reader.heard(), "");
  EXPECT_EQ(broker.counts().messages_refused, 3U);
}

// [MQTT-3.3.2-5], [MQTT-3.3.2-6].
TEST(Chapter3PublishV5, MessageExpiry) {
  Broker broker;
  broker.connected("away", kV5, false, 1000).subscribe("a", 1);
  Client online = broker.connected("online");
  online.subscribe("a", 1);
  Client away = broker.client();
  away.connect("away", false, 1000);
  away.drop();
  mqtt::Publish publish = example();
  publish.qos = Qos::at_least_once;
  publish.packet_id = mqtt::PacketId{1};
  publish.retain = true;
  publish.properties.message_expiry_interval_s = 100;
  broker.connected("writer").send(publish);
  online.heard();
  EXPECT_EQ(online.last<mqtt::Publish>().properties.message_expiry_interval_s, 100U);
  broker.pass(30);
  Client late = broker.connected("late");
  late.subscribe("a", 0);
  EXPECT_EQ(late.last<mqtt::Publish>().properties.message_expiry_interval_s, 70U);
  broker.pass(80);
  EXPECT_EQ(broker.client().connect("away", false, 1000), "CONNACK present success");
  EXPECT_EQ(broker.connected("later").subscribe("a", 0), "SUBACK #1: 0");
}

// [MQTT-3.3.2-7] to [MQTT-3.3.2-9], [MQTT-3.3.2-12].
TEST(Chapter3PublishV5, TopicAliases) {
  Broker broker({.address = {}, .topic_alias_max = 3});
  Client reader = broker.connected("reader");
  reader.subscribe("#", 0);
  Client writer = broker.client();
  writer.connect("writer");
  EXPECT_EQ(writer.last<mqtt::Connack>().properties.topic_alias_max, 3);
  mqtt::Publish publish = example();
  for (const char* topic : {"a", "", "b", ""}) {
    publish.topic = topic;
    publish.properties.topic_alias = 3;
    writer.send(publish);
  }
  EXPECT_EQ(reader.heard(), "PUBLISH a 'x'; PUBLISH a 'x'; PUBLISH b 'x'; PUBLISH b 'x'");
  EXPECT_FALSE(reader.last<mqtt::Publish>().properties.topic_alias);
  publish.properties.topic_alias = 1;  // stands for nothing yet
  EXPECT_EQ(writer.send(publish).heard(), "DISCONNECT protocol_error; CLOSED");
  Client other = broker.connected("writer");  // knows nothing of the earlier connection's
  publish.properties.topic_alias = 3;
  EXPECT_EQ(other.send(publish).heard(), "DISCONNECT protocol_error; CLOSED");
  Client last = broker.connected("writer");
  publish.topic = "a";
  publish.properties.topic_alias = 4;
  EXPECT_EQ(last.send(publish).heard(), "DISCONNECT topic_alias_invalid; CLOSED");
  Client zero = broker.connected("zero");
  EXPECT_EQ(zero.raw("30 07 00 01 61 03 23 00 00").heard(),
            "DISCONNECT topic_alias_invalid; CLOSED");
}

// [MQTT-3.3.4-2] to [MQTT-3.3.4-5]; 3.1.1: [MQTT-3.3.5-1].
TEST(Chapter3PublishV5, OverlappingSubscriptions) {
  Broker broker;
  Client reader = broker.connected("reader");
  subscribe(reader, {.filter = "a/#", .qos_max = Qos::at_least_once}, 10);
  subscribe(reader, {.filter = "a/b", .qos_max = Qos::exactly_once}, 20);
  subscribe(reader, {.filter = "+/b"});
  broker.connected("writer").publish("a/b", "x", 2, 1);
  EXPECT_EQ(reader.heard(), "PUBLISH a/b 'x' q2 #2");
  std::vector<std::uint32_t> ids;
  for (const mqtt::SubscriptionId id : reader.last<mqtt::Publish>().properties.subscription_ids) {
    ids.push_back(static_cast<std::uint32_t>(id));
  }
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{20, 10}));
}

// [MQTT-3.3.4-6].
TEST(Chapter3PublishV5, NoSubscriptionIdentifierFromAClient) {
  Broker broker;
  Client client = broker.connected("a");
  EXPECT_EQ(client.raw("30 06 00 01 61 02 0b 01").heard(), "DISCONNECT protocol_error; CLOSED");
}

// [MQTT-3.3.4-7]: a client that goes beyond our receive maximum.
TEST(Chapter3PublishV5, ReceiveMaximumOfTheServer) {
  Broker broker({.address = {}, .receive_maximum = 2});
  Client client = broker.client();
  client.connect("a");
  EXPECT_EQ(client.last<mqtt::Connack>().properties.receive_maximum, 2);
  EXPECT_EQ(client.publish("a", "x", 2, 1), "PUBREC #1");
  EXPECT_EQ(client.publish("a", "x", 2, 2), "PUBREC #2");
  EXPECT_EQ(client.pubrel(1), "PUBCOMP #1");
  for (std::uint16_t i = 3; i < 9; ++i) EXPECT_NE(client.publish("a", "x", 1, i), "");
  EXPECT_EQ(client.publish("a", "x", 2, 9), "PUBREC #9");
  EXPECT_EQ(client.publish("a", "x", 2, 10), "DISCONNECT receive_maximum_exceeded; CLOSED");
}

// [MQTT-3.6.1-1], [MQTT-3.8.1-1], [MQTT-3.10.1-1], [MQTT-2.1.3-1]; 3.1.1: [MQTT-2.2.2-2],
// [MQTT-3.6.1-1], [MQTT-3.8.1-1], [MQTT-3.10.1-1].
TEST_P(Chapter3Publish, ReservedFlags) {
  for (const char* packet : {"60 02 00 01", "63 02 00 01", "80 06 00 01 00 01 61 00",
                             "a0 05 00 01 00 01 61", "41 02 00 01", "52 02 00 01", "c8 00"}) {
    Client client = broker.connected("a", GetParam());
    EXPECT_EQ(client.raw(packet).heard(),
              GetParam() == kV5 ? "DISCONNECT malformed_packet; CLOSED" : "CLOSED")
        << packet;
  }
}

// [MQTT-3.8.3-1], [MQTT-3.8.3-2], [MQTT-3.8.3-4], [MQTT-3.8.3-5], [MQTT-3.10.3-1],
// [MQTT-3.10.3-2], [MQTT-2.2.1-3]; 3.1.1: [MQTT-3.8.3-3], [MQTT-3-8.3-4], [MQTT-3.10.3-2].
// A filter of thirty thousand levels would be as many nodes of the tree.
TEST(Chapter3PublishV5, AFilterHasSoManyLevels) {
  Broker broker;
  Client client = broker.connected("a");
  std::string filter = "a";
  for (int i = 0; i < 127; ++i) filter += "/a";
  EXPECT_EQ(client.subscribe(filter, 0), "SUBACK #1: 0");
  EXPECT_EQ(client.subscribe(filter + "/a", 0), "SUBACK #1: 8f");
}

TEST(Chapter3PublishV5, MalformedSubscriptions) {
  struct Case {
    const char* packet;
    const char* reason;
  };
  constexpr Case kCases[] = {
      {"82 03 00 01 00", "protocol_error"},                // without a filter
      {"82 07 00 01 00 00 01 61 40", "malformed_packet"},  // reserved bits
      {"82 07 00 01 00 00 01 61 03", "malformed_packet"},  // QoS 3
      {"82 07 00 01 00 00 01 61 30", "protocol_error"},    // retain handling 3
      {"82 07 00 01 00 00 01 ff 00", "malformed_packet"},  // not UTF-8
      {"82 07 00 00 00 00 01 61 00", "protocol_error"},    // identifier 0
      {"82 08 00 01 00 00 02 61 23 00", "topic_filter_invalid"},
      {"82 10 00 01 00 00 0a 24 73 68 61 72 65 2f 67 2f 61 04", "protocol_error"},  // no local
      {"82 09 00 01 02 0b 00 00 01 61 00", "protocol_error"},  // subscription identifier 0
      {"a2 03 00 01 00", "protocol_error"},
      {"a2 06 00 01 00 00 01 ff", "malformed_packet"},
  };
  for (const Case& c : kCases) {
    Broker broker;
    Client client = broker.connected("a");
    EXPECT_EQ(client.raw(c.packet).heard(), std::string("DISCONNECT ") + c.reason + "; CLOSED")
        << c.packet;
  }
}

// [MQTT-3.8.3-3].
TEST(Chapter3PublishV5, NoLocal) {
  Broker broker;
  Client client = broker.connected("a");
  subscribe(client, {.filter = "x", .no_local = true});
  EXPECT_EQ(client.publish("x", "1"), "");
  broker.connected("b").publish("x", "2");
  EXPECT_EQ(client.heard(), "PUBLISH x '2'");
}

// [MQTT-3.8.4-1], [MQTT-3.8.4-2], [MQTT-3.8.4-5] to [MQTT-3.8.4-7], [MQTT-3.9.3-1],
// [MQTT-3.9.3-2], [MQTT-2.2.1-6], [MQTT-3.10.4-4] to [MQTT-3.10.4-6], [MQTT-3.11.3-1],
// [MQTT-3.11.3-2]; 3.1.1: [MQTT-3.8.4-1] to [MQTT-3.8.4-6], [MQTT-3.9.3-1], [MQTT-3.9.3-2].
TEST_P(Chapter3Publish, SeveralFiltersInOnePacket) {
  Client client = broker.connected("a", GetParam());
  mqtt::SubscriptionBuffer wishes;
  for (const auto& [filter, qos] : {std::pair("a", 1), std::pair("b/#", 2), std::pair("c", 0)}) {
    (void)wishes.add({.filter = filter, .qos_max = static_cast<Qos>(qos)});
  }
  client.send(mqtt::Subscribe{
      .packet_id = mqtt::PacketId{5}, .properties = {}, .subscriptions = wishes.view()});
  EXPECT_EQ(client.heard(), "SUBACK #5: 1 2 0");
  mqtt::TopicFilterBuffer filters;
  for (const char* filter : {"b/#", "none", "a"}) (void)filters.add(filter);
  client.send(mqtt::Unsubscribe{
      .packet_id = mqtt::PacketId{6}, .properties = {}, .filters = filters.view()});
  EXPECT_EQ(client.heard(), GetParam() == kV5 ? "UNSUBACK #6: 0 11 0" : "UNSUBACK #6:");
  EXPECT_EQ(broker.counts().subscriptions, 1U);
}

// [MQTT-3.8.4-8]; 3.1.1: [MQTT-3.8.4-6].
TEST_P(Chapter3Publish, QosIsTheLesser) {
  for (int granted = 0; granted <= 2; ++granted) {
    for (int published = 0; published <= 2; ++published) {
      Client reader = broker.connected("reader", GetParam());
      reader.subscribe("a", granted);
      Client writer = broker.connected("writer", GetParam());
      writer.publish("a", "x", published, published == 0 ? 0 : 1);
      const int qos = std::min(granted, published);
      EXPECT_EQ(reader.heard(),
                "PUBLISH a 'x'" + (qos == 0 ? "" : " q" + std::to_string(qos) + " #2"));
    }
  }
}

// [MQTT-3.10.4-1] to [MQTT-3.10.4-3]; 3.1.1: the same numbers.
TEST_P(Chapter3Publish, Unsubscribe) {
  Client reader = broker.connected("reader", GetParam(), false, 100);
  reader.subscribe("a/+", 2);
  Client writer = broker.connected("writer", GetParam());
  writer.publish("a/b", "1", 2, 1);
  EXPECT_EQ(reader.heard(), "PUBLISH a/b '1' q2 #2");
  mqtt::TopicFilterBuffer other;
  (void)other.add("a/b");  // matches, but is not the same
  reader.send(mqtt::Unsubscribe{mqtt::PacketId{1}, {}, other.view()}).heard();
  writer.publish("a/b", "2");
  EXPECT_EQ(reader.heard(), "PUBLISH a/b '2'");
  mqtt::TopicFilterBuffer same;
  (void)same.add("a/+");
  reader.send(mqtt::Unsubscribe{mqtt::PacketId{1}, {}, same.view()}).heard();
  writer.publish("a/b", "3", 2, 2);
  EXPECT_EQ(reader.heard(), "");
  EXPECT_EQ(reader.pubrec(2), "PUBREL #2");  // what was begun is finished
}

// What the server does when its disk is full: refuses what it would have to keep, forgets nothing,
// and goes on when there is room (4.13; reason 0x97).
TEST(Chapter3PublishV5, AFullDisk) {
  Broker broker;
  Client reader = broker.connected("reader", kV5, false, 100);
  reader.subscribe("a", 1);
  Client writer = broker.connected("writer");
  Client old = broker.connected("old", kV3);
  broker.disk().set_capacity(0);
  writer.publish("a", "1", 1, 1);  // finds out: not answered
  EXPECT_EQ(writer.heard(), "");
  EXPECT_EQ(writer.publish("a", "2", 1, 2), "");  // waits behind the first
  EXPECT_EQ(old.publish("a", "3", 1, 3), "CLOSED");
  EXPECT_EQ(broker.client().connect("new", false, 100), "CONNACK quota_exceeded; CLOSED");
  EXPECT_EQ(reader.subscribe("b", 1), "PUBLISH a '1' q1 #2; SUBACK #1: 97");
  broker.disk().set_capacity(UINT64_MAX);
  broker.pass(1);
  EXPECT_EQ(writer.heard(), "PUBACK #1; PUBACK #2 quota_exceeded");
  EXPECT_EQ(writer.publish("a", "4", 1, 4), "PUBACK #4");
  reader.drop();
  broker.crash();
  EXPECT_EQ(broker.client().connect("reader", false, 100),
            "CONNACK present success; PUBLISH a '1' q1 #2 dup; PUBLISH a '4' q1 #3 dup");
}

INSTANTIATE_TEST_SUITE_P(Versions, Chapter3Publish, testing::Values(kV3, kV5));

}  // namespace
}  // namespace ficus::connect::conformance
