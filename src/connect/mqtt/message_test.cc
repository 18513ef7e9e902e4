#include "connect/mqtt/message.h"

#include <gtest/gtest.h>

#include "codec/mqtt/decoder.h"

namespace ficus::connect {
namespace {

using mqtt::ProtocolVersion;
using mqtt::Qos;

mqtt::Publish example(std::string_view topic, std::string_view payload) {
  mqtt::Publish publish{.dup = true,
                        .qos = Qos::at_least_once,
                        .retain = true,
                        .topic = topic,
                        .packet_id = mqtt::PacketId{77},
                        .payload = mqtt::Bytes(std::as_bytes(std::span(payload)))};
  publish.properties.content_type = "text/plain";
  return publish;
}

constexpr Timestamp kNow = Timestamp::from_seconds(1000);

mqtt::Publish sent(const Message& message, const Sending& sending, std::vector<std::byte>& bytes,
                   Timestamp now = kNow) {
  bytes.clear();
  EXPECT_TRUE(message.append_to(sending, now, bytes));
  const auto decoded = mqtt::decode(bytes, sending.version, 1 << 20);
  EXPECT_TRUE(decoded.has_value());
  return std::get<mqtt::Publish>(decoded->packet);
}

TEST(Message, OwnsItsBytesAndForgetsWhatIsOfOneDelivery) {
  std::string topic = "city/a";
  std::string payload = "17";
  const MessagePtr message = Message::create(example(topic, payload), kNow);
  ASSERT_NE(message, nullptr);
  topic = "xxxxxx";
  payload = "xx";
  EXPECT_EQ(message->topic(), "city/a");
  EXPECT_EQ(message->qos(), Qos::at_least_once);
  EXPECT_TRUE(message->publish().retain);
  EXPECT_FALSE(message->publish().dup);
  EXPECT_NE(message->publish().packet_id, mqtt::PacketId{77});
  EXPECT_EQ(message->publish().properties.content_type, "text/plain");
}

MessagePtr from(std::string_view bytes) {
  return Message::from_bytes(bytes, Message::kNeverExpires);
}

TEST(Message, SurvivesAsBytesAndRefusesOthers) {
  const MessagePtr message = Message::create(example("t", "p"), kNow);
  const std::string bytes(message->bytes());
  const MessagePtr again = Message::from_bytes(bytes, Message::kNeverExpires);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->publish(), message->publish());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(from(std::string_view(bytes).substr(0, length)), nullptr) << length;
  }
  EXPECT_EQ(from(bytes + "x"), nullptr);
  EXPECT_EQ(from(std::string("\xc0\0", 2)), nullptr);  // a PINGREQ
}

TEST(Message, IsSentInEveryForm) {
  const MessagePtr message = Message::create(example("t", "p"), kNow);
  std::vector<std::byte> bytes;
  for (const ProtocolVersion version : {ProtocolVersion::v3_1_1, ProtocolVersion::v5}) {
    for (const Qos qos : {Qos::at_most_once, Qos::at_least_once, Qos::exactly_once}) {
      for (const bool retain : {false, true}) {
        const auto id = qos == Qos::at_most_once ? mqtt::PacketId::none : mqtt::PacketId{5};
        const mqtt::Publish publish = sent(
            *message, {.version = version, .qos = qos, .retain = retain, .packet_id = id}, bytes);
        EXPECT_EQ(publish.qos, qos);
        EXPECT_EQ(publish.retain, retain);
        EXPECT_EQ(publish.packet_id, id);
        EXPECT_EQ(publish.topic, "t");
        EXPECT_EQ(publish.payload.size(), 1U);
        EXPECT_EQ(publish.properties.content_type.has_value(), version == ProtocolVersion::v5);
      }
    }
  }
}

TEST(Message, TellsWhatIsLeftOfItsExpiry) {
  for (const bool is_text : {false, true}) {
    for (const Qos qos : {Qos::at_most_once, Qos::exactly_once}) {
      mqtt::Publish publish = example("t", "p");
      publish.properties.message_expiry_interval_s = 100;
      if (is_text) publish.properties.payload_is_utf8 = true;
      const MessagePtr message = Message::create(publish, kNow);
      mqtt::SubscriptionIdBuffer ids;
      Sending sending{.qos = qos};
      if (qos != Qos::at_most_once) sending.packet_id = mqtt::PacketId{9};
      std::vector<std::byte> bytes;
      const auto left = [&](Timestamp now) {
        return *sent(*message, sending, bytes, now).properties.message_expiry_interval_s;
      };
      EXPECT_EQ(left(kNow), 100U);
      EXPECT_EQ(left(kNow + Micros::from_millis(1500)), 99U);
      EXPECT_EQ(left(kNow + Micros::from_seconds(200)), 0U);   // sent before, and now again
      EXPECT_EQ(left(kNow - Micros::from_seconds(50)), 100U);  // the clock was set back
      EXPECT_FALSE(message->is_expired(kNow + Micros::from_millis(99'999)));
      EXPECT_TRUE(message->is_expired(kNow + Micros::from_seconds(100)));
      ASSERT_TRUE(ids.add(mqtt::SubscriptionId{7}));
      sending.subscription_ids = &ids;
      EXPECT_EQ(left(kNow + Micros::from_seconds(40)), 60U);
    }
  }
}

TEST(Message, CarriesTheIdentifiersOfItsSubscriber) {
  const MessagePtr message = Message::create(example("t", "p"), kNow);
  mqtt::SubscriptionIdBuffer ids;
  ASSERT_TRUE(ids.add(mqtt::SubscriptionId{7}));
  ASSERT_TRUE(ids.add(mqtt::SubscriptionId{300'000}));
  Sending sending{.qos = Qos::at_least_once,
                  .dup = true,
                  .packet_id = mqtt::PacketId{3},
                  .subscription_ids = &ids};
  std::vector<std::byte> bytes;
  const mqtt::Publish publish = sent(*message, sending, bytes);
  EXPECT_EQ(publish.properties.subscription_ids, ids.view());
  EXPECT_EQ(publish.properties.content_type, "text/plain");
  EXPECT_TRUE(publish.dup);
  sending.version = ProtocolVersion::v3_1_1;  // which has no such thing
  EXPECT_TRUE(sent(*message, sending, bytes).properties.subscription_ids.empty());
}

TEST(Message, IsNotSentToAClientThatTakesLess) {
  const MessagePtr message = Message::create(example("t", "p"), kNow);
  std::vector<std::byte> bytes;
  mqtt::SubscriptionIdBuffer ids;
  Sending sending{.packet_bytes_max = 1000};
  ASSERT_TRUE(message->append_to(sending, kNow, bytes));
  sending.packet_bytes_max = bytes.size() - 1;
  bytes.clear();
  EXPECT_FALSE(message->append_to(sending, kNow, bytes));
  ASSERT_TRUE(ids.add(mqtt::SubscriptionId{7}));
  sending.subscription_ids = &ids;
  EXPECT_FALSE(message->append_to(sending, kNow, bytes));
  EXPECT_TRUE(bytes.empty());
}

TEST(Message, IsNotMadeOfWhatCannotBeSaid) {
  const std::string topic(70'000, 't');
  EXPECT_EQ(Message::create(example(topic, "p"), kNow), nullptr);
}

}  // namespace
}  // namespace ficus::connect
