#include "net/socket_address.h"

#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace ficus::net {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Result<int> open_family(const Address& address, const BindOptions& options) {
  SocketAddress target = to_socket_address(address);
  const int fd = ::socket(target.storage.ss_family, options.type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return std::unexpected(
        system_error(ErrorCode::unavailable, "socket for " + address.text(), errno));
  }
  if (options.reuse_address) set_socket_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port) set_socket_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (target.storage.ss_family == AF_INET6) {
    set_socket_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, address.family == AddressFamily::any ? 0 : 1);
  }
  if (::bind(fd, target.raw(), target.size) == 0) return fd;
  const int error = errno;
  ::close(fd);
  const ErrorCode code = error == EADDRINUSE                 ? ErrorCode::conflict
                         : error == EACCES || error == EPERM ? ErrorCode::denied
                                                             : ErrorCode::unavailable;
  return std::unexpected(system_error(code, "listen on " + address.text(), error));
}

}  // namespace

SocketAddress to_socket_address(const Address& address) {
  SocketAddress result;
  if (address.family == AddressFamily::v4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, address.bytes.data(), sizeof v4.sin_addr);
    std::memcpy(&result.storage, &v4, sizeof v4);
    result.size = sizeof v4;
    return result;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port);
  std::memcpy(&v6.sin6_addr, address.bytes.data(), sizeof v6.sin6_addr);
  std::memcpy(&result.storage, &v6, sizeof v6);
  result.size = sizeof v6;
  return result;
}

Address to_address(const SocketAddress& address) {
  Address result;
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.storage, sizeof v4);
    result.family = AddressFamily::v4;
    result.port = ntohs(v4.sin_port);
    std::memcpy(result.bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
  } else if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address.storage, sizeof v6);
    result.family = AddressFamily::v6;
    result.port = ntohs(v6.sin6_port);
    std::memcpy(result.bytes.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), result.bytes.begin())) {
      result.family = AddressFamily::v4;
      std::copy(result.bytes.begin() + 12, result.bytes.end(), result.bytes.begin());
      std::fill(result.bytes.begin() + 4, result.bytes.end(), std::uint8_t{0});
    }
  }
  return result;
}

Address local_address(int fd) {
  SocketAddress bound;
  if (::getsockname(fd, bound.raw(), &bound.size) != 0) return {};
  return to_address(bound);
}

Error system_error(ErrorCode code, const std::string& what, int error) {
  return Error{code, what + ": " + std::generic_category().message(error)};
}

void set_socket_option(int fd, int level, int name, int value) {
  // An option that a kernel does not know costs comfort, not correctness.
  static_cast<void>(::setsockopt(fd, level, name, &value, sizeof value));
}

Result<int> open_bound(const Address& address, const BindOptions& options) {
  auto opened = open_family(address, options);
  if (opened || address.family != AddressFamily::any) return opened;
  if (opened.error().code != ErrorCode::unavailable) return opened;
  Address v4 = address;  // no IPv6 here
  v4.family = AddressFamily::v4;
  return open_family(v4, options);
}

}  // namespace ficus::net
