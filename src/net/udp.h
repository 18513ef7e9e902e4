#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/result.h"
#include "net/address.h"
#include "net/event_loop.h"

namespace ficus::net {

struct UdpOptions {
  int receive_buffer_bytes =
      4 << 20;  // asked of the kernel: what a burst may hold before datagrams drop
  // For a multicast address: its group is joined on every interface's default.
  bool reuse_address = false;  // several receivers of one multicast group
};

// A datagram socket: receives, sends, or both. Destroying it closes.
class UdpSocket {
 public:
  // The bytes are valid during the call. The callback may destroy the socket.
  using DatagramCallback =
      std::move_only_function<void(std::span<const std::byte> datagram, const Address& sender)>;

  // Bound to `address` (port 0: any free one; a multicast address joins the group). No callback:
  // only sends.
  static Result<std::unique_ptr<UdpSocket>> open(EventLoop& loop, const Address& address,
                                                 const UdpOptions& options,
                                                 DatagramCallback on_datagram);
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  // Sends now or fails: `overloaded` if the kernel's buffer is full (the datagram is not queued),
  // `invalid_input` if it is too large, `unavailable` if there is no way to the receiver.
  Status send(std::span<const std::byte> datagram, const Address& receiver);

  const Address& address() const;  // as bound
  std::uint64_t received_count() const;
  std::uint64_t dropped_count() const;  // by the kernel, its buffer being full (SO_RXQ_OVFL)

 private:
  class Core;
  explicit UdpSocket(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace ficus::net
