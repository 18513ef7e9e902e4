#include "net/websocket_connection.h"

#include <gtest/gtest.h>

#include <optional>

#include "net/loopback_testing.h"
#include "net/tls_testing.h"

namespace ficus::net {
namespace {

// The client's end: a WebSocket that collects messages.
struct Client final : WebSocketHandler {
  void on_message(WebSocketKind kind, std::span<const std::byte> payload) override {
    EXPECT_EQ(kind, WebSocketKind::binary);
    received += text_of(payload);
    ++message_count;
  }
  void on_closed(const WebSocketClose& how) override { close = how; }
  std::unique_ptr<WebSocket> socket;
  std::string received;
  int message_count = 0;
  std::optional<WebSocketClose> close;
};

struct Site final : HttpHandler {
  explicit Site(WebSocketOptions with = {.subprotocol = "mqtt"},
                HttpServerOptions http_options = {})
      : options(std::move(with)) {
    http = *HttpServer::open(loop, loopback_any_port(), http_options, *this);
  }
  void on_request(std::unique_ptr<HttpExchange> exchange) override {
    auto accepted = WebSocketConnection::accept(*exchange, options);
    if (!accepted) return exchange->respond(426, "text/plain", accepted.error().message);
    server.take(*std::move(accepted));
  }
  bool open(WebSocketConnectOptions connect = {.websocket = {.subprotocol = "mqtt"}}) {
    connect.websocket.message_bytes_max = connect.websocket.output_bytes_max = 64 << 20;
    std::optional<Error> failed;
    WebSocketConnector connector(loop, http->address().text(), "/mqtt", connect, 7, client,
                                 [&](auto got) {
                                   if (got) {
                                     client.socket = *std::move(got);
                                   } else {
                                     failed = got.error();
                                   }
                                 });
    run_until(loop, [&] {
      return failed.has_value() || (client.socket != nullptr && server.tcp != nullptr);
    });
    error = failed.value_or(Error{});
    return client.socket != nullptr;
  }
  void say(std::string_view bytes) { client.socket->send_binary(bytes_of(bytes)); }

