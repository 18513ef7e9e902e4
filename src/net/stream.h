#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>

namespace ficus::net {

struct IoResult {
  std::size_t bytes = 0;  // moved; 0 from a read without an error is the peer's end
  int error = 0;          // errno

  bool would_block() const;
};

// What carries a connection's bytes over its socket. The one place where the kind of stream is
// decided: a TLS stream is another implementation, handed to the same TcpConnection, and nothing
// above notices. For this module only. Never blocks. Does not own the socket.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual IoResult read_some(std::span<std::byte> out) = 0;
  virtual IoResult write_some(std::span<const iovec> blocks) = 0;
  virtual void shutdown_send() = 0;
};

std::unique_ptr<Stream> make_plain_stream(int fd);

}  // namespace ficus::net
