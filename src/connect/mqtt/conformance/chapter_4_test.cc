// Operational behaviour (MQTT 5.0, 4; the same clauses of 3.1.1 where a test runs for both).

#include "connect/mqtt/conformance/harness.h"

namespace ficus::connect::conformance {
namespace {

class Chapter4 : public testing::TestWithParam<ProtocolVersion> {
 protected:
  // A client whose session is kept.
  Client kept(std::string_view id) { return broker.connected(id, GetParam(), false, 3600); }

  Broker broker;
};

// ---- 4.1 Session state

// [MQTT-4.1.0-1], [MQTT-3.1.2-23]; 3.1.1: [MQTT-3.1.2-4], [MQTT-3.1.2-5].
TEST_P(Chapter4, StateIsKeptBeyondTheConnection) {
  Client reader = kept("reader");
  EXPECT_EQ(reader.subscribe("a", 1), "SUBACK #1: 1");
  reader.drop();
  Client writer = broker.connected("writer", GetParam());
  EXPECT_EQ(writer.publish("a", "x", 1, 3), "PUBACK #3");
  Client again = broker.client(GetParam());
  EXPECT_EQ(again.connect("reader", false, 3600), "CONNACK present success; PUBLISH a 'x' q1 #2");
}

// [MQTT-4.1.0-2].
TEST(Chapter4V5, StateEndsWhenItsExpiryHasPassed) {
  Broker broker;
  broker.connected("a", kV5, false, 10).drop();
  broker.pass(9);
  Client back = broker.client();
  EXPECT_EQ(back.connect("a", false, 10), "CONNACK present success");
  back.drop();
  broker.pass(12);
  EXPECT_EQ(broker.client().connect("a", false, 10), "CONNACK success");
}

// ---- 4.3 Quality of service

// [MQTT-4.3.1-1]; 3.1.1: [MQTT-4.3.1-1].
TEST_P(Chapter4, Qos0IsSentOnceWithoutDup) {
  Client reader = broker.connected("reader", GetParam());
  reader.subscribe("a", 2);
  Client writer = broker.connected("writer", GetParam());
  EXPECT_EQ(writer.publish("a", "x"), "");
  EXPECT_EQ(reader.heard(), "PUBLISH a 'x'");
}

// [MQTT-4.3.2-1] to [MQTT-4.3.2-3], [MQTT-2.2.1-4], [MQTT-4.4.0-1]; 3.1.1: [MQTT-4.3.2-1].
TEST_P(Chapter4, Qos1ToAClient) {
  Client reader = kept("reader");
  reader.subscribe("a", 1);
  Client writer = broker.connected("writer", GetParam());
  writer.publish("a", "x", 1, 1);
  writer.publish("a", "y", 1, 2);
  EXPECT_EQ(reader.heard(), "PUBLISH a 'x' q1 #2; PUBLISH a 'y' q1 #3");
  reader.puback(2);
  broker.pass(60);
  EXPECT_EQ(reader.heard(), "");  // on a live connection nothing is sent again
  reader.drop();
  Client again = broker.client(GetParam());
  EXPECT_EQ(again.connect("reader", false, 3600),
            "CONNACK present success; PUBLISH a 'y' q1 #3 dup");
  again.puback(3);
  again.drop();
  EXPECT_EQ(broker.client(GetParam()).connect("reader", false, 3600), "CONNACK present success");
}

// [MQTT-4.3.2-4], [MQTT-4.3.2-5]; 3.1.1: [MQTT-4.3.2-2].
TEST_P(Chapter4, Qos1FromAClientIsNewEachTime) {
  Client reader = broker.connected("reader", GetParam());
  reader.subscribe("a", 0);
  Client writer = broker.connected("writer", GetParam());
  EXPECT_EQ(writer.publish("a", "x", 1, 9), "PUBACK #9");
  writer.send(mqtt::Publish{.dup = true,
                            .qos = Qos::at_least_once,
                            .topic = "a",
                            .packet_id = mqtt::PacketId{9},
                            .properties = {},
                            .payload = bytes_of("x")});
  EXPECT_EQ(writer.heard(), "PUBACK #9");
  EXPECT_EQ(reader.heard(),
            "PUBLISH a 'x'; PUBLISH a 'x'");  // [MQTT-3.3.1-3]: DUP is not passed on
}

// [MQTT-4.3.3-1] to [MQTT-4.3.3-6], [MQTT-2.2.1-5]; 3.1.1: [MQTT-4.3.3-1].
TEST_P(Chapter4, Qos2ToAClient) {
  Client reader = kept("reader");
  reader.subscribe("a", 2);
  Client writer = broker.connected("writer", GetParam());
  writer.publish("a", "x", 2, 1);
  EXPECT_EQ(reader.heard(), "PUBLISH a 'x' q2 #2");
  EXPECT_EQ(reader.pubrec(2), "PUBREL #2");
  EXPECT_EQ(reader.pubrec(2), "PUBREL #2");  // said again
  reader.drop();
  Client again = broker.client(GetParam());
  EXPECT_EQ(again.connect("reader", false, 3600), "CONNACK present success; PUBREL #2");
  again.pubcomp(2);
  again.drop();
  EXPECT_EQ(broker.client(GetParam()).connect("reader", false, 3600), "CONNACK present success");
}

// [MQTT-4.3.3-8], [MQTT-4.3.3-10] to [MQTT-4.3.3-12]; 3.1.1: [MQTT-4.3.3-2].
TEST_P(Chapter4, Qos2FromAClient) {
  Client reader = broker.connected("reader", GetParam());
  reader.subscribe("a", 0);
  Client writer = broker.connected("writer", GetParam());
  EXPECT_EQ(writer.publish("a", "x", 2, 7), "PUBREC #7");
  EXPECT_EQ(writer.publish("a", "x", 2, 7), "PUBREC #7");  // again: not a second message
  EXPECT_EQ(reader.heard(), "PUBLISH a 'x'");
  EXPECT_EQ(writer.pubrel(7), "PUBCOMP #7");
  EXPECT_EQ(writer.publish("a", "y", 2, 7), "PUBREC #7");  // now a new one
  EXPECT_EQ(reader.heard(), "PUBLISH a 'y'");
}

// The same over a new connection and over a crash of the broker.
TEST_P(Chapter4, Qos2FromAClientSurvives) {
  Client reader = kept("reader");
  reader.subscribe("a", 2);
  {
    Client writer = kept("writer");
    EXPECT_EQ(writer.publish("a", "x", 2, 7), "PUBREC #7");
    writer.drop();
  }
  Client writer = broker.client(GetParam());
  EXPECT_EQ(writer.connect("writer", false, 3600), "CONNACK present success");
  EXPECT_EQ(writer.publish("a", "x", 2, 7), "PUBREC #7");
  broker.crash();
  Client last = broker.client(GetParam());
  EXPECT_EQ(last.connect("writer", false, 3600), "CONNACK present success");
  EXPECT_EQ(last.publish("a", "x", 2, 7), "PUBREC #7");
  EXPECT_EQ(last.pubrel(7), "PUBCOMP #7");
  Client again = broker.client(GetParam());
  EXPECT_EQ(again.connect("reader", false, 3600),
            "CONNACK present success; PUBLISH a 'x' q2 #2 dup");
}

// [MQTT-4.3.3-9]: a refused identifier is free again.
TEST(Chapter4V5, ARefusedQos2MessageIsNew) {
  Broker broker;
  Client writer = broker.connected("writer");
  EXPECT_EQ(writer.publish("ficus/x", "x", 2, 7), "PUBREC #7 not_authorized");
  EXPECT_EQ(writer.pubrel(7), "PUBCOMP #7 packet_identifier_not_found");
  EXPECT_EQ(writer.publish("a", "x", 2, 7), "PUBREC #7");
}

// [MQTT-4.3.3-7], [MQTT-4.3.3-13], [MQTT-3.3.2-5].
TEST(Chapter4V5, WhatWasSentDoesNotExpire) {
  Broker broker;
  Client reader = broker.connected("reader", kV5, false, 3600);
  reader.subscribe("a", 2);
  Client writer = broker.connected("writer");
  mqtt::Publish publish{.qos = Qos::exactly_once,
                        .topic = "a",
                        .packet_id = mqtt::PacketId{1},
                        .properties = {},
                        .payload = bytes_of("x")};
  publish.properties.message_expiry_interval_s = 5;
  writer.send(publish);
  EXPECT_EQ(reader.heard(), "PUBLISH a 'x' q2 #2");
  reader.drop();
  publish.packet_id = mqtt::PacketId{2};
  publish.payload = bytes_of("y");  // is not sent: expires
  writer.send(publish);
  broker.pass(6);
  Client again = broker.client();
  EXPECT_EQ(again.connect("reader", false, 3600),
            "CONNACK present success; PUBLISH a 'x' q2 #2 dup");
  EXPECT_EQ(again.pubrec(2), "PUBREL #2");
  EXPECT_EQ(broker.counts().messages_expired, 1U);
}

// ---- 4.4 Message delivery retry

// [MQTT-4.4.0-2].
TEST(Chapter4V5, ARefusalIsAnAcknowledgement) {
  Broker broker;
  Client reader = broker.connected("reader", kV5, false, 3600);
  reader.subscribe("a", 2);
  Client writer = broker.connected("writer");
  writer.publish("a", "x", 1, 1);
  writer.publish("a", "y", 2, 2);
  EXPECT_EQ(reader.heard(), "PUBLISH a 'x' q1 #2; PUBLISH a 'y' q2 #3");
  reader.puback(2, ReasonCode::unspecified_error);
  EXPECT_EQ(reader.pubrec(3, ReasonCode::not_authorized), "");
  reader.drop();
  EXPECT_EQ(broker.client().connect("reader", false, 3600), "CONNACK present success");
}

// ---- 4.5 Message receipt: [MQTT-4.5.0-1]

TEST_P(Chapter4, AMessageGoesToAllThatSubscribed) {
  Client online = broker.connected("online", GetParam());
  online.subscribe("a/+", 0);
  Client away = kept("away");
  away.subscribe("a/#", 2);
  away.drop();
  Client writer = broker.connected("writer", GetParam());
  writer.publish("a/b", "x", 2, 1);
  EXPECT_EQ(online.heard(), "PUBLISH a/b 'x'");
  EXPECT_EQ(broker.client(GetParam()).connect("away", false, 3600),
            "CONNACK present success; PUBLISH a/b 'x' q2 #2");
}

// ---- 4.6 Message ordering: [MQTT-4.6.0-1] to [MQTT-4.6.0-6]; 3.1.1: [MQTT-4.6.0-5],
// [MQTT-4.6.0-6]

TEST_P(Chapter4, OrderIsKept) {
  Client reader = kept("reader");
  reader.subscribe("a", 2);
  Client writer = broker.connected("writer", GetParam());
  for (std::uint16_t i = 1; i <= 3; ++i) writer.publish("a", std::to_string(i), 2, i);
  EXPECT_EQ(reader.heard(), "PUBLISH a '1' q2 #2; PUBLISH a '2' q2 #3; PUBLISH a '3' q2 #4");
  EXPECT_EQ(reader.pubrec(3), "PUBREL #3");
  EXPECT_EQ(reader.pubrec(2), "PUBREL #2");
  reader.drop();
  EXPECT_EQ(broker.client(GetParam()).connect("reader", false, 3600),
            "CONNACK present success; PUBREL #2; PUBREL #3; PUBLISH a '3' q2 #4 dup");
}

// Answers to what came in one go leave in its order ([MQTT-4.6.0-2], [MQTT-4.6.0-3]).
TEST_P(Chapter4, AnswersKeepTheOrder) {
  Client writer = broker.connected("writer", GetParam());
  const bool is_v5 = GetParam() == kV5;
  writer.raw(
      is_v5 ? "32 07 00 01 61 00 05 00 78 34 07 00 01 61 00 06 00 78 32 07 00 01 61 00 04 00 78"
            : "32 06 00 01 61 00 05 78 34 06 00 01 61 00 06 78 32 06 00 01 61 00 04 78");
  EXPECT_EQ(writer.heard(), "PUBACK #5; PUBREC #6; PUBACK #4");
}

// ---- 4.7 Topic names and filters

// [MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.2-1], [MQTT-4.7.3-4]; 3.1.1: [MQTT-4.7.1-2],
// [MQTT-4.7.1-3], [MQTT-4.7.2-1], [MQTT-4.7.3-4].
TEST_P(Chapter4, FiltersMatchAsTheyShould) {
  struct Case {
    const char* filter;
    const char* topic;
    bool matches;
  };
  constexpr Case kCases[] = {
      {"sport/#", "sport", true},
      {"sport/#", "sport/a/b", true},
      {"+/+", "/x", true},
      {"/+", "/x", true},
      {"+", "/x", false},
      {"#", "a/b", true},
      {"a/+/c", "a/b/c", true},
      {"a/+/c", "a/b/d/c", false},
      {"a/+", "a/", true},
      {"A", "a", false},
      {"a/\xc3\xa9", "a/e\xcc\x81", false},  // no normalisation
      {"a b/ ", "a b/ ", true},
  };
  std::uint16_t id = 1;
  for (const Case& c : kCases) {
    Client reader = broker.connected("reader", GetParam());
    ASSERT_EQ(reader.subscribe(c.filter, 0, id), "SUBACK #" + std::to_string(id) + ": 0");
    Client writer = broker.connected("writer", GetParam());
    writer.publish(c.topic, "x");
    EXPECT_EQ(!reader.heard().empty(), c.matches) << c.filter << " and " << c.topic;
    ++id;
  }
  Client reader = broker.connected("reader", GetParam());
  for (const char* filter : {"#", "+/x"}) reader.subscribe(filter, 0);
  broker.server().publish("$SYS/x", "1");  // only the server itself may
  EXPECT_EQ(reader.heard(), "");
  reader.subscribe("$SYS/#", 1);
  broker.server().publish("$SYS/x", "1");
  EXPECT_EQ(reader.heard(), "PUBLISH $SYS/x '1' q1 #2");
}

// ---- 4.8 Subscriptions

// [MQTT-4.8.2-1], [MQTT-4.8.2-2].
TEST(Chapter4V5, SharedFiltersMustBeWhole) {
  for (const char* filter : {"$share/", "$share/g", "$share//a", "$share/g/", "$share/+/a"}) {
    Broker broker;
    Client reader = broker.connected("reader");
    const std::string text(filter);
    std::string packet{'\x82', static_cast<char>(text.size() + 6), 0, 1, 0,
                       0,      static_cast<char>(text.size())};
    reader.raw_bytes(packet + text + '\x01');
    EXPECT_EQ(reader.heard(), "DISCONNECT topic_filter_invalid; CLOSED") << filter;
  }
}

// [MQTT-4.8.2-3], and one member a message.
TEST(Chapter4V5, AGroupSharesItsMessages) {
  Broker broker;
  Client one = broker.connected("one");
  one.subscribe("$share/g/a", 0);
  Client two = broker.connected("two");
  two.subscribe("$share/g/a", 1);
  Client other = broker.connected("other");
  other.subscribe("$share/h/a", 1);
  Client writer = broker.connected("writer");
  writer.publish("a", "1", 1, 1);
  writer.publish("a", "2", 1, 2);
  EXPECT_EQ(one.heard(), "PUBLISH a '1'");  // granted QoS 0
  EXPECT_EQ(two.heard(), "PUBLISH a '2' q1 #2");
  EXPECT_EQ(other.heard(), "PUBLISH a '1' q1 #2; PUBLISH a '2' q1 #3");
}

// [MQTT-4.8.2-4], [MQTT-4.8.2-5].
TEST(Chapter4V5, AQos2MessageThatWasSentStaysWithItsMember) {
  Broker broker;
  Client one = broker.connected("one", kV5, false, 10);
  one.subscribe("$share/g/a", 2);
  Client writer = broker.connected("writer");
  writer.publish("a", "x", 2, 1);
  EXPECT_EQ(one.heard(), "PUBLISH a 'x' q2 #2");
  Client two = broker.connected("two");
  two.subscribe("$share/g/a", 2);
  one.drop();
  EXPECT_EQ(two.heard(), "");
  Client again = broker.client();
  EXPECT_EQ(again.connect("one", false, 10), "CONNACK present success; PUBLISH a 'x' q2 #2 dup");
  again.drop();
  broker.pass(12);
  EXPECT_EQ(two.heard(), "");
}

// [MQTT-4.8.2-6].
TEST(Chapter4V5, AMessageThatAMemberRefusesIsDone) {
  Broker broker;
  Client one = broker.connected("one");
  one.subscribe("$share/g/a", 2);
  Client writer = broker.connected("writer");
  writer.publish("a", "x", 1, 1);
  writer.publish("a", "y", 2, 2);
  EXPECT_EQ(one.heard(), "PUBLISH a 'x' q1 #2; PUBLISH a 'y' q2 #3");
  Client two = broker.connected("two");
  two.subscribe("$share/g/a", 2);
  one.puback(2, ReasonCode::unspecified_error);
  one.pubrec(3, ReasonCode::unspecified_error);
  one.drop();
  EXPECT_EQ(two.heard(), "");
}

// ---- 4.9 Flow control: [MQTT-4.9.0-1] to [MQTT-4.9.0-3], [MQTT-3.3.4-9], [MQTT-3.3.4-10]

TEST(Chapter4V5, TheReceiveMaximumIsObeyed) {
  Broker broker;
  Client reader = broker.client();
  mqtt::Connect connect = reader.connect_packet("reader");
  connect.properties.receive_maximum = 2;
  EXPECT_EQ(reader.send(connect).heard(), "CONNACK success");
  reader.subscribe("a", 2);
  Client writer = broker.connected("writer");
  for (std::uint16_t i = 1; i <= 4; ++i) writer.publish("a", std::to_string(i), 2, i);
  writer.publish("a", "0");
  EXPECT_EQ(reader.heard(), "PUBLISH a '1' q2 #2; PUBLISH a '2' q2 #3; PUBLISH a '0'");
  EXPECT_EQ(reader.send(mqtt::Pingreq{}).heard(), "PINGRESP");
  EXPECT_EQ(reader.pubrec(2), "PUBREL #2");  // does not make room yet
  reader.pubcomp(2);
  EXPECT_EQ(reader.heard(), "PUBLISH a '3' q2 #4");
  EXPECT_EQ(reader.pubrec(3, ReasonCode::unspecified_error), "PUBLISH a '4' q2 #5");
}

// ---- 4.12 Enhanced authentication, which this server does not offer

// [MQTT-4.12.0-1], [MQTT-4.12.0-6], [MQTT-4.12.0-7].
TEST(Chapter4V5, AuthenticationMethodsAreRefused) {
  Broker broker;
  Client client = broker.client();
  mqtt::Connect connect = client.connect_packet("a");
  connect.properties.authentication_method = "SCRAM-SHA-1";
  EXPECT_EQ(client.send(connect).heard(), "CONNACK bad_authentication_method; CLOSED");
  Client other = broker.connected("b");
  EXPECT_FALSE(other.last<mqtt::Connack>().properties.authentication_method);
  EXPECT_EQ(other.raw("f0 00").heard(), "DISCONNECT protocol_error; CLOSED");
}

// ---- 4.13 Handling errors: [MQTT-4.13.1-1], [MQTT-4.13.2-1]

TEST_P(Chapter4, AHostilePacketEndsItsConnectionAndNothingElse) {
  struct Case {
    const char* packet;
    const char* reason;
  };
  constexpr Case kCases[] = {
      {"00 00", "malformed_packet"},              // type 0
      {"c1 00", "malformed_packet"},              // reserved flags
      {"36 03 00 01 61", "malformed_packet"},     // QoS 3
      {"30 ff ff ff ff 7f", "malformed_packet"},  // length of five bytes
      {"30 ff ff ff 7f", "packet_too_large"},
      {"32 05 00 01 61 00 00", "protocol_error"},  // identifier 0
      {"10 00", nullptr},                          // an empty CONNECT
      {"20 02 00 00", nullptr},                    // what only a server sends
      {"d0 00", "protocol_error"},
  };
  Client bystander = broker.connected("bystander", GetParam());
  bystander.subscribe("a", 0);
  for (const Case& c : kCases) {
    Client client = broker.connected("client", GetParam());
    const std::string heard = client.raw(c.packet).heard();
    EXPECT_TRUE(heard.ends_with("CLOSED")) << c.packet << ": " << heard;
    if (GetParam() == kV3) {
      EXPECT_EQ(heard, "CLOSED") << c.packet;
    } else if (c.reason != nullptr) {
      EXPECT_EQ(heard, std::string("DISCONNECT ") + c.reason + "; CLOSED") << c.packet;
    }
    Client writer = broker.connected("writer", GetParam());
    writer.publish("a", "x");
    EXPECT_EQ(bystander.heard(), "PUBLISH a 'x'");
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, Chapter4, testing::Values(kV3, kV5));

}  // namespace
}  // namespace ficus::connect::conformance
