#include "net/websocket.h"

#include <utility>

#include "base/random.h"
#include "net/bytes.h"
#include "net/websocket_codec.h"
#include "net/websocket_core.h"

namespace ficus::net {

namespace {

constexpr std::size_t kPongsQueuedBytesMax = std::size_t{64} << 10;

}  // namespace

class WebSocket::Core final : public ConnectionHandler, public std::enable_shared_from_this<Core> {
 public:
  Core(EventLoop& loop, std::unique_ptr<Connection> tcp, WebSocketRole role,
       const WebSocketOptions& options, std::uint64_t seed, WebSocketHandler& handler)
      : options_(options),
        decoder_(role, options.message_bytes_max),
        role_(role),
        random_(seed),
        ping_timer_(loop),
        tcp_(std::move(tcp)),
        handler_(&handler) {
    tcp_->set_output_bytes_max(options.output_bytes_max);
  }

  void start() {
    tcp_->start(*this);
    if (options_.ping_interval.count > 0) {
      ping_timer_.start_repeating(options_.ping_interval, [this] { on_ping_time(); });
    }
  }

  bool send(WebSocketOpcode opcode, std::span<const std::byte> payload) {
    if (!is_open()) return false;
    // 14 bytes are the longest header (RFC 6455, 5.2).
    const std::size_t queued = tcp_->bytes_queued();
    if (queued + payload.size() + 14 > options_.output_bytes_max) {
      close(kWebSocketTryLater, "too slow: " + std::to_string(queued) + " bytes wait");
      return false;
    }
    std::string frame;
    if (role_ == WebSocketRole::client) {
      const WebSocketMask mask = next_mask();
      append_websocket_frame(frame, opcode, payload, &mask);
      return tcp_->send_block(std::move(frame));
    }
    append_websocket_header(frame, opcode, payload.size());
    return tcp_->send(frame) && tcp_->send(payload);
  }

  // One block, so that it is queued whole or not at all.
  std::string whole_frame(std::span<const std::byte> payload) {
    std::string frame;
    frame.reserve(payload.size() + 14);
    const WebSocketMask mask = next_mask();
    append_websocket_frame(frame, WebSocketOpcode::binary, payload,
                           role_ == WebSocketRole::client ? &mask : nullptr);
    return frame;
  }

  bool try_send(std::span<const std::byte> payload) {
    return is_open() && tcp_->send_block(whole_frame(payload));
  }

  void send_beyond_limit(std::span<const std::byte> payload) {
    if (is_open()) tcp_->send_beyond_limit(whole_frame(payload));
  }

  void set_output_bytes_max(std::size_t bytes) {
    options_.output_bytes_max = bytes;
    tcp_->set_output_bytes_max(bytes);
  }

  void abort() {
    if (!is_open()) return;
    is_ending_ = true;
    close_ = {.code = kWebSocketAbnormal, .by_peer = false, .reason = "aborted here"};
    tcp_->abort();
  }

  void close(std::uint16_t code, std::string_view reason) {
    end({.code = code, .by_peer = false, .reason = std::string(reason)});
  }

  void detach() {
    handler_ = nullptr;
    ping_timer_.cancel();
    tcp_.reset();
  }

  bool is_open() const { return tcp_ != nullptr && !is_ending_ && tcp_->is_open(); }
  Connection* tcp() { return tcp_.get(); }
  const WebSocketOptions& options() const { return options_; }

  std::size_t on_bytes(std::span<const std::byte> bytes) override {
    const auto self = shared_from_this();  // callbacks may destroy the WebSocket
    was_heard_ = true;
    std::size_t used = 0;
    while (used < bytes.size() && is_open() && !tcp_->is_reading_paused()) {
      const WebSocketDecoder::Step step = decoder_.put(bytes.subspan(used));
      used += step.consumed;
      on_event(step.event);
    }
    return is_open() ? used : bytes.size();
  }

  void on_writable() override {
    if (handler_ != nullptr && is_open()) handler_->on_writable();
  }

  void on_closed(const Error& reason) override {
    const auto self = shared_from_this();
    ping_timer_.cancel();
    if (!is_ending_)
      close_ = {.code = kWebSocketAbnormal, .by_peer = true, .reason = reason.message};
    is_ending_ = true;
    WebSocketHandler* const handler = std::exchange(handler_, nullptr);
    if (handler != nullptr) handler->on_closed(close_);
  }

