#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <vector>

#include "codec/mqtt/packet.h"

// Packets to bytes, appended to a buffer that usually holds several packets for one write. Pure
// functions.
//
// REQUIRES of every packet: texts are UTF-8 without U+0000 and within the grammar of topics and
// filters, as everything that the decoder has accepted is. The encoder checks what it could not
// write truthfully, no more.

namespace ficus::mqtt {

enum class EncodeError : std::uint8_t {
  too_large,          // above `packet_bytes_max` or the protocol's 268 435 455 bytes
  field_too_long,     // a text or binary field above 65 535 bytes
  packet_id_invalid,  // none where one is needed, or one in a QoS 0 PUBLISH
  payload_empty,      // SUBSCRIBE, UNSUBSCRIBE or an answer without an entry
  not_in_version,     // AUTH in 3.1.1, or a PUBLISH with an alias instead of a topic
  value_invalid,      // a value that its field does not allow, such as a maximum of 0
};

const char* encode_error_name(EncodeError error);

// Appends the packet to `out`; on an error `out` is as before. `packet_bytes_max` is the peer's
// Maximum Packet Size: to stay below it the reason string and user properties of answers are
// dropped (as 3.2.2.3.9, 3.4.2.2.2 and their like demand), then too_large tells the caller to
// discard the packet (3.1.2.11.4). CONNECT carries its own version; `version` is ignored for it.
std::expected<void, EncodeError> encode(const Packet& packet, ProtocolVersion version,
                                        std::size_t packet_bytes_max, std::vector<std::byte>& out);

// The same for PUBLISH, without the variant.
std::expected<void, EncodeError> encode_publish(const Publish& publish, ProtocolVersion version,
                                                std::size_t packet_bytes_max,
                                                std::vector<std::byte>& out);

// The answers that a broker sends most, four bytes or fewer, the same in both versions and always
// success. REQUIRES: packet_id is not none.
void encode_puback(PacketId packet_id, std::vector<std::byte>& out);
void encode_pingresp(std::vector<std::byte>& out);

}  // namespace ficus::mqtt
