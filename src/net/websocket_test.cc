#include "net/websocket.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "net/loopback_testing.h"
#include "net/websocket_codec.h"

namespace ficus::net {
namespace {

struct Collector final : WebSocketHandler {
  void on_message(WebSocketKind kind, std::span<const std::byte> payload) override {
    messages.emplace_back(text_of(payload));
    kinds.push_back(kind);
    if (echoes && kind == WebSocketKind::text) socket->send_text(messages.back());
    if (echoes && kind == WebSocketKind::binary) socket->send_binary(payload);
  }
  void on_writable() override { ++writable_count; }
  void on_closed(const WebSocketClose& how) override {
    EXPECT_FALSE(close.has_value()) << "once";
    close = how;
  }
  std::unique_ptr<WebSocket> socket;
  std::vector<std::string> messages;
  std::vector<WebSocketKind> kinds;
  std::optional<WebSocketClose> close;
  bool echoes = false;
  int writable_count = 0;
};

// A server that upgrades whoever asks, and both ends of one WebSocket.
struct Site final : HttpHandler {
  explicit Site(WebSocketOptions with = {}) : options(std::move(with)) {
    http = *HttpServer::open(loop, loopback_any_port(), {}, *this);
    server.echoes = true;
  }
  void on_request(std::unique_ptr<HttpExchange> exchange) override {
    auto upgraded = exchange->upgrade_websocket(options, server);
    if (upgraded) {
      server.socket = *std::move(upgraded);
    } else {
      exchange->respond(426, {{"Upgrade", "websocket"}}, upgraded.error().message);
    }
  }
  bool open(const WebSocketConnectOptions& connect = {}) {
    std::optional<Error> failed;
    WebSocketConnector connector(loop, http->address().text(), "/live", connect, 7, client,
                                 [&](auto got) {
                                   if (got) {
                                     client.socket = *std::move(got);
                                   } else {
                                     failed = got.error();
                                   }
                                 });
    run_until(loop, [&] { return client.socket != nullptr || failed.has_value(); });
    error = failed.value_or(Error{});
    return client.socket != nullptr;
  }

  EventLoop loop;
  WebSocketOptions options;
  std::unique_ptr<HttpServer> http;
  Collector server;
  Collector client;
  Error error;
};

TEST(WebSocket, EchoesMessagesOfEverySize) {
  WebSocketOptions options;
  options.output_bytes_max = options.message_bytes_max = 4 << 20;
  Site site(options);
  ASSERT_TRUE(site.open({.websocket = options}));
  std::vector<std::string> sent;
  for (const std::size_t size : {0u, 1u, 125u, 126u, 65535u, 65536u, 1'000'000u}) {
    sent.push_back(pattern(size));
    EXPECT_TRUE(site.client.socket->send_binary(bytes_of(sent.back())));
  }
  sent.push_back("你好，城市");
  EXPECT_TRUE(site.client.socket->send_text(sent.back()));
  ASSERT_TRUE(run_until(site.loop, [&] { return site.client.messages.size() == sent.size(); }));
  EXPECT_TRUE(site.client.messages == sent);
  EXPECT_EQ(site.client.kinds.back(), WebSocketKind::text);
  EXPECT_EQ(site.server.kinds.front(), WebSocketKind::binary);
}

TEST(WebSocket, ClosesInOrderFromEitherEnd) {
  for (const bool from_server : {false, true}) {
    Site site;
    ASSERT_TRUE(site.open());
    Collector& first = from_server ? site.server : site.client;
    Collector& second = from_server ? site.client : site.server;
    first.socket->close(4000, "enough");
    EXPECT_FALSE(first.socket->is_open());
    EXPECT_FALSE(first.socket->send_text("late"));
    ASSERT_TRUE(run_until(site.loop, [&] { return first.close && second.close; }));
    EXPECT_EQ(first.close->code, 4000);
    EXPECT_FALSE(first.close->by_peer);
    EXPECT_EQ(second.close->code, 4000);
    EXPECT_EQ(second.close->reason, "enough");
    EXPECT_TRUE(second.close->by_peer);
  }
}

TEST(WebSocket, ReportsABrokenLink) {
  Site site;
  ASSERT_TRUE(site.open());
  site.client.socket.reset();
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server.close.has_value(); }));
  EXPECT_EQ(site.server.close->code, kWebSocketAbnormal);
}

