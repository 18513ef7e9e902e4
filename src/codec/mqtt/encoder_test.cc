#include "codec/mqtt/encoder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codec/mqtt/publish_image.h"
#include "codec/mqtt/test_support.h"

namespace ficus::mqtt::test {
namespace {

std::string_view encode_error(const Packet& packet, ProtocolVersion version,
                              std::size_t packet_bytes_max = kNoLimit) {
  std::vector<std::byte> out = wire("c0 00");
  const auto status = encode(packet, version, packet_bytes_max, out);
  if (status) return "none";
  EXPECT_EQ(out, wire("c0 00"));  // as before
  return encode_error_name(status.error());
}

std::vector<std::byte> encoded(const Packet& packet, ProtocolVersion version,
                               std::size_t packet_bytes_max = kNoLimit) {
  std::vector<std::byte> out;
  EXPECT_TRUE(encode(packet, version, packet_bytes_max, out).has_value());
  return out;
}

TEST(MqttEncoder, WritesTheExamplesOfTheStandards) {
  const Publish publish{.qos = Qos::at_least_once, .topic = "a/b", .packet_id = PacketId{10}};
  EXPECT_EQ(encoded(publish, kV3), wire("32 07 00 03 'a/b' 00 0a"));
  EXPECT_EQ(encoded(publish, kV5), wire("32 08 00 03 'a/b' 00 0a 00"));
  SubscriptionBuffer buffer;
  ASSERT_TRUE(buffer.add({.filter = "a/b", .qos_max = Qos::at_least_once, .no_local = true}));
  ASSERT_TRUE(buffer.add({.filter = "c/d", .qos_max = Qos::exactly_once}));
  const Subscribe subscribe{.packet_id = PacketId{10}, .subscriptions = buffer.view()};
  EXPECT_EQ(encoded(subscribe, kV3), wire("82 0e 00 0a 00 03 'a/b' 01 00 03 'c/d' 02"));
  EXPECT_EQ(encoded(subscribe, kV5), wire("82 0f 00 0a 00 00 03 'a/b' 05 00 03 'c/d' 02"));
}

TEST(MqttEncoder, WritesTheShortForms) {
  EXPECT_EQ(encoded(Puback{.packet_id = PacketId{258}}, kV5), wire("40 02 01 02"));
  EXPECT_EQ(
      encoded(Pubrel{.packet_id = PacketId{1}, .reason = ReasonCode::packet_identifier_not_found},
              kV5),
      wire("62 03 00 01 92"));
  EXPECT_EQ(encoded(Disconnect{}, kV5), wire("e0 00"));
  EXPECT_EQ(encoded(Disconnect{.reason = ReasonCode::server_shutting_down}, kV5), wire("e0 01 8b"));
  EXPECT_EQ(encoded(Auth{}, kV5), wire("f0 00"));
  std::vector<std::byte> out;
  encode_puback(PacketId{258}, out);
  encode_pingresp(out);
  EXPECT_EQ(out, wire("40 02 01 02 d0 00"));
}

TEST(MqttEncoder, LeavesOutWhat311DoesNotHave) {
  const Connack connack{.reason = ReasonCode::banned, .properties = {.reason_string = "no"}};
  EXPECT_EQ(encoded(connack, kV3), wire("20 02 00 05"));
  const Puback puback{.packet_id = PacketId{1}, .reason = ReasonCode::not_authorized};
  EXPECT_EQ(encoded(puback, kV3), wire("40 02 00 01"));
  EXPECT_EQ(encoded(Disconnect{.reason = ReasonCode::server_busy}, kV3), wire("e0 00"));
  const ReasonCode codes[] = {ReasonCode::granted_qos_1, ReasonCode::not_authorized};
  EXPECT_EQ(encoded(Suback{.packet_id = PacketId{1}, .reasons = ReasonCodes(codes)}, kV3),
            wire("90 04 00 01 01 80"));
  const ReasonCode gone[] = {ReasonCode::no_subscription_existed};
  EXPECT_EQ(encoded(Unsuback{.packet_id = PacketId{1}, .reasons = ReasonCodes(gone)}, kV3),
            wire("b0 02 00 01"));
  const Publish publish{.topic = "t", .properties = {.content_type = "c"}, .payload = view("x")};
  EXPECT_EQ(encoded(publish, kV3), wire("30 04 00 01 't' 'x'"));
}

TEST(MqttEncoder, RemainingLengthOfEverySize) {
  for (const std::size_t remaining :
       {std::size_t{127}, std::size_t{128}, std::size_t{16'383}, std::size_t{16'384},
        std::size_t{2'097'151}, std::size_t{2'097'152}}) {
    const std::vector<std::byte> payload(remaining - 3, std::byte{7});
    const Publish publish{.topic = "t", .payload = Bytes(payload)};
    const auto out = encoded(publish, kV3);
    const auto decoded = decode(out, kV3, kNoLimit);
    ASSERT_TRUE(decoded.has_value()) << remaining;
    EXPECT_TRUE(std::get<Publish>(decoded->packet) == publish);
    const std::size_t length_bytes = out.size() - remaining - 1;
    EXPECT_EQ(length_bytes, remaining < 128         ? 1U
                            : remaining < 16'384    ? 2U
                            : remaining < 2'097'152 ? 3U
                                                    : 4U);
  }
}

TEST(MqttEncoder, NeverPassesTheLimits) {
  const Publish publish{.topic = "t", .payload = view("0123456789")};
  EXPECT_EQ(encode_error(publish, kV3, 15), "none");
  EXPECT_EQ(encode_error(publish, kV3, 14), "too_large");
  const std::vector<std::byte> payload(268'435'455 - 2);
  const Publish huge{.topic = "t", .payload = Bytes(payload)};
  EXPECT_EQ(encode_error(huge, kV3), "too_large");
}

TEST(MqttEncoder, DropsTheDiagnosticsOfAnswersThatWouldBeTooLarge) {
  UserPropertyBuffer user;
  ASSERT_TRUE(user.add("key", "value"));
  const Puback puback{.packet_id = PacketId{1},
                      .reason = ReasonCode::quota_exceeded,
                      .properties = {.reason_string = "full", .user_properties = user.view()}};
  EXPECT_EQ(encoded(puback, kV5).size(), 26U);
  EXPECT_EQ(encoded(puback, kV5, 26).size(), 26U);
  EXPECT_EQ(encoded(puback, kV5, 25), wire("40 03 00 01 97"));
  EXPECT_EQ(encode_error(puback, kV5, 4), "too_large");
  const Connack connack{.properties = {.receive_maximum = 5, .reason_string = "welcome"}};
  EXPECT_EQ(encoded(connack, kV5, 10), wire("20 06 00 00 03 21 00 05"));
  // A message keeps what its sender put into it ([MQTT-3.3.2-17]).
  const Publish publish{.topic = "t", .properties = {.user_properties = user.view()}};
  EXPECT_EQ(encode_error(publish, kV5, 10), "too_large");
}

TEST(MqttEncoder, RefusesFieldsThatDoNotFit) {
  const std::string long_text(65'536, 'x');
  EXPECT_EQ(encode_error(Publish{.topic = long_text}, kV3), "field_too_long");
  EXPECT_EQ(encode_error(Connect{.client_id = long_text}, kV5), "field_too_long");
  EXPECT_EQ(encode_error(Connect{.will = Will{.topic = "w", .payload = view(long_text)}}, kV5),
            "field_too_long");
  const Publish publish{.topic = "t", .properties = {.content_type = long_text}};
  EXPECT_EQ(encode_error(publish, kV5), "field_too_long");
  EXPECT_EQ(encode_error(publish, kV3), "none");
  EXPECT_FALSE(UserPropertyBuffer{}.add(long_text, ""));
  EXPECT_FALSE(UserPropertyBuffer{}.add("", long_text));
  EXPECT_FALSE(SubscriptionBuffer{}.add({.filter = long_text}));
  EXPECT_FALSE(TopicFilterBuffer{}.add(long_text));
  EXPECT_FALSE(SubscriptionIdBuffer{}.add(SubscriptionId{0}));
  EXPECT_FALSE(SubscriptionIdBuffer{}.add(SubscriptionId{kSubscriptionIdMax + 1}));
}

TEST(MqttEncoder, RefusesWhatCannotBeSaid) {
  EXPECT_EQ(encode_error(Auth{}, kV3), "not_in_version");
  const Publish alias{.properties = {.topic_alias = 1}};
  EXPECT_EQ(encode_error(alias, kV3), "not_in_version");
  EXPECT_EQ(encode_error(alias, kV5), "none");
  EXPECT_EQ(encode_error(Publish{}, kV5), "value_invalid");
  EXPECT_EQ(encode_error(Publish{.dup = true, .topic = "t"}, kV5), "value_invalid");
  EXPECT_EQ(encode_error(Publish{.qos = Qos::at_least_once, .topic = "t"}, kV5),
            "packet_id_invalid");
  EXPECT_EQ(encode_error(Publish{.topic = "t", .packet_id = PacketId{1}}, kV5),
            "packet_id_invalid");
  EXPECT_EQ(encode_error(Puback{}, kV5), "packet_id_invalid");
  EXPECT_EQ(encode_error(Subscribe{}, kV5), "packet_id_invalid");
  EXPECT_EQ(encode_error(Subscribe{.packet_id = PacketId{1}}, kV5), "payload_empty");
  EXPECT_EQ(encode_error(Unsubscribe{.packet_id = PacketId{1}}, kV3), "payload_empty");
  EXPECT_EQ(encode_error(Suback{.packet_id = PacketId{1}}, kV3), "payload_empty");
  EXPECT_EQ(encode_error(Unsuback{.packet_id = PacketId{1}}, kV5), "payload_empty");
  EXPECT_EQ(encode_error(Unsuback{.packet_id = PacketId{1}}, kV3), "none");
}

TEST(MqttEncoder, RefusesValuesOutsideTheirRange) {
  EXPECT_EQ(encode_error(Connect{.properties = {.receive_maximum = 0}}, kV5), "value_invalid");
  EXPECT_EQ(encode_error(Connack{.properties = {.packet_bytes_max = 0}}, kV5), "value_invalid");
  EXPECT_EQ(encode_error(Connack{.properties = {.maximum_qos = Qos::exactly_once}}, kV5),
            "value_invalid");
  EXPECT_EQ(encode_error(Publish{.topic = "t", .properties = {.topic_alias = 0}}, kV5),
            "value_invalid");
  EXPECT_EQ(encode_error(Connack{.session_present = true, .reason = ReasonCode::banned}, kV3),
            "value_invalid");
  EXPECT_EQ(encode_error(Disconnect{.reason = ReasonCode::banned}, kV5), "value_invalid");
  EXPECT_EQ(encode_error(Auth{.reason = ReasonCode::continue_authentication}, kV5),
            "value_invalid");
  const Connect password_alone{.version = kV3, .password = view("p")};
  EXPECT_EQ(encode_error(password_alone, kV3), "value_invalid");
  EXPECT_EQ(encode_error(Connect{.version = kV3, .clean_start = false}, kV3), "value_invalid");
  EXPECT_EQ(encode_error(Connect{.properties = {.authentication_data = view("d")}}, kV5),
            "value_invalid");
  SubscriptionBuffer buffer;
  ASSERT_TRUE(buffer.add({.filter = "a"}));
  Subscribe subscribe{.packet_id = PacketId{1}, .subscriptions = buffer.view()};
  for (const std::uint32_t id : {0U, kSubscriptionIdMax + 1}) {
    subscribe.properties.subscription_id = SubscriptionId{id};
    EXPECT_EQ(encode_error(subscribe, kV5), "value_invalid");
  }
  const ReasonCode codes[] = {ReasonCode::banned};
  EXPECT_EQ(encode_error(Suback{.packet_id = PacketId{1}, .reasons = ReasonCodes(codes)}, kV5),
            "value_invalid");
}

// User properties between other properties are passed on in their order ([MQTT-3.3.2-18]).
TEST(MqttEncoder, PassesOnScatteredProperties) {
  const auto input =
      framed("30",
             "00 01 't' (26 00 01 'b' 00 00 01 01 26 00 01 'a' 00 00 0b 05 26 00 00 00 00"
             " 0b 06)");
  const auto decoded = decode(input, kV5, kNoLimit);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(encoded(decoded->packet, kV5),
            framed("30",
                   "00 01 't' (01 01 26 00 01 'b' 00 00 26 00 01 'a' 00 00 26 00 00 00 00"
                   " 0b 05 0b 06)"));
}

TEST(MqttPublishImage, RefusesWhatTheEncoderRefuses) {
  EXPECT_EQ(PublishImage::create(Publish{}, kV3).error(), EncodeError::not_in_version);
}

TEST(MqttEncoder, GrowsTheBufferByDoubling) {
  std::vector<std::byte> out;
  std::size_t reallocation_count = 0;
  const Publish publish{.topic = "t", .payload = view("0123456789")};
  for (int i = 0; i < 10'000; ++i) {
    const std::size_t before = out.capacity();
    ASSERT_TRUE(encode_publish(publish, kV3, kNoLimit, out).has_value());
    reallocation_count += out.capacity() == before ? 0 : 1;
  }
  EXPECT_LT(reallocation_count, 20U);
}

}  // namespace
}  // namespace ficus::mqtt::test
