#include "net/websocket_connection.h"

#include <utility>

#include "net/bytes.h"
#include "net/loop_core.h"

namespace ficus::net {

// Lives as long as its WebSocketConnection or an end of turn that it waits for.
class WebSocketConnection::Core final : public TurnEnd,
                                        public WebSocketHandler,
                                        public std::enable_shared_from_this<Core> {
 public:
  explicit Core(LoopCore& loop) : loop_(loop) {}

  void own(std::unique_ptr<WebSocket> socket) { socket_ = std::move(socket); }
  WebSocket& socket() const { return *socket_; }

  void start(ConnectionHandler& handler) {
    handler_ = &handler;
    is_paused_ = false;
    redeliver();
  }

  void detach() {
    handler_ = nullptr;
    socket_.reset();
  }

  bool send(std::string_view bytes) {
    if (!socket_->try_send_binary(bytes_of(bytes))) return false;
    bytes_sent_ += bytes.size();
    return true;
  }

  void send_beyond_limit(std::string_view bytes) {
    if (!socket_->is_open()) return;
    socket_->send_binary_beyond_limit(bytes_of(bytes));
    bytes_sent_ += bytes.size();
  }

  void pause() {
    is_paused_ = true;
    socket_->pause_reading();
  }

  void resume() {
    is_paused_ = false;
    socket_->resume_reading();
    redeliver();
  }

  void on_message(WebSocketKind kind, std::span<const std::byte> payload) override {
    const auto self = shared_from_this();  // the handler may destroy the connection
    if (kind == WebSocketKind::text) {
      reason_ = {ErrorCode::invalid_input, "a text message came, binary ones are expected"};
      return socket_->close(kWebSocketUnsupported, "binary messages are expected");
    }
    bytes_received_ += payload.size();
    if (rest_.empty() && can_deliver()) {
      const std::size_t used = handler_->on_bytes(payload);
      if (!is_over()) rest_.assign(text_of(payload.subspan(used)));
    } else {
      rest_ += text_of(payload);
      deliver_rest();
    }
    check_limit();
  }

  void on_writable() override {
    if (handler_ != nullptr) handler_->on_writable();
  }

  void on_closed(const WebSocketClose& close) override {
    const auto self = shared_from_this();
    if (reason_.message.empty()) reason_ = reason_of(close);
    ConnectionHandler* const handler = std::exchange(handler_, nullptr);
    if (handler != nullptr) handler->on_closed(reason_);
  }

  void on_turn_end() override {
    deliver_rest();
    check_limit();
  }

  bool is_paused() const { return is_paused_; }
  std::uint64_t bytes_received() const { return bytes_received_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }
  void set_input_bytes_max(std::size_t bytes) { input_bytes_max_ = bytes; }

 private:
  bool is_over() const { return socket_ == nullptr || !socket_->is_open(); }
  bool can_deliver() const { return handler_ != nullptr && !is_paused_ && !is_over(); }

  void redeliver() {
    if (!rest_.empty()) loop_.at_turn_end(shared_from_this());
  }

  void deliver_rest() {
    if (rest_.empty() || !can_deliver()) return;
    const std::size_t used = handler_->on_bytes(bytes_of(rest_));
    if (is_over()) return;
    rest_.erase(0, used);
    if (rest_.empty()) std::string().swap(rest_);
  }

  void check_limit() {
    if (is_paused_ || is_over() || rest_.size() <= input_bytes_max_) return;
    reason_ = {ErrorCode::overloaded, "connection from " + socket_->peer().text() + ": more than " +
                                          std::to_string(input_bytes_max_) +
                                          " bytes without a whole message"};
    socket_->close(kWebSocketTooBig, "too long without a whole message");
  }

  Error reason_of(const WebSocketClose& close) const {
    std::string text = "WebSocket " + socket_->peer().text() + " closed " +
                       (close.by_peer ? "by the peer" : "here") + " with " +
                       std::to_string(close.code);
    if (!close.reason.empty()) text += ": " + close.reason;
    const bool is_limit = close.code == kWebSocketTooBig || close.code == kWebSocketTryLater;
    return {is_limit ? ErrorCode::overloaded : ErrorCode::unavailable, std::move(text)};
  }

  LoopCore& loop_;
  std::unique_ptr<WebSocket> socket_;
  ConnectionHandler* handler_ = nullptr;
  std::string rest_;  // received and not consumed
  Error reason_{.code = ErrorCode::unavailable, .message = {}};
  std::size_t input_bytes_max_ = std::size_t{1} << 20;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
  bool is_paused_ = false;
};

Result<std::unique_ptr<Connection>> WebSocketConnection::accept(HttpExchange& exchange,
                                                                const WebSocketOptions& options) {
  if (!exchange.is_open()) return fail(ErrorCode::unavailable, "the client has gone");
  auto core = std::make_shared<Core>(exchange.loop().core());
  FICUS_TRY(auto socket, exchange.upgrade_websocket(options, *core));
  core->own(std::move(socket));
  return std::make_unique<WebSocketConnection>(std::move(core));
}

WebSocketConnection::WebSocketConnection(std::shared_ptr<Core> core) : core_(std::move(core)) {}
WebSocketConnection::~WebSocketConnection() { core_->detach(); }
void WebSocketConnection::start(ConnectionHandler& handler) { core_->start(handler); }
bool WebSocketConnection::send(std::string_view text) { return core_->send(text); }
bool WebSocketConnection::send_block(std::string&& block) {
  if (!core_->send(block)) return false;
  block.clear();
  return true;
}
void WebSocketConnection::send_beyond_limit(std::string&& block) {
  core_->send_beyond_limit(block);
  block.clear();
}
std::size_t WebSocketConnection::bytes_queued() const { return core_->socket().bytes_queued(); }
bool WebSocketConnection::is_congested() const { return core_->socket().is_congested(); }
void WebSocketConnection::pause_reading() { core_->pause(); }
void WebSocketConnection::resume_reading() { core_->resume(); }
bool WebSocketConnection::is_reading_paused() const { return core_->is_paused(); }
void WebSocketConnection::close() { core_->socket().close(); }
void WebSocketConnection::abort() { core_->socket().abort(); }
bool WebSocketConnection::is_open() const { return core_->socket().is_open(); }
void WebSocketConnection::set_output_bytes_max(std::size_t bytes) {
  core_->socket().set_output_bytes_max(bytes);
}
void WebSocketConnection::set_input_bytes_max(std::size_t bytes) {
  core_->set_input_bytes_max(bytes);
}
const Address& WebSocketConnection::peer() const { return core_->socket().peer(); }
std::uint64_t WebSocketConnection::bytes_received() const { return core_->bytes_received(); }
std::uint64_t WebSocketConnection::bytes_sent() const { return core_->bytes_sent(); }
bool WebSocketConnection::is_encrypted() const { return core_->socket().carrier().is_encrypted(); }
const PeerCertificate* WebSocketConnection::peer_certificate() const {
  return core_->socket().carrier().peer_certificate();
}

}  // namespace ficus::net