 private:
  void on_event(WebSocketDecoder::Event event) {
    switch (event) {
      case WebSocketDecoder::Event::need_more:
      case WebSocketDecoder::Event::pong:
        return;
      case WebSocketDecoder::Event::message:
        return handler_->on_message(decoder_.kind(), decoder_.payload());
      case WebSocketDecoder::Event::ping:
        // One who pings and does not read gets no more answers.
        if (tcp_->bytes_queued() < kPongsQueuedBytesMax) {
          send_control(WebSocketOpcode::pong, decoder_.payload());
        }
        return;
      case WebSocketDecoder::Event::close:
        return end({.code = decoder_.close_code(),
                    .by_peer = true,
                    .reason = std::string(text_of(decoder_.payload()))});
      case WebSocketDecoder::Event::error:
        return close(decoder_.close_code(), "protocol error");
    }
  }

  // Our close frame, the first or the answer to the peer's, then the end of our side (RFC
  // 6455, 7.1.1).
  void end(WebSocketClose how) {
    if (!is_open()) return;
    is_ending_ = true;
    close_ = std::move(how);
    std::string frame;
    const WebSocketMask mask = next_mask();
    append_websocket_close(frame, close_.code, close_.by_peer ? "" : close_.reason,
                           role_ == WebSocketRole::client ? &mask : nullptr);
    tcp_->send_beyond_limit(std::move(frame));
    tcp_->close();
    ping_timer_.cancel();
  }

  void send_control(WebSocketOpcode opcode, std::span<const std::byte> payload) {
    std::string frame;
    const WebSocketMask mask = next_mask();
    append_websocket_frame(frame, opcode, payload,
                           role_ == WebSocketRole::client ? &mask : nullptr);
    tcp_->send_beyond_limit(std::move(frame));
  }

  void on_ping_time() {
    if (!is_open()) return;
    if (std::exchange(was_heard_, false) || tcp_->is_reading_paused()) {
      pings_unanswered_ = 0;
      return;
    }
    if (++pings_unanswered_ > 2) {
      is_ending_ = true;
      close_ = {.code = kWebSocketAbnormal, .by_peer = false, .reason = "no answer to pings"};
      return tcp_->abort();
    }
    send_control(WebSocketOpcode::ping, {});
  }

  WebSocketMask next_mask() {
    const std::uint64_t bits = random_.next();
    return {static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8U),
            static_cast<std::uint8_t>(bits >> 16U), static_cast<std::uint8_t>(bits >> 24U)};
  }

  WebSocketOptions options_;
  WebSocketDecoder decoder_;
  const WebSocketRole role_;
  Random random_;
  Timer ping_timer_;
  std::unique_ptr<Connection> tcp_;
  WebSocketHandler* handler_;
  WebSocketClose close_;
  bool is_ending_ = false;
  bool was_heard_ = true;
  int pings_unanswered_ = 0;
};

std::unique_ptr<WebSocket> make_websocket(EventLoop& loop, std::unique_ptr<Connection> tcp,
                                          WebSocketRole role, const WebSocketOptions& options,
                                          std::uint64_t seed, WebSocketHandler& handler) {
  auto core = std::make_shared<WebSocket::Core>(loop, std::move(tcp), role, options, seed, handler);
  core->start();
  return std::make_unique<WebSocket>(std::move(core));
}

WebSocket::WebSocket(std::shared_ptr<Core> core)
    : core_(std::move(core)), peer_(core_->tcp()->peer()) {}
WebSocket::~WebSocket() { core_->detach(); }
bool WebSocket::send_text(std::string_view text) {
  return core_->send(WebSocketOpcode::text, bytes_of(text));
}
bool WebSocket::send_binary(std::span<const std::byte> payload) {
  return core_->send(WebSocketOpcode::binary, payload);
}
bool WebSocket::try_send_binary(std::span<const std::byte> payload) {
  return core_->try_send(payload);
}
void WebSocket::send_binary_beyond_limit(std::span<const std::byte> payload) {
  core_->send_beyond_limit(payload);
}
void WebSocket::set_output_bytes_max(std::size_t bytes) { core_->set_output_bytes_max(bytes); }
std::size_t WebSocket::bytes_queued() const { return core_->tcp()->bytes_queued(); }
bool WebSocket::is_congested() const { return core_->tcp()->is_congested(); }
void WebSocket::pause_reading() { core_->tcp()->pause_reading(); }
void WebSocket::resume_reading() { core_->tcp()->resume_reading(); }
void WebSocket::close(std::uint16_t code, std::string_view reason) { core_->close(code, reason); }
void WebSocket::abort() { core_->abort(); }
const Connection& WebSocket::carrier() const { return *core_->tcp(); }
bool WebSocket::is_open() const { return core_->is_open(); }
const std::string& WebSocket::subprotocol() const { return core_->options().subprotocol; }
const Address& WebSocket::peer() const { return peer_; }

}  // namespace ficus::net
