#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "net/websocket.h"

namespace ficus::net {

enum class WebSocketRole : std::uint8_t { server, client };

enum class WebSocketOpcode : std::uint8_t {  // RFC 6455, 5.2
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xa,
};

using WebSocketMask = std::array<std::uint8_t, 4>;

// Appends one whole (unfragmented) frame. A client gives a mask, a server none (RFC 6455, 5.1).
void append_websocket_frame(std::string& out, WebSocketOpcode opcode,
                            std::span<const std::byte> payload, const WebSocketMask* mask);
// Appends only what stands in front of an unmasked payload of that size.
void append_websocket_header(std::string& out, WebSocketOpcode opcode, std::size_t payload_bytes);
// Appends a close frame; `reason` is cut to 123 bytes (RFC 6455, 5.5) at a character's boundary.
void append_websocket_close(std::string& out, std::uint16_t code, std::string_view reason,
                            const WebSocketMask* mask);

// Frames of RFC 6455 from bytes, fragments put together; no socket, no extensions. Never holds more
// than `message_bytes_max` and one control frame.
class WebSocketDecoder {
 public:
  // `role` is ours: a server takes masked frames only, a client unmasked ones only.
  WebSocketDecoder(WebSocketRole role, std::size_t message_bytes_max)
      : role_(role), message_bytes_max_(message_bytes_max) {}

  enum class Event : std::uint8_t {
    need_more,  // all input was consumed
    message,    // kind(), payload()
    ping,       // payload()
    pong,       // payload()
    close,      // close_code(), payload() is the reason
    error,      // close_code() is what to close with; no more may be put
  };
  struct Step {
    Event event = Event::need_more;
    std::size_t consumed = 0;
  };
  // Consumes up to and with the frame that ends in an event.
  Step put(std::span<const std::byte> input);

  WebSocketKind kind() const { return kind_; }
  std::span<const std::byte> payload() const;  // valid until the next `put`
  std::uint16_t close_code() const { return close_code_; }
  std::size_t bytes_held() const { return message_.capacity() + control_.capacity(); }

 private:
  static constexpr std::size_t kHeaderBytesMax = 14;
  static constexpr std::size_t kKeptCapacityMax = 4096;

  bool is_control() const { return (static_cast<unsigned>(opcode_) & 8U) != 0; }
  std::size_t header_bytes_needed() const;
  Event begin_frame();
  void take_payload(std::span<const std::byte> bytes);
  Event end_frame();
  Event end_close();
  Event refuse(std::uint16_t code);
  void forget_last();

  const WebSocketRole role_;
  const std::size_t message_bytes_max_;
  std::array<std::uint8_t, kHeaderBytesMax> header_{};
  std::size_t header_size_ = 0;
  bool is_in_payload_ = false;
  bool is_final_ = false;
  bool is_fragmented_ = false;  // a message has begun and not ended
  bool has_shown_message_ = false;
  WebSocketOpcode opcode_ = WebSocketOpcode::continuation;
  WebSocketKind kind_ = WebSocketKind::text;
  WebSocketMask mask_{};
  std::uint64_t payload_left_ = 0;
  std::uint64_t payload_position_ = 0;
  std::string message_;
  std::string control_;
  bool is_last_control_ = false;
  std::uint16_t close_code_ = kWebSocketNoCode;
};

}  // namespace ficus::net