TEST(WebSocket, ClosesASlowConsumerWith1013) {
  WebSocketOptions options;
  options.output_bytes_max = 256 << 10;
  Site site(options);
  ASSERT_TRUE(site.open());
  site.client.socket->pause_reading();
  const std::string update(10'000, 'u');
  std::size_t queued_max = 0;
  while (site.server.socket->send_text(update)) {
    queued_max = std::max(queued_max, site.server.socket->bytes_queued());
    site.loop.run_turn(Micros{});
  }
  EXPECT_LE(queued_max, options.output_bytes_max);
  EXPECT_FALSE(site.server.socket->is_open());
  site.client.socket->resume_reading();
  ASSERT_TRUE(run_until(site.loop, [&] { return site.client.close && site.server.close; }));
  EXPECT_EQ(site.client.close->code, kWebSocketTryLater);
  EXPECT_TRUE(site.client.close->by_peer);
  EXPECT_EQ(site.server.close->code, kWebSocketTryLater);
  EXPECT_FALSE(site.server.close->by_peer);
  EXPECT_GT(site.client.messages.size(), 10u) << "what was queued before still arrives";
}

TEST(WebSocket, LimitsMessages) {
  WebSocketOptions options;
  options.message_bytes_max = 1000;
  Site site(options);
  ASSERT_TRUE(site.open());
  EXPECT_TRUE(site.client.socket->send_text(std::string(1001, 'x')));
  ASSERT_TRUE(run_until(site.loop, [&] { return site.client.close && site.server.close; }));
  EXPECT_EQ(site.client.close->code, kWebSocketTooBig);
  EXPECT_TRUE(site.server.messages.empty());
}

TEST(WebSocket, PausesBetweenMessages) {
  Site site;
  site.server.echoes = false;
  ASSERT_TRUE(site.open());
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server.socket != nullptr; }));
  site.server.socket->pause_reading();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(site.client.socket->send_text(std::to_string(i)));
  run_for(site.loop, Micros::from_millis(5));
  EXPECT_TRUE(site.server.messages.empty());
  site.server.socket->resume_reading();
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server.messages.size() == 10; }));
}

TEST(WebSocket, PingsAndGivesUpOnSilence) {
  WebSocketOptions options;
  options.ping_interval = Micros::from_millis(20);
  Site site(options);
  ASSERT_TRUE(site.open());
  run_for(site.loop, Micros::from_millis(200));
  EXPECT_TRUE(site.server.socket->is_open()) << "the client answers pings";
  site.client.socket->pause_reading();  // and now it does not
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server.close.has_value(); }));
  EXPECT_EQ(site.server.close->code, kWebSocketAbnormal);
  EXPECT_EQ(site.server.close->reason, "no answer to pings");
}

TEST(WebSocket, AgreesOnASubprotocol) {
  WebSocketOptions mqtt;
  mqtt.subprotocol = "mqtt";
  Site site(mqtt);
  EXPECT_FALSE(site.open()) << "the client must offer it";
  EXPECT_EQ(site.error.code, ErrorCode::denied);
  ASSERT_TRUE(site.open({.websocket = mqtt}));
  EXPECT_EQ(site.client.socket->subprotocol(), "mqtt");
  EXPECT_EQ(site.server.socket->peer().text().substr(0, 10), "127.0.0.1:");
}

TEST(WebSocket, LetsTheExchangeAnswerWhatIsNoUpgrade) {
  Site site;
  for (const char* fields :
       {"", "Upgrade: websocket\r\n", "Upgrade: websocket\r\nConnection: upgrade\r\n",
        "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: short\r\n",
        "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 8\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"}) {
    auto raw = RawPeer::connect(site.loop, site.http->address());
    raw->send("GET / HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n");
    ASSERT_TRUE(run_until(site.loop, [&] { return raw->received.contains("\r\n\r\n"); }));
    EXPECT_TRUE(raw->received.starts_with("HTTP/1.1 426")) << raw->received;
  }
}

constexpr std::string_view kUpgrade =
    "GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

std::string masked(WebSocketOpcode opcode, std::string_view payload, bool is_final = true) {
  constexpr WebSocketMask kMask = {1, 2, 3, 4};
  std::string out;
  append_websocket_frame(out, opcode, bytes_of(payload), &kMask);
  if (!is_final) out[0] = static_cast<char>(out[0] & 0x7f);
  return out;
}

