#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "codec/mqtt/packet.h"
#include "codec/mqtt/publish_image.h"

namespace ficus::connect {

// One application message inside the broker: owns its bytes, immutable, shared by everybody it is
// queued for. Its packet is kept in the form of MQTT 5.0 at the QoS it was published with, which is
// also how it stands in the broker's log.
class Message {
 public:
  // Copies what the publish borrows. Null if it cannot be encoded (a field is too long).
  static std::shared_ptr<const Message> create(const mqtt::Publish& publish);
  // From bytes(); null if they are no PUBLISH of ours.
  static std::shared_ptr<const Message> from_bytes(std::string_view bytes);

  const mqtt::Publish& publish() const { return publish_; }  // views into this message
  std::string_view topic() const { return publish_.topic; }
  mqtt::Qos qos() const { return publish_.qos; }
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(packet_.data()), packet_.size()};
  }

  // The packet for subscribers of one version, QoS and retain flag; encoded at first use and kept.
  // Null if it cannot be said in that version. Used by the broker's thread only, like all that is
  // mutable here.
  const mqtt::PublishImage* image(mqtt::ProtocolVersion version, mqtt::Qos qos, bool retain) const;

 private:
  Message() = default;

  std::vector<std::byte> packet_;
  mqtt::Publish publish_;
  mutable std::array<std::optional<mqtt::PublishImage>, 8> images_;
};

using MessagePtr = std::shared_ptr<const Message>;

}  // namespace ficus::connect
