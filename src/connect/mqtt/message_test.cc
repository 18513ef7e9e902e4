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

mqtt::Publish sent(const Message& message, ProtocolVersion version, Qos qos, bool retain,
                   std::vector<std::byte>& bytes) {
  const mqtt::PublishImage* const image = message.image(version, qos, retain);
  EXPECT_NE(image, nullptr);
  bytes.clear();
  image->append_to(bytes, qos == Qos::at_most_once ? mqtt::PacketId::none : mqtt::PacketId{5});
  EXPECT_EQ(bytes.size(), image->bytes());
  const auto decoded = mqtt::decode(bytes, version, 1 << 20);
  EXPECT_TRUE(decoded.has_value());
  return std::get<mqtt::Publish>(decoded->packet);
}

TEST(Message, OwnsItsBytesAndForgetsWhatIsOfOneDelivery) {
  std::string topic = "city/a";
  std::string payload = "17";
  const MessagePtr message = Message::create(example(topic, payload));
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

TEST(Message, SurvivesAsBytesAndRefusesOthers) {
  const MessagePtr message = Message::create(example("t", "p"));
  const std::string bytes(message->bytes());
  const MessagePtr again = Message::from_bytes(bytes);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->publish(), message->publish());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(Message::from_bytes(std::string_view(bytes).substr(0, length)), nullptr) << length;
  }
  EXPECT_EQ(Message::from_bytes(bytes + "x"), nullptr);
  EXPECT_EQ(Message::from_bytes(std::string("\xc0\0", 2)), nullptr);  // a PINGREQ
}

TEST(Message, IsSentInEveryForm) {
  const MessagePtr message = Message::create(example("t", "p"));
  std::vector<std::byte> bytes;
  for (const ProtocolVersion version : {ProtocolVersion::v3_1_1, ProtocolVersion::v5}) {
    for (const Qos qos : {Qos::at_most_once, Qos::at_least_once}) {
      for (const bool retain : {false, true}) {
        const mqtt::Publish publish = sent(*message, version, qos, retain, bytes);
        EXPECT_EQ(publish.qos, qos);
        EXPECT_EQ(publish.retain, retain);
        EXPECT_EQ(publish.topic, "t");
        EXPECT_EQ(publish.payload.size(), 1U);
        EXPECT_EQ(publish.properties.content_type.has_value(), version == ProtocolVersion::v5);
        EXPECT_EQ(message->image(version, qos, retain), message->image(version, qos, retain));
      }
    }
  }
}

TEST(Message, IsNotMadeOfWhatCannotBeSaid) {
  const std::string topic(70'000, 't');
  EXPECT_EQ(Message::create(example(topic, "p")), nullptr);
}

}  // namespace
}  // namespace ficus::connect
