#pragma once

#include <cstddef>
#include <memory>

#include "net/stream.h"
#include "net/tcp.h"

namespace ficus::net {

class LoopCore;

// TCP_NODELAY and keep-alive. Set on a listening socket, they hold for every connection that it
// accepts, which saves five system calls each.
void set_connection_options(int fd);

// Makes a connection of a connected, non-blocking socket with these options, which it then owns,
// and what carries bytes over it. `count`, if there is one, goes up now and down when the socket
// closes. For this module only.
std::unique_ptr<TcpConnection> adopt_socket(LoopCore& loop, int fd, const Address& peer,
                                            const TcpOptions& options,
                                            std::shared_ptr<std::size_t> count,
                                            std::unique_ptr<Stream> stream);

}  // namespace ficus::net
