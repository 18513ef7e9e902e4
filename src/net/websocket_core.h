#pragma once

#include <cstdint>
#include <memory>

#include "net/websocket.h"
#include "net/websocket_codec.h"

namespace ficus::net {

// A WebSocket over a connection whose handshake is done. `seed` feeds a client's masks. For this
// module only.
std::unique_ptr<WebSocket> make_websocket(EventLoop& loop, std::unique_ptr<Connection> tcp,
                                          WebSocketRole role, const WebSocketOptions& options,
                                          std::uint64_t seed, WebSocketHandler& handler);

}  // namespace ficus::net
