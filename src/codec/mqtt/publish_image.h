#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "codec/mqtt/encoder.h"

namespace ficus::mqtt {

// A PUBLISH encoded once and sent to many: subscribers of one version, QoS and set of properties
// get the same bytes but for the packet identifier, the DUP flag and what is left of its expiry. A
// value; immutable after creation, so safe to read from several threads.
class PublishImage {
 public:
  // `publish.packet_id` and `publish.dup` are ignored.
  static std::expected<PublishImage, EncodeError> create(Publish publish, ProtocolVersion version);

  std::size_t bytes() const { return bytes_.size(); }
  Qos qos() const { return qos_; }

  // Appends the packet. REQUIRES: packet_id is none exactly when qos() is at_most_once; dup only
  // with an identifier. `expiry_s` stands in place of the message expiry interval (MQTT 5.0,
  // 3.3.2.3.3), if the packet has one.
  void append_to(std::vector<std::byte>& out, PacketId packet_id, bool dup = false,
                 std::optional<std::uint32_t> expiry_s = {}) const;

 private:
  PublishImage() = default;

  std::vector<std::byte> bytes_;
  std::size_t packet_id_offset_ = 0;
  std::size_t expiry_offset_ = 0;  // 0: it has none
  Qos qos_ = Qos::at_most_once;
};

}  // namespace ficus::mqtt
