#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "codec/mqtt/packet.h"

namespace ficus::connect {

// A message that is passed on at QoS 0 and kept nowhere: its packet for clients of each version,
// without a message of its own (Message) being made. Where it came in that very form, its bytes are
// those that were received. Reused for one message after the other.
class PlainPublish {
 public:
  // Borrows both until the next call. `received`: the packet as it came, in `version`.
  void begin(const mqtt::Publish& publish, std::span<const std::byte> received,
             mqtt::ProtocolVersion version);
  // Empty if it cannot be said in that version.
  std::span<const std::byte> packet(mqtt::ProtocolVersion version);

 private:
  struct Form {
    bool is_made = false;
    std::span<const std::byte> packet;
    std::vector<std::byte> bytes;
  };
  void make(mqtt::ProtocolVersion version, Form& form);

  const mqtt::Publish* publish_ = nullptr;
  std::array<Form, 2> forms_;
};

}  // namespace ficus::connect
