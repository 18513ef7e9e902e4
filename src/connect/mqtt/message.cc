#include "connect/mqtt/message.h"

#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"

namespace ficus::connect {
namespace {

constexpr std::size_t kPacketBytesLimit = 268'435'455;  // MQTT 5.0, 2.1.4
// A stored packet needs an identifier to be a valid QoS 1 PUBLISH; each subscriber gets one of its
// own.
constexpr mqtt::PacketId kPlaceholder{1};

}  // namespace

MessagePtr Message::create(const mqtt::Publish& publish) {
  mqtt::Publish stored = publish;
  stored.dup = false;
  stored.packet_id = publish.qos == mqtt::Qos::at_most_once ? mqtt::PacketId::none : kPlaceholder;
  stored.properties.topic_alias.reset();
  stored.properties.subscription_ids = {};
  std::vector<std::byte> packet;
  if (!mqtt::encode_publish(stored, mqtt::ProtocolVersion::v5, kPacketBytesLimit, packet)) {
    return nullptr;
  }
  return from_bytes({reinterpret_cast<const char*>(packet.data()), packet.size()});
}

MessagePtr Message::from_bytes(std::string_view bytes) {
  const std::shared_ptr<Message> message(new Message());
  const auto span = std::as_bytes(std::span(bytes));
  message->packet_.assign(span.begin(), span.end());
  const auto decoded =
      mqtt::decode(message->packet_, mqtt::ProtocolVersion::v5, kPacketBytesLimit + 5);
  if (!decoded || decoded->bytes != bytes.size()) return nullptr;
  const auto* const publish = std::get_if<mqtt::Publish>(&decoded->packet);
  if (publish == nullptr) return nullptr;
  message->publish_ = *publish;
  return message;
}

const mqtt::PublishImage* Message::image(mqtt::ProtocolVersion version, mqtt::Qos qos,
                                         bool retain) const {
  const std::size_t index = (version == mqtt::ProtocolVersion::v5 ? 4U : 0U) +
                            (qos == mqtt::Qos::at_most_once ? 0U : 2U) + (retain ? 1U : 0U);
  std::optional<mqtt::PublishImage>& image = images_[index];
  if (!image) {
    mqtt::Publish publish = publish_;
    publish.qos = qos;
    publish.retain = retain;
    if (version == mqtt::ProtocolVersion::v3_1_1) publish.properties = {};
    auto created = mqtt::PublishImage::create(publish, version);
    if (!created) return nullptr;
    image = *std::move(created);
  }
  return &*image;
}

}  // namespace ficus::connect
