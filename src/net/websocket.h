#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "net/tls.h"

namespace ficus::net {

enum class WebSocketKind : std::uint8_t { text, binary };

// Close codes we send or report (RFC 6455, 7.4.1 and the IANA registry).
inline constexpr std::uint16_t kWebSocketNormal = 1000;
inline constexpr std::uint16_t kWebSocketGoingAway = 1001;
inline constexpr std::uint16_t kWebSocketProtocolError = 1002;
inline constexpr std::uint16_t kWebSocketUnsupported = 1003;
inline constexpr std::uint16_t kWebSocketNoCode = 1005;    // never sent: the peer gave none
inline constexpr std::uint16_t kWebSocketAbnormal = 1006;  // never sent: the link broke
inline constexpr std::uint16_t kWebSocketInvalidText = 1007;
inline constexpr std::uint16_t kWebSocketTooBig = 1009;
inline constexpr std::uint16_t kWebSocketTryLater = 1013;  // the slow consumer's

struct WebSocketOptions {
  std::size_t message_bytes_max = std::size_t{1}
                                  << 20;  // all fragments together: then closed with 1009
  std::size_t output_bytes_max = std::size_t{1} << 20;  // queued: then closed with 1013
  Micros ping_interval =
      Micros::from_seconds(30);  // after as long without a sound; three unanswered: 1006
  std::string subprotocol = {};  // "mqtt": chosen if the client offers it, else the upgrade is
                                 // refused. Empty: none
};

// How a WebSocket ended.
struct WebSocketClose {
  std::uint16_t code = kWebSocketAbnormal;  // the peer's, or ours if we closed first
  bool by_peer = false;
  std::string reason;
};

// Who a WebSocket calls, on the loop's thread, never from inside a call into it. Every callback may
// destroy it.
class WebSocketHandler {
 public:
  // A whole message; `payload` is valid during the call. Text is well-formed UTF-8.
  virtual void on_message(WebSocketKind kind, std::span<const std::byte> payload) = 0;
  virtual void on_writable() {}  // there is room again after `is_congested`
  // The last callback, once. Code 1013 here with by_peer false is a slow consumer: the owner counts
  // it.
  virtual void on_closed(const WebSocketClose& close) = 0;

 protected:
  ~WebSocketHandler() = default;
};

// An open WebSocket (RFC 6455, no extensions). Owned by one place; destroying it drops the
// connection. Pings are answered and sent by itself.
class WebSocket {
 public:
  class Core;
  explicit WebSocket(std::shared_ptr<Core> core);  // made by HttpExchange and WebSocketConnector
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // Queues one message. A consumer so slow that `output_bytes_max` would be exceeded is closed with
  // 1013, and this and every later call returns false.
  bool send_text(std::string_view text);
  bool send_binary(std::span<const std::byte> payload);
  // The same for who can wait: false, and nothing queued, at the limit; `on_writable` follows.
  [[nodiscard]] bool try_send_binary(std::span<const std::byte> payload);
  void send_binary_beyond_limit(std::span<const std::byte> payload);
  void set_output_bytes_max(std::size_t bytes);
  std::size_t bytes_queued() const;
  bool is_congested() const;  // more than half of the limit is queued

  void pause_reading();
  void resume_reading();

  // Starts the closing handshake after what is queued; `on_closed` follows. `reason` is cut to 123
  // bytes.
  void close(std::uint16_t code = kWebSocketNormal, std::string_view reason = {});
  // Drops the connection with what is queued; `on_closed` follows with 1006.
  void abort();
  bool is_open() const;
  const Connection& carrier() const;
  const std::string& subprotocol() const;  // as agreed, or empty
  const Address& peer() const;

 private:
  std::shared_ptr<Core> core_;
  Address peer_;
};

struct WebSocketConnectOptions {
  WebSocketOptions websocket = {};
  Micros timeout = Micros::from_seconds(10);   // until the upgrade is answered
  std::shared_ptr<TlsClientContext> tls = {};  // given: wss
};

// One attempt to open a WebSocket as a client: simulator, replay, tests. The callback comes once
// and may destroy the connector; destroying it earlier cancels.
class WebSocketConnector {
 public:
  using Callback = std::move_only_function<void(Result<std::unique_ptr<WebSocket>>)>;
  // `seed` feeds the masking keys (RFC 6455, 5.3). The handler must outlive the WebSocket.
  WebSocketConnector(EventLoop& loop, std::string_view host_port, std::string_view target,
                     const WebSocketConnectOptions& options, std::uint64_t seed,
                     WebSocketHandler& handler, Callback on_done);
  ~WebSocketConnector();
  WebSocketConnector(const WebSocketConnector&) = delete;
  WebSocketConnector& operator=(const WebSocketConnector&) = delete;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace ficus::net
