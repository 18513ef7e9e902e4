#include "codec/mqtt/decoder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codec/mqtt/test_support.h"

namespace ficus::mqtt::test {
namespace {

template <typename P>
P packet_of(const std::vector<std::byte>& input, ProtocolVersion version) {
  const auto decoded = decode(input, version, kNoLimit);
  if (!decoded) {
    ADD_FAILURE() << decode_error_name(decoded.error());
    return P{};
  }
  EXPECT_EQ(decoded->bytes, input.size());
  EXPECT_EQ(packet_type(decoded->packet), P::kType);
  const P* const packet = std::get_if<P>(&decoded->packet);
  return packet == nullptr ? P{} : *packet;
}

// MQTT 3.1.1, figure 3.6, with a payload of ours.
TEST(MqttDecoder, ConnectOf311) {
  const auto input =
      framed("10",
             "00 04 'MQTT' 04 ce 00 0a 00 02 'id' 00 03 'w/t' 00 02 ff 00 00 04 'user'"
             " 00 04 'pass'");
  const auto connect = packet_of<Connect>(input, kV5);  // the version of the call does not matter
  EXPECT_EQ(connect.version, kV3);
  EXPECT_TRUE(connect.clean_start);
  EXPECT_EQ(connect.keep_alive_s, 10);
  EXPECT_EQ(connect.client_id, "id");
  ASSERT_TRUE(connect.will.has_value());
  EXPECT_EQ(connect.will->qos, Qos::at_least_once);
  EXPECT_FALSE(connect.will->retain);
  EXPECT_EQ(connect.will->topic, "w/t");
  EXPECT_EQ(connect.will->payload, view(std::string_view("\xff\0", 2)));
  EXPECT_EQ(connect.user_name, "user");
  EXPECT_EQ(connect.password, view("pass"));
  EXPECT_EQ(connect.properties, ConnectProperties{});
  EXPECT_EQ(connect_protocol_level(input), 4);
}

// MQTT 5.0, 3.1.2.12: the variable header with a session expiry of ten seconds.
TEST(MqttDecoder, ConnectOf5) {
  const auto input = framed("10",
                            "00 04 'MQTT' 05 ce 00 0a 05 11 00 00 00 0a 00 00"
                            " 05 18 00 00 00 07 00 01 'w' 00 00 00 04 'user' 00 04 'pass'");
  const auto connect = packet_of<Connect>(input, kV3);
  EXPECT_EQ(connect.version, kV5);
  EXPECT_EQ(connect.properties.session_expiry_interval_s, 10U);
  EXPECT_EQ(connect.client_id, "");
  EXPECT_EQ(connect.will->properties.will_delay_interval_s, 7U);
  EXPECT_TRUE(connect.will->payload.empty());
  EXPECT_EQ(connect_protocol_level(input), 5);
}

// MQTT 3.1.1, 3.3.2.3 and MQTT 5.0, 3.3.2.4: topic a/b, identifier 10.
TEST(MqttDecoder, Publish) {
  const auto old_input = framed("3b", "00 03 'a/b' 00 0a 'hi'");
  const auto old_publish = packet_of<Publish>(old_input, kV3);
  EXPECT_EQ(old_publish, (Publish{.dup = true,
                                  .qos = Qos::at_least_once,
                                  .retain = true,
                                  .topic = "a/b",
                                  .packet_id = PacketId{10},
                                  .payload = view("hi")}));
  const auto new_input = framed("34", "00 03 'a/b' 00 0a 00");
  EXPECT_EQ(packet_of<Publish>(new_input, kV5),
            (Publish{.qos = Qos::exactly_once, .topic = "a/b", .packet_id = PacketId{10}}));
  const auto qos_0 = framed("30", "00 01 'a'");
  EXPECT_EQ(packet_of<Publish>(qos_0, kV3), (Publish{.topic = "a"}));
}

// 1.5.4, figure 1-2: the letter A and a character of four bytes; then U+FEFF, which is text.
TEST(MqttDecoder, TextIsUtf8) {
  const auto input = framed("30", "00 05 41 f0 aa 9b 94");
  EXPECT_EQ(packet_of<Publish>(input, kV3).topic, "A\xf0\xaa\x9b\x94");
  const auto marked = framed("30", "00 04 ef bb bf 41");
  EXPECT_EQ(packet_of<Publish>(marked, kV3).topic, "\xef\xbb\xbf\x41");
}

TEST(MqttDecoder, PublishPropertiesInAnyOrder) {
  const auto input =
      framed("30",
             "00 01 't' (26 00 01 'k' 00 01 '1' 0b 01 03 00 01 'c' 26 00 01 'k' 00 00"
             " 23 00 09 0b ff ff ff 7f 09 00 02 00 ff 08 00 01 'r' 02 00 00 00 3c 01 01) 'p'");
  const auto publish = packet_of<Publish>(input, kV5);
  const PublishProperties& p = publish.properties;
  EXPECT_EQ(p.content_type, "c");
  EXPECT_EQ(p.topic_alias, 9);
  EXPECT_EQ(p.response_topic, "r");
  EXPECT_EQ(p.correlation_data, view(std::string_view("\0\xff", 2)));
  EXPECT_EQ(p.message_expiry_interval_s, 60U);
  EXPECT_EQ(p.payload_is_utf8, true);
  EXPECT_EQ(publish.payload, view("p"));

  std::vector<UserProperty> user(p.user_properties.begin(), p.user_properties.end());
  EXPECT_EQ(user, (std::vector<UserProperty>{{"k", "1"}, {"k", ""}}));
  std::vector<SubscriptionId> ids(p.subscription_ids.begin(), p.subscription_ids.end());
  EXPECT_EQ(ids, (std::vector{SubscriptionId{1}, SubscriptionId{kSubscriptionIdMax}}));
}

TEST(MqttDecoder, TopicAliasStandsForTheName) {
  const auto input = framed("30", "00 00 03 23 00 01");
  const auto publish = packet_of<Publish>(input, kV5);
  EXPECT_TRUE(publish.topic.empty());
  EXPECT_EQ(publish.properties.topic_alias, 1);
}

// MQTT 3.1.1, figure 3.23; MQTT 5.0, 3.8.3.
TEST(MqttDecoder, Subscribe) {
  const auto old_input = framed("82", "00 0a 00 03 'a/b' 01 00 03 'c/d' 02");
  const auto old_subscribe = packet_of<Subscribe>(old_input, kV3);
  EXPECT_EQ(old_subscribe.packet_id, PacketId{10});
  std::vector<Subscription> list(old_subscribe.subscriptions.begin(),
                                 old_subscribe.subscriptions.end());
  EXPECT_EQ(list, (std::vector<Subscription>{{.filter = "a/b", .qos_max = Qos::at_least_once},
                                             {.filter = "c/d", .qos_max = Qos::exactly_once}}));

  const auto input = framed("82", "00 0a 03 0b 80 01 00 01 '#' 2d 00 0a '$share/g/a' 00");
  const auto subscribe = packet_of<Subscribe>(input, kV5);
  EXPECT_EQ(subscribe.properties.subscription_id, SubscriptionId{128});
  ASSERT_EQ(subscribe.subscriptions.size(), 2U);
  EXPECT_EQ(*subscribe.subscriptions.begin(),
            (Subscription{.filter = "#",
                          .qos_max = Qos::at_least_once,
                          .no_local = true,
                          .retain_as_published = true,
                          .retain_handling = RetainHandling::do_not_send}));
}

// MQTT 3.1.1, figures 3.26 and 3.30.
TEST(MqttDecoder, SubackUnsubscribeUnsuback) {
  const auto suback_input = framed("90", "00 0a 00 02 80");
  const auto suback = packet_of<Suback>(suback_input, kV3);
  ASSERT_EQ(suback.reasons.size(), 3U);
  EXPECT_EQ(suback.reasons[1], ReasonCode::granted_qos_2);
  EXPECT_EQ(suback.reasons[2], ReasonCode::unspecified_error);

  const auto unsubscribe_input = framed("a2", "00 0a 00 03 'a/b' 00 03 'c/d'");
  const auto unsubscribe = packet_of<Unsubscribe>(unsubscribe_input, kV3);
  std::vector<std::string_view> filters(unsubscribe.filters.begin(), unsubscribe.filters.end());
  EXPECT_EQ(filters, (std::vector<std::string_view>{"a/b", "c/d"}));

  const auto old_unsuback = framed("b0", "00 0a");
  EXPECT_TRUE(packet_of<Unsuback>(old_unsuback, kV3).reasons.empty());
  const auto new_unsuback = framed("b0", "00 0a 00 00 11");
  EXPECT_EQ(packet_of<Unsuback>(new_unsuback, kV5).reasons[1], ReasonCode::no_subscription_existed);
}

TEST(MqttDecoder, Connack) {
  const auto refused = framed("20", "00 05");
  EXPECT_EQ(packet_of<Connack>(refused, kV3), (Connack{.reason = ReasonCode::not_authorized}));
  const auto resumed = framed("20", "01 00");
  EXPECT_TRUE(packet_of<Connack>(resumed, kV3).session_present);
  const auto input = framed("20", "00 00 (21 00 14 24 01 25 00 12 00 01 'x' 13 00 1e)");
  const auto connack = packet_of<Connack>(input, kV5);
  EXPECT_EQ(connack.properties.receive_maximum, 20);
  EXPECT_EQ(connack.properties.maximum_qos, Qos::at_least_once);
  EXPECT_EQ(connack.properties.retain_available, false);
  EXPECT_EQ(connack.properties.assigned_client_id, "x");
  EXPECT_EQ(connack.properties.server_keep_alive_s, 30);
}

// 3.4.2.1 and 3.4.2.2.1: reason and properties may be left out.
TEST(MqttDecoder, ResponsesInAllLengths) {
  const auto bare = framed("40", "00 07");
  EXPECT_EQ(packet_of<Puback>(bare, kV3), Puback{.packet_id = PacketId{7}});
  EXPECT_EQ(packet_of<Puback>(bare, kV5), Puback{.packet_id = PacketId{7}});
  const auto with_reason = framed("50", "00 07 10");
  EXPECT_EQ(packet_of<Pubrec>(with_reason, kV5).reason, ReasonCode::no_matching_subscribers);
  const auto with_length = framed("62", "00 07 92 00");
  EXPECT_EQ(packet_of<Pubrel>(with_length, kV5).reason, ReasonCode::packet_identifier_not_found);
  const auto full = framed("70", "00 07 00 04 1f 00 01 'x'");
  EXPECT_EQ(packet_of<Pubcomp>(full, kV5).properties.reason_string, "x");
}

TEST(MqttDecoder, PacketsWithoutBody) {
  const auto pingreq = framed("c0", "");
  packet_of<Pingreq>(pingreq, kV3);
  const auto pingresp = framed("d0", "");
  packet_of<Pingresp>(pingresp, kV5);
  const auto disconnect = framed("e0", "");
  EXPECT_EQ(packet_of<Disconnect>(disconnect, kV3), Disconnect{});
  EXPECT_EQ(packet_of<Disconnect>(disconnect, kV5), Disconnect{});
  const auto with_will = framed("e0", "04");
  EXPECT_EQ(packet_of<Disconnect>(with_will, kV5).reason, ReasonCode::disconnect_with_will);
  const auto auth = framed("f0", "");
  EXPECT_EQ(packet_of<Auth>(auth, kV5), Auth{});
  const auto exchange = framed("f0", "18 0b 15 00 03 'SCR' 16 00 02 01 02");
  EXPECT_EQ(packet_of<Auth>(exchange, kV5).properties.authentication_method, "SCR");
}

TEST(MqttDecoder, TakesOnePacketFromMany) {
  const auto input = wire("c0 00 d0 00 40 02 00");
  const auto first = decode(input, kV5, kNoLimit);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->bytes, 2U);
  const auto rest = std::span(input).subspan(4);
  EXPECT_EQ(decode(rest, kV5, kNoLimit).error(), DecodeError::incomplete);
}

// 2.1.4, table 2-4: the smallest and largest value of each length, and the first that is too long.
TEST(MqttDecoder, RemainingLength) {
  struct Case {
    const char* length;
    std::size_t value;
  };
  for (const Case& c : std::initializer_list<Case>{{"00", 0},
                                                   {"7f", 127},
                                                   {"80 01", 128},
                                                   {"ff 7f", 16'383},
                                                   {"80 80 01", 16'384},
                                                   {"ff ff 7f", 2'097'151},
                                                   {"80 80 80 01", 2'097'152},
                                                   {"ff ff ff 7f", 268'435'455},
                                                   {"82 00", 2}}) {
    const auto input = wire("30 " + std::string(c.length));
    const auto header = decode_fixed_header(input, kV3, kNoLimit);
    ASSERT_TRUE(header.has_value()) << c.length;
    EXPECT_EQ(header->packet_bytes, c.value + input.size());
    EXPECT_EQ(header->header_bytes, input.size());
    EXPECT_EQ(header->type, PacketType::publish);
    EXPECT_EQ(decode_fixed_header(input, kV3, c.value + input.size() - 1).error(),
              DecodeError::too_large);
  }
  EXPECT_EQ(error_of(wire("30 ff ff ff ff"), kV3), "remaining_length_invalid");
  EXPECT_EQ(error_of(wire("30 80 80 80 80 01"), kV3), "remaining_length_invalid");
  EXPECT_EQ(error_of(wire("30 80 80 80"), kV3), "incomplete");
  EXPECT_EQ(error_of(wire(""), kV3), "incomplete");
}

TEST(MqttDecoder, RefusesLargePacketsBeforeTheyArrive) {
  EXPECT_EQ(error_of(wire("30 80 01"), kV5, 100), "too_large");
  EXPECT_EQ(error_of(wire("30 62"), kV5, 100), "incomplete");
  EXPECT_EQ(error_of(wire("30 63"), kV5, 100), "too_large");
}

TEST(MqttDecoder, ProtocolLevelOfARefusedConnect) {
  EXPECT_EQ(connect_protocol_level(wire("10 0c 00 06 'MQIsdp' 03 02")), 3);
  EXPECT_EQ(connect_protocol_level(wire("10 80 01 00 04 'MQTT' 06")), 6);
  EXPECT_EQ(connect_protocol_level(wire("10 0c 00 04 'MQTX' 05")), std::nullopt);
  EXPECT_EQ(connect_protocol_level(wire("10 0c 00 04 'MQTT'")), std::nullopt);
  EXPECT_EQ(connect_protocol_level(wire("20 02 00 00")), std::nullopt);
  EXPECT_EQ(connect_protocol_level({}), std::nullopt);
}

}  // namespace
}  // namespace ficus::mqtt::test