  EventLoop loop;
  WebSocketOptions options;
  std::unique_ptr<HttpServer> http;
  RawPeer server;
  Client client;
  Error error;
};

TEST(WebSocketConnection, CarriesBytesWhateverTheMessages) {
  Site site;
  ASSERT_TRUE(site.open()) << site.error.message;
  EXPECT_EQ(site.client.socket->subprotocol(), "mqtt");
  EXPECT_FALSE(site.server.tcp->is_encrypted());
  EXPECT_EQ(site.server.tcp->peer_certificate(), nullptr);
  EXPECT_TRUE(site.server.tcp->peer().is_loopback());
  const std::string all = pattern(300'000);
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t part = std::min<std::size_t>(at % 7000, all.size() - at);
    site.say(std::string_view(all).substr(at, part));
    at += part + (part == 0 ? 1 : 0);
    if (part == 0 && at <= all.size()) site.say(std::string_view(all).substr(at - 1, 1));
  }
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server.received.size() >= all.size(); }));
  EXPECT_TRUE(site.server.received == all);
  EXPECT_EQ(site.server.tcp->bytes_received(), all.size());
  EXPECT_TRUE(site.server.tcp->send("one"));
  EXPECT_TRUE(site.server.tcp->send_block(std::string(10'000, 'b')));
  site.server.send("end");
  ASSERT_TRUE(run_until(site.loop, [&] { return site.client.received.ends_with("end"); }));
  EXPECT_EQ(site.client.message_count, 3);
  EXPECT_EQ(site.client.received, "one" + std::string(10'000, 'b') + "end");
  EXPECT_EQ(site.server.tcp->bytes_sent(), 10'006u);
}

// Takes what is there only in pieces of seven.
struct Sevens final : ConnectionHandler {
  std::size_t on_bytes(std::span<const std::byte> bytes) override {
    shown_max = std::max(shown_max, bytes.size());
    const std::size_t used = bytes.size() - bytes.size() % 7;
    received += text_of(bytes.first(used));
    return used;
  }
  void on_closed(const Error& reason) override { error = reason; }
  std::string received;
  std::size_t shown_max = 0;
  std::optional<Error> error;
};

TEST(WebSocketConnection, KeepsWhatIsNotConsumed) {
  Site site;
  ASSERT_TRUE(site.open());
  Sevens sevens;
  site.server.tcp->start(sevens);
  const std::string all = pattern(7 * 1000);
  for (std::size_t at = 0; at < all.size(); at += 10) {
    site.say(std::string_view(all).substr(at, 10));
  }
  ASSERT_TRUE(run_until(site.loop, [&] { return sevens.received.size() == all.size(); }));
  EXPECT_TRUE(sevens.received == all);
  EXPECT_LE(sevens.shown_max, 16u);
}

TEST(WebSocketConnection, MoreThanTheLimitWithoutAWholeMessageCloses) {
  struct Nothing final : ConnectionHandler {
    std::size_t on_bytes(std::span<const std::byte>) override { return 0; }
    void on_closed(const Error& reason) override { error = reason; }
    std::optional<Error> error;
  } nothing;
  Site site;
  ASSERT_TRUE(site.open());
  site.server.tcp->start(nothing);
  site.server.tcp->set_input_bytes_max(1000);
  site.say(std::string(600, 'x'));
  site.say(std::string(600, 'x'));
  ASSERT_TRUE(run_until(site.loop, [&] { return nothing.error && site.client.close; }));
  EXPECT_EQ(nothing.error->code, ErrorCode::overloaded);
  EXPECT_EQ(site.client.close->code, kWebSocketTooBig);
}

TEST(WebSocketConnection, ATextMessageClosesWith1003) {
  Site site;
  ASSERT_TRUE(site.open());
  site.client.socket->send_text("hello");
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server.is_closed && site.client.close; }));
  EXPECT_EQ(site.client.close->code, kWebSocketUnsupported);
  EXPECT_EQ(site.server.error.code, ErrorCode::invalid_input);
  EXPECT_TRUE(site.server.received.empty());
}

TEST(WebSocketConnection, WithoutTheSubprotocolTheUpgradeIsRefused) {
  Site site;
  EXPECT_FALSE(site.open(WebSocketConnectOptions{}));
  EXPECT_FALSE(site.error.message.empty());
}

TEST(WebSocketConnection, BackPressureInBothDirections) {
  Site site;
  ASSERT_TRUE(site.open());
  // Reading is paused: what the client sends waits, and nothing is lost.
  site.server.tcp->pause_reading();
  EXPECT_TRUE(site.server.tcp->is_reading_paused());
  const std::string up = pattern(9 << 20);
  for (std::size_t at = 0; at < up.size(); at += 65536) {
    site.say(std::string_view(up).substr(at, 65536));
  }
  run_for(site.loop, Micros::from_millis(100));
  EXPECT_LT(site.server.received.size(), 1u << 20);
  EXPECT_GT(site.client.socket->bytes_queued(), 0u);
  site.server.tcp->resume_reading();
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server.received.size() == up.size(); }));
  EXPECT_TRUE(site.server.received == up);
  // The client reads nothing: `send` is refused at the limit, the connection lives, and
  // `on_writable` follows.
  site.server.tcp->set_output_bytes_max(100'000);
  site.client.socket->pause_reading();
  std::string down;
  const std::string block = pattern(30'000);
  run_until(
      site.loop,
      [&] {
        while (site.server.tcp->send(block)) down += block;
        return false;
      },
      Micros::from_millis(200));
  EXPECT_TRUE(site.server.tcp->is_congested());
  EXPECT_TRUE(site.server.tcp->is_open());
  EXPECT_LE(site.server.tcp->bytes_queued(), 100'000u);
  site.client.socket->resume_reading();
  ASSERT_TRUE(run_until(site.loop, [&] { return site.client.received.size() == down.size(); }));
  EXPECT_TRUE(site.client.received == down);
  EXPECT_GT(site.server.writable_count, 0);
}

TEST(WebSocketConnection, ClosesInOrderFromEitherSide) {
  {
    Site site;
    ASSERT_TRUE(site.open());
    site.server.send("last words");
    site.server.tcp->close();
    EXPECT_FALSE(site.server.tcp->is_open());
    ASSERT_TRUE(run_until(site.loop, [&] { return site.client.close && site.server.is_closed; }));
    EXPECT_EQ(site.client.received, "last words");
    EXPECT_EQ(site.client.close->code, kWebSocketNormal);
  }
  {
    Site site;
    ASSERT_TRUE(site.open());
    site.client.socket->close(kWebSocketGoingAway, "page left");
    ASSERT_TRUE(run_until(site.loop, [&] { return site.server.is_closed; }));
    EXPECT_TRUE(site.server.error.message.contains("by the peer with 1001: page left"))
        << site.server.error.message;
  }
  {
    Site site;
    ASSERT_TRUE(site.open());
    site.server.tcp->abort();
    ASSERT_TRUE(run_until(site.loop, [&] { return site.client.close && site.server.is_closed; }));
    EXPECT_EQ(site.client.close->code, kWebSocketAbnormal);
    EXPECT_EQ(site.server.closed_count, 1);
  }
}

TEST(WebSocketConnection, MayBeDestroyedWithinItsCallback) {
  struct Destroyer final : ConnectionHandler {
    std::size_t on_bytes(std::span<const std::byte> bytes) override {
      connection.reset();
      return bytes.size();
    }
    void on_closed(const Error&) override { ADD_FAILURE() << "it was destroyed"; }
    std::unique_ptr<Connection> connection;
  } destroyer;
  Site site;
  ASSERT_TRUE(site.open());
  destroyer.connection = std::move(site.server.tcp);
  destroyer.connection->start(destroyer);
  site.say("first");
  site.say("second");
  ASSERT_TRUE(run_until(site.loop, [&] { return site.client.close.has_value(); }));
  EXPECT_EQ(destroyer.connection, nullptr);
}

TEST(WebSocketConnection, OverTlsItIsEncryptedAndKnowsThePeer) {
  const TestAuthority authority;
  HttpServerOptions http_options;
  http_options.tls = *TlsServerContext::make({.identity = authority.issue({}),
                                              .client_ca_pem = authority.pem(),
                                              .requires_client_certificate = true});
  Site site({.subprotocol = "mqtt"}, http_options);
  WebSocketConnectOptions connect{.websocket = {.subprotocol = "mqtt"}};
  connect.tls = TlsHouse::trusting(authority.pem(), authority.issue({.common_name = "pump-7"}));
  ASSERT_TRUE(site.open(connect)) << site.error.message;
  EXPECT_TRUE(site.server.tcp->is_encrypted());
  ASSERT_NE(site.server.tcp->peer_certificate(), nullptr);
  EXPECT_EQ(site.server.tcp->peer_certificate()->common_name, "pump-7");
  site.say("hello");
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server.received == "hello"; }));
}

}  // namespace
}  // namespace ficus::net
