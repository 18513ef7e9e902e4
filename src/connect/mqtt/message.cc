#include "connect/mqtt/message.h"

#include <algorithm>

#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"

namespace ficus::connect {
namespace {

constexpr std::size_t kPacketBytesLimit = 268'435'455;  // MQTT 5.0, 2.1.4
// A stored packet needs an identifier to be a valid PUBLISH; each subscriber gets one of its own.
constexpr mqtt::PacketId kPlaceholder{1};
constexpr std::int64_t kMicrosInSecond = 1'000'000;

}  // namespace

MessagePtr Message::create(const mqtt::Publish& publish, Timestamp now) {
  mqtt::Publish stored = publish;
  stored.dup = false;
  stored.packet_id = publish.qos == mqtt::Qos::at_most_once ? mqtt::PacketId::none : kPlaceholder;
  stored.properties.topic_alias.reset();
  stored.properties.subscription_ids = {};
  std::vector<std::byte> packet;
  if (!mqtt::encode_publish(stored, mqtt::ProtocolVersion::v5, kPacketBytesLimit, packet)) {
    return nullptr;
  }
  const auto expiry_s = publish.properties.message_expiry_interval_s;
  return from_bytes({reinterpret_cast<const char*>(packet.data()), packet.size()},
                    expiry_s ? now + Micros::from_seconds(*expiry_s) : kNeverExpires);
}

MessagePtr Message::from_bytes(std::string_view bytes, Timestamp expires_at) {
  const std::shared_ptr<Message> message(new Message());
  const auto span = std::as_bytes(std::span(bytes));
  message->packet_.assign(span.begin(), span.end());
  const auto decoded =
      mqtt::decode(message->packet_, mqtt::ProtocolVersion::v5, kPacketBytesLimit + 5);
  if (!decoded || decoded->bytes != bytes.size()) return nullptr;
  const auto* const publish = std::get_if<mqtt::Publish>(&decoded->packet);
  if (publish == nullptr) return nullptr;
  message->publish_ = *publish;
  message->expires_at_ = expires_at;
  return message;
}

std::optional<std::uint32_t> Message::expiry_left_s(Timestamp now) const {
  if (expires_at_ == kNeverExpires) return std::nullopt;
  const std::int64_t left = (expires_at_ - now).count;
  // A clock that was set back must not lengthen it.
  const std::int64_t given = *publish_.properties.message_expiry_interval_s;
  return static_cast<std::uint32_t>(
      std::clamp((left + kMicrosInSecond - 1) / kMicrosInSecond, std::int64_t{0}, given));
}

const mqtt::PublishImage* Message::image(mqtt::ProtocolVersion version, mqtt::Qos qos,
                                         bool retain) const {
  const std::size_t index = (version == mqtt::ProtocolVersion::v5 ? 6U : 0U) +
                            2U * static_cast<std::size_t>(qos) + (retain ? 1U : 0U);
  for (const Image& known : images_) {
    if (known.form == index) return &known.image;
  }
  mqtt::Publish publish = publish_;
  publish.qos = qos;
  publish.retain = retain;
  if (version == mqtt::ProtocolVersion::v3_1_1) publish.properties = {};
  auto created = mqtt::PublishImage::create(publish, version);
  if (!created) return nullptr;
  images_.push_back({index, *std::move(created)});
  return &images_.back().image;
}

bool Message::append_to(const Sending& sending, Timestamp now, std::vector<std::byte>& out) const {
  const auto expiry_s = expiry_left_s(now);
  const bool has_ids = sending.subscription_ids != nullptr &&
                       sending.version == mqtt::ProtocolVersion::v5 &&
                       !sending.subscription_ids->view().empty();
  // A retained message may stay for years: what it once looked like to somebody is not kept with
  // it.
  if (!has_ids && !sending.retain) {
    const mqtt::PublishImage* const shared = image(sending.version, sending.qos, sending.retain);
    if (shared == nullptr || shared->bytes() > sending.packet_bytes_max) return false;
    shared->append_to(out, sending.packet_id, sending.dup, expiry_s);
    return true;
  }
  // The identifiers are this client's own, so there is nothing to share.
  mqtt::Publish publish = publish_;
  if (sending.version == mqtt::ProtocolVersion::v3_1_1) publish.properties = {};
  publish.qos = sending.qos;
  publish.retain = sending.retain;
  publish.dup = sending.dup;
  publish.packet_id = sending.packet_id;
  if (has_ids) publish.properties.subscription_ids = sending.subscription_ids->view();
  if (sending.version == mqtt::ProtocolVersion::v5) {
    publish.properties.message_expiry_interval_s = expiry_s;
  }
  return mqtt::encode_publish(publish, sending.version, sending.packet_bytes_max, out).has_value();
}

}  // namespace ficus::connect
