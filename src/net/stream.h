#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "net/connection.h"

namespace ficus::net {

struct IoResult {
  std::size_t bytes = 0;     // moved; 0 from a read without an error is the peer's end
  int error = 0;             // errno
  bool waits_other = false;  // would block until the socket can do the opposite (TLS)

  bool would_block() const;
};

// What carries a connection's bytes over its socket: the kernel's own, or TLS. Nothing above
// notices. For this module only. Never blocks. Does not own the socket.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual IoResult read_some(std::span<std::byte> out) = 0;
  // After it would block, the next call begins with the same bytes.
  virtual IoResult write_some(std::span<const iovec> blocks) = 0;
  // Tells the peer that no more will come. May block like a write, and is then called again.
  virtual IoResult shutdown_send() = 0;
  // The socket has been closed: nothing but the questions below follows.
  virtual void forget() {}
  // What `error` of a result means if it says more than errno; empty: nothing.
  virtual std::string problem() const { return {}; }
  virtual bool is_encrypted() const { return false; }
  virtual const PeerCertificate* peer_certificate() const { return nullptr; }
  // The last read left something that does not show as a readable socket: read again.
  bool has_more() const { return has_more_; }

 protected:
  bool has_more_ = false;
};

std::unique_ptr<Stream> make_plain_stream(int fd);

}  // namespace ficus::net
