#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_parser.h"

namespace ficus::net {

// The opening handshake (RFC 6455, 4). For this module only.

// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);

// The whole "101 Switching Protocols" for an upgrade request; an error says what is wrong with the
// request.
Result<std::string> websocket_upgrade_answer(const HttpHead& request, std::string_view subprotocol);

// The request of a client; `key` is base64 of 16 bytes.
std::string websocket_upgrade_request(std::string_view host, std::string_view target,
                                      std::string_view key, std::string_view subprotocol);
Status check_websocket_upgrade_answer(const HttpHead& answer, std::string_view key,
                                      std::string_view subprotocol);

std::string base64(std::span<const std::uint8_t> bytes);

}  // namespace ficus::net
