#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ficus::net {

enum class AddressFamily : std::uint8_t {
  any,  // ":8080": every interface, IPv6 and IPv4; only to listen
  v4,
  v6,
};

// A numeric internet address and port. A value.
struct Address {
  AddressFamily family = AddressFamily::any;
  std::uint16_t port = 0;
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 uses the first four

  // "127.0.0.1:1883", "[::1]:80", ":8080". A name is refused here: names are for `TcpConnector`.
  static Result<Address> parse(std::string_view text);
  std::string text() const;

  // 127.0.0.0/8 or ::1 (RFC 1122 3.2.1.3, RFC 4291 2.5.3).
  bool is_loopback() const;
  // 224.0.0.0/4 or ff00::/8.
  bool is_multicast() const;

  friend bool operator==(const Address&, const Address&) = default;
};

// A host (name or numeric) and a port, not yet looked up.
struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// "broker.city.cn:1883", "[::1]:80". The port may be missing if `default_port` is not 0.
Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port = 0);

}  // namespace ficus::net
