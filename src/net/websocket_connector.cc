#include <array>
#include <optional>
#include <utility>

#include "base/random.h"
#include "net/bytes.h"
#include "net/tcp.h"
#include "net/websocket.h"
#include "net/websocket_core.h"
#include "net/websocket_handshake.h"

namespace ficus::net {

class WebSocketConnector::Core final : public ConnectionHandler,
                                       public std::enable_shared_from_this<Core> {
 public:
  Core(EventLoop& loop, std::string_view host_port, std::string_view target,
       const WebSocketConnectOptions& options, std::uint64_t seed, WebSocketHandler& handler,
       Callback on_done)
      : loop_(loop),
        host_(host_port),
        target_(target),
        options_(options),
        random_(seed),
        handler_(handler),
        on_done_(std::move(on_done)),
        deadline_(loop) {}

  void start() {
    std::array<std::uint8_t, 16> nonce;
    for (std::uint8_t& byte : nonce) byte = static_cast<std::uint8_t>(random_.next());
    key_ = base64(nonce);
    deadline_.start_once(options_.timeout, [this] {
      finish(fail(ErrorCode::timed_out, "websocket to " + host_ + ": timed out"));
    });
    TcpConnectOptions tcp_options;
    tcp_options.timeout = options_.timeout;
    tcp_options.tls = options_.tls;
    tcp_options.alpn = "http/1.1";
    connector_.emplace(
        loop_, host_, tcp_options,
        [this](Result<std::unique_ptr<TcpConnection>> tcp) { on_connected(std::move(tcp)); });
  }

  void cancel() {
    on_done_ = nullptr;
    deadline_.cancel();
    connector_.reset();
    tcp_.reset();
  }

  std::size_t on_bytes(std::span<const std::byte> bytes) override {
    const auto self = shared_from_this();
    const HttpParser::Step step = parser_.put(text_of(bytes));
    if (step.error != HttpParseError::none) {
      finish(
          in_context("websocket to " + host_ + ": ", {ErrorCode::invalid_input, "no HTTP answer"}));
      return bytes.size();
    }
    if (!parser_.is_header_done()) return step.consumed;
    if (auto checked =
            check_websocket_upgrade_answer(parser_.head(), key_, options_.websocket.subprotocol);
        !checked) {
      finish(in_context("websocket to " + host_ + ": ", checked.error()));
      return bytes.size();
    }
    finish(make_websocket(loop_, std::move(tcp_), WebSocketRole::client, options_.websocket,
                          random_.next(), handler_));
    return step.consumed;
  }

  void on_closed(const Error& reason) override {
    const auto self = shared_from_this();
    finish(std::unexpected(reason));
  }

 private:
  void on_connected(Result<std::unique_ptr<TcpConnection>> tcp) {
    const auto self = shared_from_this();
    if (!tcp) return finish(std::unexpected(std::move(tcp).error()));
    tcp_ = *std::move(tcp);
    tcp_->start(*this);
    tcp_->send_beyond_limit(
        websocket_upgrade_request(host_, target_, key_, options_.websocket.subprotocol));
  }

  void finish(Result<std::unique_ptr<WebSocket>> result) {
    const auto self = shared_from_this();  // the callback may destroy the connector
    deadline_.cancel();
    tcp_.reset();
    Callback on_done = std::move(on_done_);
    on_done_ = nullptr;
    if (on_done) on_done(std::move(result));
  }

  EventLoop& loop_;
  const std::string host_;
  const std::string target_;
  const WebSocketConnectOptions options_;
  Random random_;
  WebSocketHandler& handler_;
  Callback on_done_;
  std::string key_;
  Timer deadline_;
  HttpParser parser_{HttpParser::Kind::response, {}};
  std::optional<TcpConnector> connector_;
  std::unique_ptr<Connection> tcp_;
};

WebSocketConnector::WebSocketConnector(EventLoop& loop, std::string_view host_port,
                                       std::string_view target,
                                       const WebSocketConnectOptions& options, std::uint64_t seed,
                                       WebSocketHandler& handler, Callback on_done)
    : core_(std::make_shared<Core>(loop, host_port, target, options, seed, handler,
                                   std::move(on_done))) {
  core_->start();
}

WebSocketConnector::~WebSocketConnector() { core_->cancel(); }

}  // namespace ficus::net
