#include "connect/mqtt/plain_publish.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"

namespace ficus::connect {
namespace {

using mqtt::ProtocolVersion;
using mqtt::Publish;
using mqtt::Qos;

std::vector<std::byte> encoded(const Publish& publish, ProtocolVersion version) {
  std::vector<std::byte> bytes;
  EXPECT_TRUE(mqtt::encode_publish(publish, version, SIZE_MAX, bytes));
  return bytes;
}

Publish decoded(std::span<const std::byte> packet, ProtocolVersion version) {
  const auto result = mqtt::decode(packet, version, SIZE_MAX);
  EXPECT_TRUE(result);
  return std::get<Publish>(result->packet);
}

mqtt::Bytes payload() { return mqtt::Bytes(std::as_bytes(std::span("21.5", 4))); }

TEST(PlainPublish, PassesOnTheBytesThatCame) {
  const Publish publish{.topic = "a/b", .payload = payload()};
  const auto received = encoded(publish, ProtocolVersion::v3_1_1);
  PlainPublish plain;
  plain.begin(publish, received, ProtocolVersion::v3_1_1);
  EXPECT_EQ(plain.packet(ProtocolVersion::v3_1_1).data(), received.data());
  EXPECT_EQ(decoded(plain.packet(ProtocolVersion::v5), ProtocolVersion::v5), publish);
}

TEST(PlainPublish, TakesOffWhatConcernsTheSenderOnly) {
  Publish publish{.dup = true,
                  .qos = Qos::exactly_once,
                  .topic = "a/b",
                  .packet_id = mqtt::PacketId{7},
                  .payload = payload()};
  publish.properties.topic_alias = 3;
  publish.properties.content_type = "text/plain";
  const auto received = encoded(publish, ProtocolVersion::v5);
  PlainPublish plain;
  plain.begin(publish, received, ProtocolVersion::v5);

  Publish expected{.topic = "a/b", .payload = payload()};
  EXPECT_EQ(decoded(plain.packet(ProtocolVersion::v3_1_1), ProtocolVersion::v3_1_1), expected);
  expected.properties.content_type = "text/plain";
  EXPECT_EQ(decoded(plain.packet(ProtocolVersion::v5), ProtocolVersion::v5), expected);
}

// An empty topic with an alias is as long as a topic of three characters without one.
TEST(PlainPublish, AnAliasOfAnEarlierTopicIsNotPassedOn) {
  Publish sent{.topic = "", .payload = payload()};
  sent.properties.topic_alias = 1;
  const auto received = encoded(sent, ProtocolVersion::v5);
  Publish meant{.topic = "a/b", .payload = payload()};
  const Publish expected = meant;
  meant.properties.topic_alias = 1;
  PlainPublish plain;
  plain.begin(meant, received, ProtocolVersion::v5);
  EXPECT_EQ(decoded(plain.packet(ProtocolVersion::v5), ProtocolVersion::v5), expected);
}

TEST(PlainPublish, AnAliasAtQos0IsNotPassedOn) {
  Publish publish{.topic = "a/b", .payload = payload()};
  publish.properties.topic_alias = 3;
  const auto received = encoded(publish, ProtocolVersion::v5);
  PlainPublish plain;
  plain.begin(publish, received, ProtocolVersion::v5);
  EXPECT_EQ(decoded(plain.packet(ProtocolVersion::v5), ProtocolVersion::v5).properties.topic_alias,
            std::nullopt);
}

TEST(PlainPublish, ALengthInTooManyBytesIsNotPassedOn) {
  const Publish publish{.topic = "a/b", .payload = payload()};
  std::vector<std::byte> received = encoded(publish, ProtocolVersion::v3_1_1);
  const auto shortest = received;
  received[1] |= std::byte{0x80};  // the same length in two bytes
  received.insert(received.begin() + 2, std::byte{0});
  EXPECT_EQ(decoded(received, ProtocolVersion::v3_1_1), publish);
  PlainPublish plain;
  plain.begin(publish, received, ProtocolVersion::v3_1_1);
  const auto packet = plain.packet(ProtocolVersion::v3_1_1);
  EXPECT_TRUE(std::equal(packet.begin(), packet.end(), shortest.begin(), shortest.end()));
}

TEST(PlainPublish, IsUsedAgainForTheNextMessage) {
  PlainPublish plain;
  for (const std::string_view topic : {"a", "b/c"}) {
    const Publish publish{.topic = topic, .payload = payload()};
    const auto received = encoded(publish, ProtocolVersion::v5);
    plain.begin(publish, received, ProtocolVersion::v5);
    EXPECT_EQ(decoded(plain.packet(ProtocolVersion::v3_1_1), ProtocolVersion::v3_1_1), publish);
  }
}

}  // namespace
}  // namespace ficus::connect
