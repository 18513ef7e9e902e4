#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "codec/mqtt/decode_error.h"
#include "codec/mqtt/packet.h"

// Bytes to packets. Pure functions: no state between calls, safe from any thread, no allocation,
// never more work than the packet has bytes.
//
// They check all that the standards demand of the bytes of one packet. What depends on earlier
// packets or on who sent it is the session's: the order of packets, identifiers in use, topic
// aliases, quotas, subscription identifiers from a client, payloads declared as UTF-8.

namespace ficus::mqtt {

struct FixedHeader {
  PacketType type = PacketType::pingreq;
  std::uint8_t flags = 0;
  std::size_t header_bytes = 0;
  std::size_t packet_bytes = 0;  // header included
};

// Reads the first 2 to 5 bytes: type, flags and length are checked, the rest need not be there yet.
// So a reader can refuse a large packet before it arrives, and size its buffer for one it accepts.
std::expected<FixedHeader, DecodeError> decode_fixed_header(std::span<const std::byte> input,
                                                            ProtocolVersion version,
                                                            std::size_t packet_bytes_max);

struct Decoded {
  // Written out because a defaulted one zeroes all of the packet's room first, on the hot path for
  // nothing.
  Decoded() noexcept {}  // NOLINT(modernize-use-equals-default)

  Packet packet;
  std::size_t bytes = 0;  // consumed from the input
};

// Decodes the packet at the start of `input`, whose views then point into `input`. CONNECT tells
// its own version; for all others `version` is the one that CONNECT has set.
std::expected<Decoded, DecodeError> decode(std::span<const std::byte> input,
                                           ProtocolVersion version, std::size_t packet_bytes_max);

// The protocol level that a CONNECT claims, as far as it can be read: after a failed decode it
// tells in which version's form to refuse. Nothing if the input does not begin like a CONNECT.
std::optional<std::uint8_t> connect_protocol_level(std::span<const std::byte> input);

}  // namespace ficus::mqtt
