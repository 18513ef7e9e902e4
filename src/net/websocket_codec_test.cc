#include "net/websocket_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/bytes.h"
#include "net/websocket_handshake.h"

namespace ficus::net {
namespace {

using Event = WebSocketDecoder::Event;

constexpr WebSocketMask kMask = {0x37, 0xfa, 0x21, 0x3d};

std::string frame(WebSocketOpcode opcode, std::string_view payload) {
  std::string out;
  append_websocket_frame(out, opcode, bytes_of(payload), &kMask);
  return out;
}

// A frame whose FIN bit is off: a fragment.
std::string fragment(WebSocketOpcode opcode, std::string_view payload) {
  std::string out = frame(opcode, payload);
  out[0] = static_cast<char>(out[0] & 0x7f);
  return out;
}

struct Seen {
  std::vector<std::pair<Event, std::string>> events;
  std::uint16_t code = 0;
};

Seen decode(std::string_view text, std::size_t step, std::size_t bytes_max = 1 << 20,
            WebSocketRole role = WebSocketRole::server) {
  WebSocketDecoder decoder(role, bytes_max);
  Seen seen;
  for (std::size_t at = 0; at < text.size(); at += step) {
    std::string_view part = text.substr(at, step);
    while (!part.empty()) {
      const WebSocketDecoder::Step got = decoder.put(bytes_of(part));
      part.remove_prefix(got.consumed);
      seen.code = decoder.close_code();
      if (got.event == Event::need_more) break;
      seen.events.emplace_back(got.event, std::string(text_of(decoder.payload())));
      if (got.event == Event::error) return seen;
    }
  }
  return seen;
}

TEST(WebSocketCodec, DecodesTheExamplesOfTheStandard) {
  // RFC 6455, 5.7
  const std::string masked("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
  EXPECT_EQ(frame(WebSocketOpcode::text, "Hello"), masked);
  EXPECT_EQ(decode(masked, 100).events,
            (std::vector<std::pair<Event, std::string>>{{Event::message, "Hello"}}));
  const std::string unmasked("\x81\x05\x48\x65\x6c\x6c\x6f", 7);
  EXPECT_EQ(decode(unmasked, 100, 100, WebSocketRole::client).events.at(0).second, "Hello");
  const std::string fragments("\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f", 9);
  EXPECT_EQ(decode(fragments, 1, 100, WebSocketRole::client).events.at(0).second, "Hello");
  std::string header;
  append_websocket_header(header, WebSocketOpcode::binary, 256);
  EXPECT_EQ(header, std::string("\x82\x7e\x01\x00", 4));
  header.clear();
  append_websocket_header(header, WebSocketOpcode::binary, 65536);
  EXPECT_EQ(header, std::string("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
}

TEST(WebSocketCodec, ReadsAnySplittingAndControlFramesBetweenFragments) {
  const std::string text =
      fragment(WebSocketOpcode::text, "one ") + frame(WebSocketOpcode::ping, "p") +
      fragment(WebSocketOpcode::continuation, "") + frame(WebSocketOpcode::pong, "q") +
      frame(WebSocketOpcode::continuation, "two 中") +
      frame(WebSocketOpcode::binary, std::string(300, '\xff')) + frame(WebSocketOpcode::text, "") +
      frame(WebSocketOpcode::close, std::string("\x03\xe8gone", 6));
  const std::vector<std::pair<Event, std::string>> expected = {
      {Event::ping, "p"},
      {Event::pong, "q"},
      {Event::message, "one two 中"},
      {Event::message, std::string(300, '\xff')},
      {Event::message, ""},
      {Event::close, "gone"}};
  for (std::size_t step = 1; step <= text.size(); ++step) {
    const Seen seen = decode(text, step);
    ASSERT_EQ(seen.events, expected) << step;
    EXPECT_EQ(seen.code, kWebSocketNormal);
  }
  for (std::size_t size = 0; size < text.size(); ++size) {
    for (const auto& [event, payload] : decode(text.substr(0, size), 3).events) {
      EXPECT_TRUE(event != Event::error && event != Event::close);
    }
  }
}

TEST(WebSocketCodec, ReadsEachLengthForm) {
  for (const std::size_t size : {0u, 125u, 126u, 127u, 65535u, 65536u, 100'000u}) {
    const std::string payload(size, 'x');
    const Seen seen = decode(frame(WebSocketOpcode::binary, payload), 4096);
    ASSERT_EQ(seen.events.size(), 1u) << size;
    EXPECT_EQ(seen.events[0].second, payload);
  }
}

TEST(WebSocketCodec, RefusesWhatTheStandardForbids) {
  std::string unmasked;
  append_websocket_frame(unmasked, WebSocketOpcode::text, bytes_of("x"), nullptr);
  std::string reserved = frame(WebSocketOpcode::text, "x");
  reserved[0] = static_cast<char>(reserved[0] | 0x40);
  std::string opcode = frame(WebSocketOpcode::text, "x");
  opcode[0] = '\x83';
  std::string control_opcode = opcode;
  control_opcode[0] = '\x8b';
  const std::pair<std::string, std::uint16_t> cases[] = {
      {unmasked, 1002},
      {reserved, 1002},
      {opcode, 1002},
      {control_opcode, 1002},
      {frame(WebSocketOpcode::continuation, "x"), 1002},
      {fragment(WebSocketOpcode::text, "x") + frame(WebSocketOpcode::text, "y"), 1002},
      {fragment(WebSocketOpcode::ping, "x"), 1002},
      {frame(WebSocketOpcode::ping, std::string(126, 'x')), 1002},
      {frame(WebSocketOpcode::close, "x"), 1002},
      {frame(WebSocketOpcode::close, std::string("\x03\xed", 2)), 1002},  // 1005
      {frame(WebSocketOpcode::close, std::string("\x00\x01", 2)), 1002},
      {frame(WebSocketOpcode::close, std::string("\x13\x88", 2)), 1002},  // 5000
      {frame(WebSocketOpcode::close, std::string("\x03\xe8\xff", 3)), 1007},
      {frame(WebSocketOpcode::text, "\xc3"), 1007},
      {frame(WebSocketOpcode::text, "\xed\xa0\x80"), 1007},
      {std::string("\x82\xfe\x00\x05", 4) + std::string(9, 'x'), 1002},  // 5 in two bytes
      {std::string("\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff", 10) + "mask", 1002},
      {std::string("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10) + "mask", 1009},
      {frame(WebSocketOpcode::binary, std::string(1001, 'x')), 1009},
      {fragment(WebSocketOpcode::binary, std::string(600, 'x')) +
           frame(WebSocketOpcode::continuation, std::string(401, 'x')),
       1009},
  };
  for (const auto& [text, code] : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{10'000}}) {
      const Seen seen = decode(text, step, 1000);
      ASSERT_FALSE(seen.events.empty()) << code;
      EXPECT_EQ(seen.events.back().first, Event::error) << code;
      EXPECT_EQ(seen.code, code);
    }
  }
  EXPECT_EQ(decode(frame(WebSocketOpcode::text, "x"), 99, 99, WebSocketRole::client).code, 1002)
      << "a server does not mask";
}

TEST(WebSocketCodec, CutsReasonsAtACharacter) {
  std::string out;
  append_websocket_close(out, 1000,
                         "x" + std::string(40, 'a') +
                             std::string("中中中中中中中中中中中中中中中中中中中中"
                                         "中中中中中中中中中中中中中中中中"),
                         &kMask);
  const Seen seen = decode(out, 1000);
  ASSERT_EQ(seen.events.size(), 1u);
  EXPECT_EQ(seen.events[0].first, Event::close) << "still valid UTF-8, at most 125 bytes";
  EXPECT_GT(seen.events[0].second.size(), 115u);
}

TEST(WebSocketCodec, HoldsLittleBetweenMessages) {
  WebSocketDecoder decoder(WebSocketRole::server, 1 << 20);
  const std::string text = frame(WebSocketOpcode::binary, std::string(500'000, 'x'));
  EXPECT_EQ(decoder.put(bytes_of(text)).event, Event::message);
  EXPECT_GE(decoder.bytes_held(), 500'000u);
  decoder.put({});
  EXPECT_LT(decoder.bytes_held(), 200u);
}

TEST(WebSocketHandshake, ComputesTheExampleOfTheStandard) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // 1.3
}

TEST(WebSocketHandshake, EncodesBase64) {
  const auto encode = [](std::string_view text) {
    return base64(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  };
  // RFC 4648, 10
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg==");
  EXPECT_EQ(encode("fo"), "Zm8=");
  EXPECT_EQ(encode("foo"), "Zm9v");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace ficus::net
