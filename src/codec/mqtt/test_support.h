#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/mqtt/decoder.h"

// For the tests of this folder only.

namespace ficus::mqtt::test {

inline constexpr std::size_t kNoLimit = 1U << 30;

// "30 03 00 01 61"; for readable texts "30 03 00 01 'a'"; for a section behind its length (one
// byte) "(01 01)".
inline std::vector<std::byte> wire(std::string_view text) {
  std::vector<std::byte> bytes;
  std::size_t section = 0;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ') {
      ++i;
    } else if (text[i] == '\'') {
      for (++i; text[i] != '\''; ++i) bytes.push_back(static_cast<std::byte>(text[i]));
      ++i;
    } else if (text[i] == '(') {
      section = bytes.size();
      bytes.push_back({});
      ++i;
    } else if (text[i] == ')') {
      bytes[section] = static_cast<std::byte>(bytes.size() - section - 1);
      ++i;
    } else {
      bytes.push_back(static_cast<std::byte>(digit(text[i]) * 16 + digit(text[i + 1])));
      i += 2;
    }
  }
  return bytes;
}

// A packet: the first byte, the right remaining length (below 128) and the body.
inline std::vector<std::byte> framed(std::string_view first, std::string_view body) {
  std::vector<std::byte> packet = wire(first);
  const std::vector<std::byte> rest = wire(body);
  FICUS_CHECK(packet.size() == 1 && rest.size() < 128);
  packet.push_back(static_cast<std::byte>(rest.size()));
  packet.insert(packet.end(), rest.begin(), rest.end());
  return packet;
}

inline Bytes view(std::string_view text) { return Bytes(std::as_bytes(std::span(text))); }

// The name of the error of decoding, "none" if there was none.
inline std::string_view error_of(const std::vector<std::byte>& input, ProtocolVersion version,
                                 std::size_t packet_bytes_max = kNoLimit) {
  const auto decoded = decode(input, version, packet_bytes_max);
  return decoded ? "none" : decode_error_name(decoded.error());
}

inline constexpr ProtocolVersion kV3 = ProtocolVersion::v3_1_1;
inline constexpr ProtocolVersion kV5 = ProtocolVersion::v5;

}  // namespace ficus::mqtt::test
