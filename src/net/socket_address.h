#pragma once

#include <sys/socket.h>

#include <string>

#include "base/result.h"
#include "net/address.h"

namespace ficus::net {

// What the system's calls take and give. For this module only.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// `any` becomes the IPv6 wildcard.
SocketAddress to_socket_address(const Address& address);
// An IPv4 address mapped into IPv6 (RFC 4291, 2.5.5.2) becomes IPv4 again.
Address to_address(const SocketAddress& address);
Address local_address(int fd);

// "bind 127.0.0.1:80: Permission denied"
Error system_error(ErrorCode code, const std::string& what, int error);

void set_socket_option(int fd, int level, int name, int value);

// A socket bound to `address`, non-blocking; `any` serves IPv6 and IPv4, or IPv4 alone where there
// is no IPv6.
struct BindOptions {
  int type = SOCK_STREAM;
  bool reuse_address = true;
  bool reuse_port = false;
};
Result<int> open_bound(const Address& address, const BindOptions& options);

}  // namespace ficus::net
