#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "codec/mqtt/packet.h"
#include "codec/mqtt/publish_image.h"

namespace ficus::connect {

// How one client is sent a message.
struct Sending {
  mqtt::ProtocolVersion version = mqtt::ProtocolVersion::v5;
  mqtt::Qos qos = mqtt::Qos::at_most_once;
  bool retain = false;
  bool dup = false;
  mqtt::PacketId packet_id = mqtt::PacketId::none;               // none exactly at QoS 0
  const mqtt::SubscriptionIdBuffer* subscription_ids = nullptr;  // null: none
  std::size_t packet_bytes_max = SIZE_MAX;                       // that the client takes
};

// One application message inside the broker: owns its bytes, immutable, shared by everybody it is
// queued for. Its packet is kept in the form of MQTT 5.0 at the QoS it was published with, which is
// also how it stands in the broker's log.
class Message {
 public:
  static constexpr Timestamp kNeverExpires{INT64_MAX};

  // Copies what the publish borrows. Null if it cannot be encoded (a field is too long). Its expiry
  // begins `now`.
  static std::shared_ptr<const Message> create(const mqtt::Publish& publish, Timestamp now);
  // From bytes() and expires_at(); null if they are no PUBLISH of ours.
  static std::shared_ptr<const Message> from_bytes(std::string_view bytes, Timestamp expires_at);

  const mqtt::Publish& publish() const { return publish_; }  // views into this message
  std::string_view topic() const { return publish_.topic; }
  mqtt::Qos qos() const { return publish_.qos; }
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(packet_.data()), packet_.size()};
  }
  Timestamp expires_at() const { return expires_at_; }
  bool is_expired(Timestamp now) const { return now >= expires_at_; }

  // Appends the packet for one client; what is left of its expiry is told (MQTT 5.0, 3.3.2.3.3).
  // False, and nothing appended, if the client does not take its size or its version cannot say it.
  bool append_to(const Sending& sending, Timestamp now, std::vector<std::byte>& out) const;

  // In how many places of queues it waits (queue_memory.h); the broker's thread only.
  mutable std::uint32_t places = 0;

 private:
  Message() = default;
  // Encoded at first use and kept; by the broker's thread only, like all that is mutable here.
  const mqtt::PublishImage* image(mqtt::ProtocolVersion version, mqtt::Qos qos, bool retain) const;
  std::optional<std::uint32_t> expiry_left_s(Timestamp now) const;

  std::vector<std::byte> packet_;
  mqtt::Publish publish_;
  Timestamp expires_at_ = kNeverExpires;
  struct Image {
    std::size_t form = 0;  // version, QoS, retain
    mqtt::PublishImage image;
  };
  mutable std::vector<Image> images_;  // mostly none or one
};

using MessagePtr = std::shared_ptr<const Message>;

}  // namespace ficus::connect
