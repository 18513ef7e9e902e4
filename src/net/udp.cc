#include "net/udp.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/loop_core.h"
#include "net/socket_address.h"

namespace ficus::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr int kDatagramsPerTurn = 64;

Status join_group(int fd, const Address& group) {
  int outcome = 0;
  if (group.family == AddressFamily::v4) {
    ip_mreqn request{};
    std::memcpy(&request.imr_multiaddr, group.bytes.data(), sizeof request.imr_multiaddr);
    outcome = ::setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
  } else {
    ipv6_mreq request{};
    std::memcpy(&request.ipv6mr_multiaddr, group.bytes.data(), sizeof request.ipv6mr_multiaddr);
    outcome = ::setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request);
  }
  if (outcome == 0) return {};
  return std::unexpected(
      system_error(ErrorCode::unavailable, "join multicast group " + group.text(), errno));
}

}  // namespace

class UdpSocket::Core final : public std::enable_shared_from_this<Core> {
 public:
  Core(LoopCore& loop, int fd, DatagramCallback on_datagram)
      : address_(local_address(fd)),
        fd_(fd),
        loop_(loop),
        socket_(loop.io()),
        on_datagram_(std::move(on_datagram)) {}

  Status start() {
    error_code error;
    socket_.assign(fd_, error);
    if (error) {
      ::close(fd_);
      return std::unexpected(
          system_error(ErrorCode::unavailable, "udp " + address_.text(), error.value()));
    }
    if (on_datagram_) arm();
    return {};
  }

  void close() {
    is_closed_ = true;
    error_code ignored;
    socket_.close(ignored);
  }

  const Address address_;
  const int fd_;
  std::uint64_t received_ = 0;
  std::uint64_t dropped_ = 0;

 private:
  void arm() {
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const error_code& error) {
                         if (!error) self->receive_some();
                       });
  }

  void receive_some() {
    for (int i = 0; i < kDatagramsPerTurn && !is_closed_; ++i) {
      if (!receive_one()) break;
    }
    if (!is_closed_) arm();
  }

  bool receive_one() {
    const std::span<std::byte> room = loop_.read_buffer();  // larger than any datagram
    SocketAddress sender;
    iovec block{.iov_base = room.data(), .iov_len = room.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint32_t))> control{};
    msghdr message{};
    message.msg_name = &sender.storage;
    message.msg_namelen = sizeof sender.storage;
    message.msg_iov = &block;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(fd_, &message, MSG_DONTWAIT);
    // An error other than "nothing there" is a late report about one we sent (ICMP): it is cleared
    // by reading.
    if (size < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
    note_drops(message);
    ++received_;
    on_datagram_(room.first(static_cast<std::size_t>(size)), to_address(sender));
    return true;
  }

  void note_drops(msghdr& message) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
      if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_RXQ_OVFL) continue;
      std::uint32_t total = 0;  // since the socket opened, wraps
      std::memcpy(&total, CMSG_DATA(part), sizeof total);
      dropped_ += static_cast<std::uint32_t>(total - static_cast<std::uint32_t>(dropped_));
    }
  }

  LoopCore& loop_;
  asio::posix::stream_descriptor socket_;
  DatagramCallback on_datagram_;
  bool is_closed_ = false;
};

Result<std::unique_ptr<UdpSocket>> UdpSocket::open(EventLoop& loop, const Address& address,
                                                   const UdpOptions& options,
                                                   DatagramCallback on_datagram) {
  FICUS_TRY(const int fd, open_bound(address, {.type = SOCK_DGRAM,
                                               .reuse_address = options.reuse_address,
                                               .reuse_port = false}));
  if (address.is_multicast()) {
    if (auto joined = join_group(fd, address); !joined) {
      ::close(fd);
      return std::unexpected(std::move(joined).error());
    }
  }
  set_socket_option(fd, SOL_SOCKET, SO_RCVBUF, options.receive_buffer_bytes);
  set_socket_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  auto core = std::make_shared<Core>(loop.core(), fd, std::move(on_datagram));
  FICUS_TRY_VOID(core->start());
  return std::unique_ptr<UdpSocket>(new UdpSocket(std::move(core)));
}

UdpSocket::UdpSocket(std::shared_ptr<Core> core) : core_(std::move(core)) {}
UdpSocket::~UdpSocket() { core_->close(); }

Status UdpSocket::send(std::span<const std::byte> datagram, const Address& receiver) {
  Address target = receiver;
  if (receiver.family == AddressFamily::v4 && core_->address_.family == AddressFamily::v6) {
    target.family = AddressFamily::v6;  // ::ffff:a.b.c.d, for a socket that serves both
    target.bytes = {0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0xff,
                    0xff,
                    receiver.bytes[0],
                    receiver.bytes[1],
                    receiver.bytes[2],
                    receiver.bytes[3]};
  }
  const SocketAddress raw = to_socket_address(target);
  if (::sendto(core_->fd_, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL, raw.raw(),
               raw.size) >= 0) {
    return {};
  }
  const int error = errno;
  ErrorCode code = ErrorCode::unavailable;
  if (error == EMSGSIZE) code = ErrorCode::invalid_input;
  if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS) code = ErrorCode::overloaded;
  return std::unexpected(system_error(code, "send to " + receiver.text(), error));
}

const Address& UdpSocket::address() const { return core_->address_; }
std::uint64_t UdpSocket::received_count() const { return core_->received_; }
std::uint64_t UdpSocket::dropped_count() const { return core_->dropped_; }

}  // namespace ficus::net