TEST(WebSocket, TakesFramesSentRightBehindTheUpgrade) {
  Site site;
  auto raw = RawPeer::connect(site.loop, site.http->address());
  raw->send(std::string(kUpgrade) + masked(WebSocketOpcode::text, "fir", false) +
            masked(WebSocketOpcode::ping, "?") + masked(WebSocketOpcode::continuation, "st"));
  ASSERT_TRUE(run_until(site.loop, [&] { return raw->received.ends_with("first"); }));
  EXPECT_TRUE(raw->received.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_TRUE(raw->received.ends_with(std::string("\x8a\x01?\x81\x05", 5) + "first"));
  site.http.reset();  // WebSockets outlive the server
  raw->send(masked(WebSocketOpcode::text, "still"));
  ASSERT_TRUE(run_until(site.loop, [&] { return raw->received.ends_with("still"); }));
  raw->send(masked(WebSocketOpcode::close, ""));
  ASSERT_TRUE(run_until(site.loop, [&] { return raw->is_closed; }));
  EXPECT_EQ(site.server.close->code, kWebSocketNoCode);
  EXPECT_TRUE(raw->received.ends_with(std::string("\x88\x00", 2)));
}

TEST(WebSocket, ClosesOnAProtocolError) {
  Site site;
  auto raw = RawPeer::connect(site.loop, site.http->address());
  raw->send(std::string(kUpgrade) + std::string("\x81\x01x", 3));  // not masked
  ASSERT_TRUE(run_until(site.loop, [&] { return raw->is_closed; }));
  EXPECT_TRUE(raw->received.contains(std::string("\x88\x10\x03\xea", 4) + "protocol error"));
  EXPECT_EQ(site.server.close->code, kWebSocketProtocolError);
}

TEST(WebSocket, AnswersNoFloodOfPingsThatIsNotRead) {
  Site site;
  auto raw = RawPeer::connect(site.loop, site.http->address());
  raw->send(kUpgrade);
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server.socket != nullptr; }));
  raw->tcp->pause_reading();
  std::string pings;
  for (int i = 0; i < 8000; ++i) pings += masked(WebSocketOpcode::ping, std::string(125, 'p'));
  for (int i = 0; i < 20; ++i) raw->send(pings);
  std::size_t queued_max = 0;
  run_until(site.loop, [&] {
    queued_max = std::max(queued_max, site.server.socket->bytes_queued());
    return raw->tcp->bytes_queued() == 0;
  });
  EXPECT_LT(queued_max, std::size_t{300} << 10);
}

TEST(WebSocket, MayBeDestroyedInItsCallback) {
  struct Suicidal final : WebSocketHandler {
    void on_message(WebSocketKind, std::span<const std::byte>) override { socket.reset(), ++calls; }
    void on_closed(const WebSocketClose&) override { ++calls; }
    std::unique_ptr<WebSocket> socket;
    int calls = 0;
  } handler;
  Site site;
  WebSocketConnector connector(site.loop, site.http->address().text(), "/", {}, 1, handler,
                               [&](auto got) {
                                 handler.socket = *std::move(got);
                                 handler.socket->send_text("a");
                                 handler.socket->send_text("b");
                               });
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server.close.has_value(); }));
  EXPECT_EQ(handler.calls, 1);
}

TEST(WebSocketConnector, ReportsWhatIsNoWebSocket) {
  EventLoop loop;
  std::vector<std::unique_ptr<RawPeer>> peers;
  auto listener = TcpListener::open(loop, loopback_any_port(), {}, [&](auto tcp) {
    peers.push_back(std::make_unique<RawPeer>());
    peers.back()->take(std::move(tcp));
  });
  const std::pair<const char*, ErrorCode> cases[] = {
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", ErrorCode::denied},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
       "Sec-WebSocket-Accept: wrong\r\n\r\n",
       ErrorCode::invalid_input},
      {"nonsense\r\n\r\n", ErrorCode::invalid_input},
      {"", ErrorCode::timed_out},
  };
  for (const auto& [answer, code] : cases) {
    Collector handler;
    std::optional<Error> error;
    peers.clear();
    WebSocketConnector connector(loop, (*listener)->address().text(), "/",
                                 {.timeout = Micros::from_millis(100)}, 1, handler, [&](auto got) {
                                   ASSERT_FALSE(got);
                                   error = got.error();
                                 });
    ASSERT_TRUE(run_until(loop, [&] { return !peers.empty() && !peers[0]->received.empty(); }));
    peers[0]->send(answer);
    ASSERT_TRUE(run_until(loop, [&] { return error.has_value(); }));
    EXPECT_EQ(error->code, code) << error->message;
  }
}

}  // namespace
}  // namespace ficus::net
