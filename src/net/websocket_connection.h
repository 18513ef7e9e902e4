#pragma once

#include <memory>

#include "net/connection.h"
#include "net/http_server.h"
#include "net/websocket.h"

namespace ficus::net {

// The binary messages of a WebSocket as one stream of bytes: what MQTT speaks in a browser (MQTT
// 5.0, 6). Where a message ends means nothing; each `send` is one message. A text message closes
// the WebSocket with 1003. `close` is the closing handshake with 1000; a peer that closes ends both
// directions, so `on_end` is never called.
class WebSocketConnection final : public Connection {
 public:
  // Answers the request with the upgrade and takes the connection over. Fails, leaving the exchange
  // to be answered, if it is no proper upgrade (RFC 6455, 4.2.1) or does not offer
  // `options.subprotocol`. `options.message_bytes_max` bounds one message.
  static Result<std::unique_ptr<Connection>> accept(HttpExchange& exchange,
                                                    const WebSocketOptions& options);

  class Core;
  explicit WebSocketConnection(std::shared_ptr<Core> core);
  ~WebSocketConnection() override;

  using Connection::send;
  void start(ConnectionHandler& handler) override;
  [[nodiscard]] bool send(std::string_view text) override;
  [[nodiscard]] bool send_block(std::string&& block) override;
  void send_beyond_limit(std::string&& block) override;
  std::size_t bytes_queued() const override;
  bool is_congested() const override;
  void pause_reading() override;
  void resume_reading() override;
  bool is_reading_paused() const override;
  void close() override;
  void abort() override;
  bool is_open() const override;
  void set_output_bytes_max(std::size_t bytes) override;
  void set_input_bytes_max(std::size_t bytes) override;
  const Address& peer() const override;
  std::uint64_t bytes_received() const override;
  std::uint64_t bytes_sent() const override;
  bool is_encrypted() const override;
  const PeerCertificate* peer_certificate() const override;

 private:
  std::shared_ptr<Core> core_;
};

}  // namespace ficus::net
