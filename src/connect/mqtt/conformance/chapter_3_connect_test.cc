// CONNECT, CONNACK, PINGREQ and DISCONNECT (MQTT 5.0, 3.1, 3.2, 3.12, 3.14, 3.15; 3.1.1 likewise).

#include "connect/mqtt/conformance/harness.h"

namespace ficus::connect::conformance {
namespace {

class Chapter3Connect : public testing::TestWithParam<ProtocolVersion> {
 protected:
  Broker broker;
};

mqtt::Will will(std::uint32_t delay_s, bool retain = false) {
  mqtt::Will will{.qos = Qos::at_least_once,
                  .retain = retain,
                  .topic = "will",
                  .payload = bytes_of("gone"),
                  .properties = {}};
  if (delay_s > 0) will.properties.will_delay_interval_s = delay_s;
  return will;
}

// [MQTT-3.1.0-1], [MQTT-3.1.0-2]; 3.1.1: the same numbers.
TEST_P(Chapter3Connect, ConnectComesFirstAndOnce) {
  EXPECT_EQ(broker.client(GetParam()).raw("c0 00").heard(), "CLOSED");
  Client client = broker.connected("a", GetParam());
  const std::string heard = client.connect("a");
  EXPECT_EQ(heard, GetParam() == kV5 ? "DISCONNECT protocol_error; CLOSED" : "CLOSED");
}

// [MQTT-3.1.2-1] to [MQTT-3.1.2-3], [MQTT-3.1.4-1], [MQTT-3.2.2-6], [MQTT-3.2.2-7]; 3.1.1:
// [MQTT-3.1.2-1] to [MQTT-3.1.2-3], [MQTT-3.1.4-1].
TEST(Chapter3ConnectBytes, AreChecked) {
  struct Case {
    const char* packet;
    ProtocolVersion version;  // of the answer
    const char* heard;
  };
  const Case kCases[] = {
      {"10 0d 00 04 4d 51 54 58 05 02 00 00 00 00 00", kV5, "CLOSED"},  // protocol name
      {"10 0d 00 04 4d 51 54 54 06 02 00 00 00 00 00", kV5,
       "CONNACK unsupported_protocol_version; CLOSED"},
      {"10 0c 00 04 4d 51 54 54 03 02 00 00 00 00", kV3,
       "CONNACK unsupported_protocol_version; CLOSED"},
      {"10 0d 00 04 4d 51 54 54 05 03 00 00 00 00 00", kV5, "CONNACK malformed_packet; CLOSED"},
      {"10 0e 00 04 4d 51 54 54 05 02 00 00 00 00 01 ff", kV5,
       "CONNACK malformed_packet; CLOSED"},  // [MQTT-3.1.3-4], [MQTT-1.5.4-1]
      {"10 0e 00 04 4d 51 54 54 05 02 00 00 00 00 01 00", kV5,
       "CONNACK malformed_packet; CLOSED"},  // [MQTT-1.5.4-2]
      {"10 0d 00 04 4d 51 54 54 05 0a 00 00 00 00 00", kV5,
       "CONNACK malformed_packet; CLOSED"},  // [MQTT-3.1.2-11]: a will's QoS without a will
      {"10 0d 00 04 4d 51 54 54 05 22 00 00 00 00 00", kV5,
       "CONNACK malformed_packet; CLOSED"},  // [MQTT-3.1.2-13]
      {"10 0d 00 04 4d 51 54 54 05 1e 00 00 00 00 00", kV5,
       "CONNACK malformed_packet; CLOSED"},  // [MQTT-3.1.2-12]
      {"10 0d 00 04 4d 51 54 54 05 82 00 00 00 00 00", kV5,
       "CONNACK malformed_packet; CLOSED"},  // [MQTT-3.1.2-17]: the user name is missing
      {"10 0d 00 04 4d 51 54 54 05 42 00 00 00 00 00", kV5,
       "CONNACK malformed_packet; CLOSED"},  // [MQTT-3.1.2-19]
      {"10 0c 00 04 4d 51 54 54 04 00 00 00 00 00", kV3,
       "CONNACK client_identifier_not_valid; CLOSED"},  // 3.1.1: [MQTT-3.1.3-8]
      {"10 0d 00 04 4d 51 54 54 05 02 00 00 00 00 00", kV5, "CONNACK success"},
      {"10 0c 00 04 4d 51 54 54 04 02 00 00 00 00", kV3, "CONNACK success"},
  };
  for (const Case& c : kCases) {
    Broker broker;
    EXPECT_EQ(broker.client(c.version).raw(c.packet).heard(), c.heard) << c.packet;
  }
}

// [MQTT-3.1.2-4] to [MQTT-3.1.2-6], [MQTT-3.2.2-2], [MQTT-3.2.2-3], [MQTT-3.1.3-2], [MQTT-3.1.4-4],
// [MQTT-3.1.4-5]; 3.1.1: [MQTT-3.1.2-4] to [MQTT-3.1.2-6], [MQTT-3.2.2-1] to [MQTT-3.2.2-3].
TEST_P(Chapter3Connect, CleanStartAndSessionPresent) {
  const auto connect = [&](bool clean) {
    Client client = broker.client(GetParam());
    const std::string heard = client.connect("a", clean, 100);
    client.drop();
    return heard;
  };
  EXPECT_EQ(connect(false), "CONNACK success");
  EXPECT_EQ(connect(false), "CONNACK present success");
  EXPECT_EQ(connect(true), "CONNACK success");
  EXPECT_EQ(connect(false), GetParam() == kV5 ? "CONNACK present success" : "CONNACK success");
}

// [MQTT-3.1.2-7], [MQTT-3.1.2-8], [MQTT-3.1.2-10], [MQTT-3.1.2-14], [MQTT-3.1.2-15],
// [MQTT-3.14.4-3]; 3.1.1: [MQTT-3.1.2-8], [MQTT-3.1.2-10], [MQTT-3.1.2-16], [MQTT-3.1.2-17],
// [MQTT-3.14.4-3].
TEST_P(Chapter3Connect, Wills) {
  for (const bool retain : {false, true}) {
    Client reader = broker.connected("reader", GetParam());
    reader.subscribe("will", 0);
    reader.heard();
    const auto doomed = [&] {
      Client client = broker.client(GetParam());
      mqtt::Connect connect = client.connect_packet("doomed");
      connect.will = will(0, retain);
      EXPECT_EQ(client.send(connect).heard(), "CONNACK success");
      return client;
    };
    doomed().disconnect();
    EXPECT_EQ(reader.heard(), "");
    Client client = doomed();
    client.raw("ff ff");
    EXPECT_EQ(reader.heard(), "PUBLISH will 'gone'");
    doomed().drop();
    EXPECT_EQ(reader.heard(), "PUBLISH will 'gone'");
    Client late = broker.connected("late", GetParam());
    EXPECT_EQ(late.subscribe("will", 0),
              retain ? "PUBLISH will 'gone' retain; SUBACK #1: 0" : "SUBACK #1: 0");
  }
}

// [MQTT-3.1.3-9], [MQTT-3.1.2-8], and a DISCONNECT that asks for the will.
TEST(Chapter3ConnectV5, WillsWithADelay) {
  Broker broker;
  Client reader = broker.connected("reader");
  reader.subscribe("will", 0);
  const auto doomed = [&](std::uint32_t delay_s, std::uint32_t expiry_s, bool clean = false) {
    Client client = broker.client();
    mqtt::Connect connect = client.connect_packet("doomed", clean, expiry_s);
    connect.will = will(delay_s);
    client.send(connect);
    return client;
  };
  doomed(10, 100).drop();
  broker.pass(9);
  EXPECT_EQ(reader.heard(), "");
  broker.pass(2);
  EXPECT_EQ(reader.heard(), "PUBLISH will 'gone'");
  doomed(10, 100).drop();
  broker.pass(5);
  Client back = doomed(10, 100);  // in time
  broker.pass(20);
  EXPECT_EQ(reader.heard(), "");
  Client clean = doomed(10, 3, true);  // ends the session, and so the wait
  EXPECT_EQ(reader.heard(), "PUBLISH will 'gone'");
  clean.drop();
  broker.pass(4);  // the session ends before the delay
  EXPECT_EQ(reader.heard(), "PUBLISH will 'gone'");
  doomed(0, 100).disconnect(ReasonCode::disconnect_with_will);
  EXPECT_EQ(reader.heard(), "PUBLISH will 'gone'");
  doomed(0, 100).disconnect(ReasonCode::unspecified_error);
  EXPECT_EQ(reader.heard(), "PUBLISH will 'gone'");
}

// The server looks once a second: a client that comes back after the delay, and before the server
// has looked, is too late to take its will back (3.1.3.2.2).
TEST(Chapter3ConnectV5, ADueWillIsPublishedThoughItsClientIsBack) {
  Broker broker;
  Client reader = broker.connected("reader");
  reader.subscribe("will", 0);
  Client doomed = broker.client();
  mqtt::Connect connect = doomed.connect_packet("doomed", false, 100);
  connect.will = will(10);
  doomed.send(connect);
  doomed.drop();
  broker.clock().advance(Micros::from_seconds(11));
  Client back = broker.connected("doomed", kV5, false, 100);
  EXPECT_EQ(reader.heard(), "PUBLISH will 'gone'");
}

// Many wills are published, and many sessions end, in shares of some turns each.
TEST(Chapter3ConnectV5, ManyWillsAreDueAtOnce) {
  Broker broker;
  Client reader = broker.connected("reader");
  reader.subscribe("will", 0);
  constexpr std::size_t kClients = 1500;
  for (std::size_t i = 0; i < kClients; ++i) {
    Client client = broker.client();
    const std::string id = "doomed-" + std::to_string(i);
    mqtt::Connect connect = client.connect_packet(id, false, 5);
    connect.will = will(10);  // the session ends before
    client.send(connect);
    client.drop();
  }
  EXPECT_EQ(broker.counts().sessions, kClients + 1);
  broker.clock().advance(Micros::from_seconds(20));
  broker.server().tick();
  // Others have their turn before all is done.
  EXPECT_GT(broker.counts().sessions, 1U);
  broker.settle();
  EXPECT_EQ(broker.counts().sessions, 1U);
  const std::string heard = reader.heard();
  EXPECT_EQ(static_cast<std::size_t>(std::count(heard.begin(), heard.end(), ';')), kClients - 1);
}

// A will outlives the broker's process (3.1.2.5).
TEST_P(Chapter3Connect, WillsOutliveACrash) {
  {
    Client reader = broker.connected("reader", GetParam(), false, 1000);
    reader.subscribe("will", 1);
    reader.drop();
    Client client = broker.client(GetParam());
    mqtt::Connect connect = client.connect_packet("doomed");
    connect.will = will(0);
    client.send(connect);
  }
  broker.crash();
  broker.pass(1);
  EXPECT_EQ(broker.client(GetParam()).connect("reader", false, 1000),
            "CONNACK present success; PUBLISH will 'gone' q1 #2");
}

// [MQTT-3.1.2-22], [MQTT-3.2.2-22]; 3.1.1: [MQTT-3.1.2-24]; [MQTT-3.12.4-1].
TEST_P(Chapter3Connect, KeepAlive) {
  Client client = broker.client(GetParam());
  mqtt::Connect connect = client.connect_packet("a");
  connect.keep_alive_s = 10;
  client.send(connect);
  broker.pass(14);
  EXPECT_EQ(client.send(mqtt::Pingreq{}).heard(), "CONNACK success; PINGRESP");
  broker.pass(15);
  EXPECT_EQ(client.heard(), "");
  broker.pass(1);
  EXPECT_EQ(client.heard(), GetParam() == kV5 ? "DISCONNECT keep_alive_timeout; CLOSED" : "CLOSED");
  Client quiet = broker.connected("b", GetParam());  // keep alive 0: none
  broker.pass(100);
  EXPECT_EQ(quiet.heard(), "");
}

// A CONNECT that comes byte by byte has no more time than one that does not come (3.1.4): who
// trickles holds a place for ten seconds, not for ever.
TEST_P(Chapter3Connect, ATricklingConnectIsEndedAndCounted) {
  Client silent = broker.client(GetParam());
  Client slow = broker.client(GetParam());
  slow.raw("10");
  for (const char* const byte : {"40", "00", "04", "4d", "51", "54", "54", "04", "02", "00"}) {
    broker.pass(1);
    EXPECT_EQ(slow.raw(byte).heard(), "");
  }
  broker.pass(1);
  EXPECT_EQ(slow.heard(), "CLOSED");
  EXPECT_EQ(silent.heard(), "CLOSED");
  EXPECT_EQ(broker.counts().connects_slow, 2U);
  EXPECT_EQ(broker.counts().keep_alives_missed, 0U);
}

TEST(Chapter3ConnectV5, ServerKeepAlive) {
  Broker broker({.address = {}, .keep_alive_max_s = 20});
  Client client = broker.client();
  client.connect("a");
  EXPECT_EQ(client.last<mqtt::Connack>().properties.server_keep_alive_s, 20);
  broker.pass(31);
  EXPECT_EQ(client.heard(), "DISCONNECT keep_alive_timeout; CLOSED");
  EXPECT_EQ(broker.counts().keep_alives_missed, 1U);
}

// [MQTT-3.1.2-24], [MQTT-3.1.2-25].
TEST(Chapter3ConnectV5, MaximumPacketSize) {
  Broker broker;
  Client reader = broker.client();
  mqtt::Connect connect = reader.connect_packet("reader", false, 100);
  connect.properties.packet_bytes_max = 40;
  reader.send(connect).heard();
  reader.subscribe("a", 1);
  Client writer = broker.connected("writer");
  EXPECT_EQ(writer.publish("a", std::string(50, 'x'), 1, 1), "PUBACK #1");
  writer.publish("a", "y", 1, 2);
  EXPECT_EQ(reader.heard(), "PUBLISH a 'y' q1 #3");
}

// [MQTT-3.2.2-15], and the server's own limit.
TEST(Chapter3ConnectV5, TooLargeForTheServer) {
  Broker broker({.address = {}, .packet_bytes_max = 100});
  Client client = broker.client();
  client.connect("a");
  EXPECT_EQ(client.last<mqtt::Connack>().properties.packet_bytes_max, 100U);
  EXPECT_EQ(client.publish("a", std::string(200, 'x')), "DISCONNECT packet_too_large; CLOSED");
}

// A stranger may not send what a client may.
TEST(Chapter3ConnectV5, AConnectIsNoLongerThanItMustBe) {
  Broker broker;
  Client client = broker.client();
  mqtt::Connect connect = client.connect_packet("a");
  const std::string value(60'000, 'x');
  mqtt::UserPropertyBuffer properties;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(properties.add("n", value));
  connect.properties.user_properties = properties.view();
  EXPECT_EQ(client.send(connect).heard(), "CONNACK packet_too_large; CLOSED");
  EXPECT_EQ(broker.counts().connects_refused.at(ReasonCode::packet_too_large), 1U);
  Client other = broker.connected("b");
  EXPECT_EQ(other.publish("t", std::string(300'000, 'x'), 1, 1), "PUBACK #1");
}

// [MQTT-3.1.2-26], [MQTT-3.1.2-27], [MQTT-3.3.2-11]: this server sends no topic alias at all.
TEST(Chapter3ConnectV5, NoTopicAliasToClients) {
  Broker broker;
  Client reader = broker.client();
  mqtt::Connect connect = reader.connect_packet("reader");
  connect.properties.topic_alias_max = 10;
  reader.send(connect).heard();
  reader.subscribe("a", 0);
  Client writer = broker.connected("writer");
  for (int i = 0; i < 3; ++i) writer.publish("a", "x");
  EXPECT_EQ(reader.heard(), "PUBLISH a 'x'; PUBLISH a 'x'; PUBLISH a 'x'");
  EXPECT_FALSE(reader.last<mqtt::Publish>().properties.topic_alias);
}

// [MQTT-3.1.2-28].
TEST(Chapter3ConnectV5, ResponseInformation) {
  Broker broker;
  Client client = broker.client();
  client.connect("a");
  EXPECT_FALSE(client.last<mqtt::Connack>().properties.response_information);
  Client other = broker.client();
  mqtt::Connect connect = other.connect_packet("b");
  connect.properties.request_response_information = true;
  other.send(connect).heard();
  EXPECT_EQ(other.last<mqtt::Connack>().properties.response_information, "reply/b");
}

// [MQTT-3.1.2-29].
TEST(Chapter3ConnectV5, ProblemInformation) {
  Broker broker;
  for (const bool wants : {true, false}) {
    Client client = broker.client();
    mqtt::Connect connect = client.connect_packet("a");
    connect.properties.request_problem_information = wants;
    client.send(connect).heard();
    EXPECT_EQ(client.publish("ficus/x", "x", 1, 1), "PUBACK #1 not_authorized");
    EXPECT_EQ(client.last<mqtt::Puback>().properties.reason_string.has_value(), wants);
  }
}

// [MQTT-3.1.3-5]; 3.1.1: the same.
TEST_P(Chapter3Connect, ClientIdentifiers) {
  for (const char* id : {"a", "0123456789abcdefghijkl", "ABCDEFGHIJKLMNOPQRSTUVW", "设备/7 #"}) {
    EXPECT_EQ(broker.client(GetParam()).connect(id), "CONNACK success") << id;
  }
  // Every fact about a session names it.
  const std::string longest(1024, 'x');
  EXPECT_EQ(broker.client(GetParam()).connect(longest), "CONNACK success");
  EXPECT_EQ(broker.client(GetParam()).connect(longest + "x").substr(0, 35),
            "CONNACK client_identifier_not_valid");
}

// [MQTT-3.1.3-6], [MQTT-3.1.3-7], [MQTT-3.2.2-16]; 3.1.1: [MQTT-3.1.3-6].
TEST_P(Chapter3Connect, AssignedClientIdentifiers) {
  std::string first;
  for (int i = 0; i < 2; ++i) {
    Client client = broker.client(GetParam());
    EXPECT_EQ(client.connect(""), "CONNACK success");
    if (GetParam() == kV3) continue;
    const auto id = client.last<mqtt::Connack>().properties.assigned_client_id;
    ASSERT_TRUE(id);
    EXPECT_NE(*id, first);
    first = *id;
  }
}

// [MQTT-3.1.4-3]; 3.1.1: [MQTT-3.1.4-2].
TEST_P(Chapter3Connect, TakeOver) {
  Client first = broker.connected("a", GetParam(), false, 100);
  first.subscribe("x", 0);
  Client second = broker.client(GetParam());
  EXPECT_EQ(second.connect("a", false, 100), "CONNACK present success");
  EXPECT_EQ(first.heard(), GetParam() == kV5 ? "DISCONNECT session_taken_over; CLOSED" : "CLOSED");
  Client writer = broker.connected("writer", GetParam());
  writer.publish("x", "1");
  EXPECT_EQ(second.heard(), "PUBLISH x '1'");
}

// [MQTT-3.1.4-6], [MQTT-3.2.2-7]; 3.1.1: [MQTT-3.1.4-5].
TEST_P(Chapter3Connect, NothingIsDoneBehindARefusedConnect) {
  Client reader = broker.connected("reader", GetParam());
  reader.subscribe("a", 0);
  Client client = broker.client(GetParam());
  mqtt::Connect connect = client.connect_packet("b");
  connect.will = will(0);
  connect.will->topic = "ficus/alert/x";  // is not for clients
  client.send(connect);
  client.publish("a", "x");
  EXPECT_EQ(reader.heard(), "");
}

// [MQTT-3.2.0-1], [MQTT-3.2.0-2]: the CONNACK comes first, and once.
TEST_P(Chapter3Connect, ConnackComesFirst) {
  {
    Client client = broker.connected("a", GetParam(), false, 100);
    client.subscribe("x", 1);
    client.drop();
  }
  Client writer = broker.connected("writer", GetParam());
  writer.publish("x", "1", 1, 1);
  Client client = broker.client(GetParam());
  client.send(client.connect_packet("a", false, 100));
  client.send(mqtt::Pingreq{});
  const std::string heard = client.heard();
  EXPECT_TRUE(heard.starts_with("CONNACK present success; ")) << heard;
  EXPECT_EQ(heard.find("CONNACK", 1), std::string::npos) << heard;
}

// [MQTT-3.14.1-1], [MQTT-3.14.2-1], [MQTT-3.14.2-2], [MQTT-3.14.4-1], [MQTT-3.14.4-2]; 3.1.1:
// [MQTT-3.14.1-1], [MQTT-3.14.4-1], [MQTT-3.14.4-2].
TEST_P(Chapter3Connect, Disconnect) {
  Client client = broker.connected("a", GetParam());
  EXPECT_EQ(client.raw("e0 00 c0 00").heard(), "CLOSED");  // the PINGREQ behind it is not answered
  Client other = broker.connected("b", GetParam());
  EXPECT_EQ(other.raw("e1 00").heard(),
            GetParam() == kV5 ? "DISCONNECT malformed_packet; CLOSED" : "CLOSED");
}

TEST(Chapter3ConnectV5, DisconnectMayNotBringASessionBack) {
  Broker broker;
  Client client = broker.connected("a");  // expiry 0
  mqtt::Disconnect disconnect{};
  disconnect.properties.session_expiry_interval_s = 10;
  EXPECT_EQ(client.send(disconnect).heard(), "DISCONNECT protocol_error; CLOSED");
  EXPECT_FALSE(client.last<mqtt::Disconnect>().properties.session_expiry_interval_s);
  Client kept = broker.connected("b", kV5, false, 100);
  disconnect.properties.session_expiry_interval_s = 0;
  kept.send(disconnect);
  EXPECT_EQ(broker.client().connect("b", false, 100), "CONNACK success");
}

// [MQTT-3.15.1-1].
TEST(Chapter3ConnectV5, AuthFlags) {
  Broker broker;
  Client client = broker.connected("a");
  EXPECT_EQ(client.raw("f1 00").heard(), "DISCONNECT malformed_packet; CLOSED");
}

INSTANTIATE_TEST_SUITE_P(Versions, Chapter3Connect, testing::Values(kV3, kV5));

}  // namespace
}  // namespace ficus::connect::conformance
