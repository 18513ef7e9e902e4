#include "net/websocket_codec.h"

#include <algorithm>

#include "base/utf8.h"
#include "net/bytes.h"

namespace ficus::net {

namespace {

constexpr unsigned kFinal = 0x80;
constexpr unsigned kReserved = 0x70;
constexpr unsigned kMasked = 0x80;
constexpr std::size_t kControlBytesMax = 125;  // RFC 6455, 5.5
constexpr std::size_t kReasonBytesMax = kControlBytesMax - 2;

void append_header(std::string& out, WebSocketOpcode opcode, std::size_t size, unsigned mask_bit) {
  const auto put = [&](std::size_t byte) { out += static_cast<char>(byte); };
  put(kFinal | static_cast<unsigned>(opcode));
  if (size < 126) {
    put(mask_bit | size);
    return;
  }
  const std::size_t bytes = size <= 0xffff ? 2 : 8;
  put(mask_bit | (bytes == 2 ? 126U : 127U));
  for (std::size_t i = bytes; i-- > 0;) put((size >> (8 * i)) & 0xffU);
}

void apply_mask(std::span<char> text, const WebSocketMask& mask, std::uint64_t position) {
  for (char& c : text) {
    c = static_cast<char>(static_cast<unsigned char>(c) ^ mask[position & 3U]);
    ++position;
  }
}

// What may stand in a close frame (RFC 6455, 7.4): 1004-1006 and 1015 never do, 3000-4999 are free.
bool is_valid_close_code(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace

void append_websocket_header(std::string& out, WebSocketOpcode opcode, std::size_t payload_bytes) {
  append_header(out, opcode, payload_bytes, 0);
}

void append_websocket_frame(std::string& out, WebSocketOpcode opcode,
                            std::span<const std::byte> payload, const WebSocketMask* mask) {
  append_header(out, opcode, payload.size(), mask != nullptr ? kMasked : 0);
  if (mask != nullptr) {
    for (const std::uint8_t byte : *mask) out += static_cast<char>(byte);
  }
  const std::size_t begin = out.size();
  out += text_of(payload);
  if (mask != nullptr) apply_mask(std::span(out).subspan(begin), *mask, 0);
}

void append_websocket_close(std::string& out, std::uint16_t code, std::string_view reason,
                            const WebSocketMask* mask) {
  std::size_t size = std::min(reason.size(), kReasonBytesMax);
  // Not in the middle of a character: continuation bytes are 10xxxxxx.
  while (size > 0 && size < reason.size() &&
         (static_cast<unsigned char>(reason[size]) & 0xc0U) == 0x80U) {
    --size;
  }
  std::string payload;
  if (code != kWebSocketNoCode) {
    payload += static_cast<char>(code >> 8U);
    payload += static_cast<char>(code & 0xffU);
    payload += reason.substr(0, size);
  }
  append_websocket_frame(out, WebSocketOpcode::close, bytes_of(payload), mask);
}

std::span<const std::byte> WebSocketDecoder::payload() const {
  return bytes_of(is_last_control_ ? control_ : message_);
}

std::size_t WebSocketDecoder::header_bytes_needed() const {
  if (header_size_ < 2) return 2;
  const unsigned length = header_[1] & 0x7fU;
  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  return 2 + extended + ((header_[1] & kMasked) != 0 ? 4 : 0);
}

// The payload shown by the last event is no longer needed.
void WebSocketDecoder::forget_last() {
  if (!has_shown_message_) return;
  has_shown_message_ = false;
  message_.clear();
  if (message_.capacity() > kKeptCapacityMax) message_.shrink_to_fit();
}

WebSocketDecoder::Step WebSocketDecoder::put(std::span<const std::byte> input) {
  forget_last();
  Step step;
  while (true) {
    if (!is_in_payload_) {
      while (header_size_ < header_bytes_needed() && step.consumed < input.size()) {
        header_[header_size_++] = std::to_integer<std::uint8_t>(input[step.consumed++]);
      }
      if (header_size_ < header_bytes_needed()) return step;
      step.event = begin_frame();
      if (step.event != Event::need_more) return step;
    }
    const std::size_t part = static_cast<std::size_t>(
        std::min<std::uint64_t>(payload_left_, input.size() - step.consumed));
    take_payload(input.subspan(step.consumed, part));
    step.consumed += part;
    if (payload_left_ > 0) return step;
    step.event = end_frame();
    if (step.event != Event::need_more) return step;
  }
}

WebSocketDecoder::Event WebSocketDecoder::refuse(std::uint16_t code) {
  close_code_ = code;
  return Event::error;
}

WebSocketDecoder::Event WebSocketDecoder::begin_frame() {
  const bool is_masked = (header_[1] & kMasked) != 0;
  if ((header_[0] & kReserved) != 0 || is_masked != (role_ == WebSocketRole::server)) {
    return refuse(kWebSocketProtocolError);
  }
  is_final_ = (header_[0] & kFinal) != 0;
  opcode_ = static_cast<WebSocketOpcode>(header_[0] & 0x0fU);
  const unsigned length = header_[1] & 0x7fU;
  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  payload_left_ = extended == 0 ? length : 0;
  for (std::size_t i = 0; i < extended; ++i) payload_left_ = payload_left_ << 8U | header_[2 + i];
  if ((extended == 2 && payload_left_ < 126) || (extended == 8 && payload_left_ <= 0xffff)) {
    return refuse(kWebSocketProtocolError);  // not the shortest form (RFC 6455, 5.2)
  }
  if (is_masked)
    std::copy_n(header_.begin() + 2 + static_cast<std::ptrdiff_t>(extended), 4, mask_.begin());
  payload_position_ = 0;
  is_in_payload_ = true;
  switch (opcode_) {
    case WebSocketOpcode::close:
    case WebSocketOpcode::ping:
    case WebSocketOpcode::pong:
      if (!is_final_ || payload_left_ > kControlBytesMax) return refuse(kWebSocketProtocolError);
      control_.clear();
      return Event::need_more;
    case WebSocketOpcode::text:
    case WebSocketOpcode::binary:
      if (is_fragmented_) return refuse(kWebSocketProtocolError);
      kind_ = opcode_ == WebSocketOpcode::text ? WebSocketKind::text : WebSocketKind::binary;
      break;
    case WebSocketOpcode::continuation:
      if (!is_fragmented_) return refuse(kWebSocketProtocolError);
      break;
    default:
      return refuse(kWebSocketProtocolError);  // reserved opcodes
  }
  if (payload_left_ > message_bytes_max_ - message_.size()) return refuse(kWebSocketTooBig);
  return Event::need_more;
}

void WebSocketDecoder::take_payload(std::span<const std::byte> bytes) {
  std::string& target = is_control() ? control_ : message_;
  const std::size_t begin = target.size();
  target += text_of(bytes);
  if (role_ == WebSocketRole::server) {
    apply_mask(std::span(target).subspan(begin), mask_, payload_position_);
  }
  payload_position_ += bytes.size();
  payload_left_ -= bytes.size();
}

WebSocketDecoder::Event WebSocketDecoder::end_frame() {
  is_in_payload_ = false;
  header_size_ = 0;
  is_last_control_ = is_control();
  if (opcode_ == WebSocketOpcode::ping) return Event::ping;
  if (opcode_ == WebSocketOpcode::pong) return Event::pong;
  if (opcode_ == WebSocketOpcode::close) return end_close();
  is_fragmented_ = !is_final_;
  if (!is_final_) return Event::need_more;
  if (kind_ == WebSocketKind::text && !is_valid_utf8(message_))
    return refuse(kWebSocketInvalidText);
  has_shown_message_ = true;
  return Event::message;
}

WebSocketDecoder::Event WebSocketDecoder::end_close() {
  close_code_ = kWebSocketNoCode;
  if (control_.empty()) return Event::close;
  if (control_.size() < 2) return refuse(kWebSocketProtocolError);
  const auto code = static_cast<unsigned>(static_cast<unsigned char>(control_[0]) << 8U |
                                          static_cast<unsigned char>(control_[1]));
  if (!is_valid_close_code(code)) return refuse(kWebSocketProtocolError);
  control_.erase(0, 2);
  if (!is_valid_utf8(control_)) return refuse(kWebSocketInvalidText);
  close_code_ = static_cast<std::uint16_t>(code);
  return Event::close;
}

}  // namespace ficus::net
