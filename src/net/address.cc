#include "net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace ficus::net {

namespace {

constexpr std::size_t kHostBytesMax = 253;  // RFC 1035, 2.3.4

std::string quoted(std::string_view text) {
  return "address '" + std::string(text.substr(0, kHostBytesMax)) + "': ";
}

struct Parts {
  std::string_view host;
  std::string_view port;  // empty: there was none
  bool is_bracketed = false;
};

Result<Parts> split(std::string_view text) {
  Parts parts;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return invalid(quoted(text) + "']' is missing");
    parts.host = text.substr(1, end - 1);
    parts.is_bracketed = true;
    rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) {
      return invalid(quoted(text) + "':' and a port must follow ']'");
    }
  } else {
    const std::size_t colon = text.find(':');
    if (colon != text.rfind(':')) {
      return invalid(quoted(text) + "an IPv6 address is written in brackets: [::1]:80");
    }
    parts.host = text.substr(0, colon);
    if (colon != std::string_view::npos) rest = text.substr(colon);
  }
  if (rest.starts_with(':')) {
    parts.port = rest.substr(1);
    if (parts.port.empty()) return invalid(quoted(text) + "the port after ':' is missing");
  }
  return parts;
}

Result<std::uint16_t> parse_port(std::string_view text, std::string_view port) {
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
  if (error != std::errc() || end != port.data() + port.size()) {
    return invalid(quoted(text) + "the port must be a number from 0 to 65535");
  }
  return value;
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  FICUS_TRY(const Parts parts, split(text));
  if (parts.port.empty()) {
    return invalid(quoted(text) + "a port is missing, such as 127.0.0.1:1883 or :8080");
  }
  Address address;
  FICUS_TRY(address.port, parse_port(text, parts.port));
  if (parts.host.empty() && !parts.is_bracketed) return address;
  const std::string host(parts.host);
  if (parts.is_bracketed) {
    address.family = AddressFamily::v6;
    if (inet_pton(AF_INET6, host.c_str(), address.bytes.data()) == 1) return address;
    return invalid(quoted(text) + "'" + host + "' is no IPv6 address");
  }
  address.family = AddressFamily::v4;
  if (inet_pton(AF_INET, host.c_str(), address.bytes.data()) == 1) return address;
  return invalid(quoted(text) + "'" + host + "' is no IPv4 address (names are not looked up here)");
}

std::string Address::text() const {
  std::string suffix = ":" + std::to_string(port);
  char host[INET6_ADDRSTRLEN] = {};
  switch (family) {
    case AddressFamily::any:
      return suffix;
    case AddressFamily::v4:
      inet_ntop(AF_INET, bytes.data(), host, sizeof host);
      return host + suffix;
    case AddressFamily::v6:
      inet_ntop(AF_INET6, bytes.data(), host, sizeof host);
      return "[" + std::string(host) + "]" + suffix;
  }
  std::unreachable();
}

bool Address::is_loopback() const {
  if (family == AddressFamily::v4) return bytes[0] == 127;
  if (family != AddressFamily::v6) return false;
  return bytes[15] == 1 &&
         std::all_of(bytes.begin(), bytes.end() - 1, [](auto b) { return b == 0; });
}

bool Address::is_multicast() const {
  if (family == AddressFamily::v4) return (bytes[0] & 0xf0U) == 0xe0U;
  return family == AddressFamily::v6 && bytes[0] == 0xffU;
}

Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  FICUS_TRY(const Parts parts, split(text));
  if (parts.host.empty()) return invalid(quoted(text) + "the host is missing");
  if (parts.host.size() > kHostBytesMax) return invalid(quoted(text) + "the host is too long");
  HostPort result{.host = std::string(parts.host), .port = default_port};
  if (!parts.port.empty()) {
    FICUS_TRY(result.port, parse_port(text, parts.port));
  }
  if (result.port == 0) return invalid(quoted(text) + "a port from 1 to 65535 is missing");
  return result;
}

}  // namespace ficus::net
