#include "net/websocket_handshake.h"

#include <algorithm>
#include <array>
#include <bit>

#include "net/http_types.h"

namespace ficus::net {

namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3

using Sha1Digest = std::array<std::uint8_t, 20>;

void sha1_block(std::array<std::uint32_t, 5>& state, std::span<const std::uint8_t> block) {
  std::array<std::uint32_t, 80> w{};
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t j = 0; j < 4; ++j) w[i] = w[i] << 8U | block[4 * i + j];
  }
  for (std::size_t i = 16; i < 80; ++i) {
    w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  }
  auto [a, b, c, d, e] = state;
  for (std::size_t i = 0; i < 80; ++i) {
    std::uint32_t f = 0;
    std::uint32_t k = 0;
    if (i < 20) {
      f = (b & c) | (~b & d);
      k = 0x5a827999;
    } else if (i < 40) {
      f = b ^ c ^ d;
      k = 0x6ed9eba1;
    } else if (i < 60) {
      f = (b & c) | (b & d) | (c & d);
      k = 0x8f1bbcdc;
    } else {
      f = b ^ c ^ d;
      k = 0xca62c1d6;
    }
    const std::uint32_t next = std::rotl(a, 5) + f + e + k + w[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e};
}

// SHA-1 (FIPS 180-4, 6.1). No secret rests on it here: RFC 6455 uses it to tell a WebSocket server
// from others.
Sha1Digest sha1(std::string_view text) {
  std::string padded(text);
  padded += '\x80';
  while (padded.size() % 64 != 56) padded += '\0';
  for (int shift = 56; shift >= 0; shift -= 8) {
    padded += static_cast<char>((text.size() * 8 >> static_cast<unsigned>(shift)) & 0xffU);
  }
  std::array<std::uint32_t, 5> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(padded.data()),
                                            padded.size());
  for (std::size_t i = 0; i < bytes.size(); i += 64) sha1_block(state, bytes.subspan(i, 64));
  Sha1Digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

bool is_key(std::string_view key) {
  // Base64 of 16 bytes: 22 characters and "==" (RFC 6455, 4.1).
  return key.size() == 24 && key.ends_with("==") &&
         std::all_of(key.begin(), key.end() - 2, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '+' || c == '/';
         });
}

}  // namespace

std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8U | (j < count ? bytes[i + j] : 0U);
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= count ? kAlphabet[group >> (18 - 6 * j) & 63U] : '=';
    }
  }
  return out;
}

std::string websocket_accept(std::string_view key) {
  return base64(sha1(std::string(key) + std::string(kGuid)));
}

Result<std::string> websocket_upgrade_answer(const HttpHead& request,
                                             std::string_view subprotocol) {
  const HttpHeaders& headers = request.headers;
  if (request.method != "GET" || !request.is_http11 || request.is_chunked ||
      request.content_length > 0) {
    return invalid("a WebSocket is opened with a GET of HTTP/1.1 without a body");
  }
  if (!headers.has_token("Upgrade", "websocket") || !headers.has_token("Connection", "upgrade")) {
    return invalid("the request has no 'Upgrade: websocket' and 'Connection: Upgrade'");
  }
  if (headers.find("Sec-WebSocket-Version").value_or("") != "13") {
    return invalid("Sec-WebSocket-Version must be 13");
  }
  const std::string_view key = headers.find("Sec-WebSocket-Key").value_or("");
  if (headers.count("Sec-WebSocket-Key") != 1 || !is_key(key)) {
    return invalid("Sec-WebSocket-Key must be given once, base64 of 16 bytes");
  }
  if (!subprotocol.empty() && !headers.has_token("Sec-WebSocket-Protocol", subprotocol)) {
    return invalid("the client must offer the subprotocol '" + std::string(subprotocol) + "'");
  }
  std::string answer =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      websocket_accept(key) + "\r\n";
  if (!subprotocol.empty()) {
    answer += "Sec-WebSocket-Protocol: " + std::string(subprotocol) + "\r\n";
  }
  return answer + "\r\n";
}

std::string websocket_upgrade_request(std::string_view host, std::string_view target,
                                      std::string_view key, std::string_view subprotocol) {
  std::string request = "GET ";
  request += target;
  request += " HTTP/1.1\r\nHost: ";
  request += host;
  request += "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
  request += "Sec-WebSocket-Key: ";
  request += key;
  request += "\r\n";
  if (!subprotocol.empty()) {
    request += "Sec-WebSocket-Protocol: ";
    request += subprotocol;
    request += "\r\n";
  }
  request += "\r\n";
  return request;
}

Status check_websocket_upgrade_answer(const HttpHead& answer, std::string_view key,
                                      std::string_view subprotocol) {
  const HttpHeaders& headers = answer.headers;
  if (answer.status != 101) {
    return fail(ErrorCode::denied, "the server answered " + std::to_string(answer.status) + " " +
                                       std::string(http_reason(answer.status)));
  }
  if (!headers.has_token("Upgrade", "websocket") || !headers.has_token("Connection", "upgrade") ||
      headers.find("Sec-WebSocket-Accept").value_or("") != websocket_accept(key)) {
    return invalid("the answer is no WebSocket handshake");
  }
  if (headers.find("Sec-WebSocket-Protocol").value_or("") != subprotocol) {
    return invalid("the server did not agree to the subprotocol '" + std::string(subprotocol) +
                   "'");
  }
  return {};
}

}  // namespace ficus::net
