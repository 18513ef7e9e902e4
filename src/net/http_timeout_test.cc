#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "net/http_server.h"
#include "net/loopback_testing.h"

namespace ficus::net {
namespace {

struct Site final : HttpHandler {
  explicit Site(const HttpServerOptions& options) {
    server = *HttpServer::open(loop, loopback_any_port(), options, *this);
    client = RawPeer::connect(loop, server->address());
  }
  void on_request(std::unique_ptr<HttpExchange> given) override {
    exchange = std::move(given);
    exchange->on_closed([this](const Error& reason) { error = reason; });
    if (reads_body) {
      exchange->stream_body(1000, [](std::string_view) {}, [] {});
    }
  }
  bool is_closed() {
    return run_until(loop, [this] { return client->is_closed; });
  }

  EventLoop loop;
  bool reads_body = false;
  std::unique_ptr<HttpExchange> exchange;
  std::optional<Error> error;
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<RawPeer> client;
};

constexpr Micros kShort = Micros::from_millis(40);

TEST(HttpTimeout, OfAHeaderThatTrickles) {
  HttpServerOptions options;
  options.header_timeout = kShort;
  Site site(options);
  Timer drip(site.loop);
  site.client->send("GET / HTTP/1.1\r\nHost: x\r\n");
  drip.start_repeating(Micros::from_millis(5),
                       [&] { site.client->send("A: b\r\n"); });  // slow loris
  ASSERT_TRUE(site.is_closed());
  EXPECT_TRUE(site.client->received.starts_with("HTTP/1.1 408")) << site.client->received;
  EXPECT_EQ(site.server->counts().timeouts, 1u);
}

TEST(HttpTimeout, OfAClientThatSaysNothing) {
  HttpServerOptions options;
  options.header_timeout = kShort;
  Site site(options);
  ASSERT_TRUE(site.is_closed());
  EXPECT_TRUE(site.client->received.empty());
}

TEST(HttpTimeout, OfAnIdleConnection) {
  HttpServerOptions options;
  options.idle_timeout = kShort;
  Site site(options);
  site.client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until(site.loop, [&] { return site.exchange != nullptr; }));
  site.exchange->respond(200, "text/plain", "hi");
  ASSERT_TRUE(site.is_closed());
  EXPECT_TRUE(site.client->received.ends_with("hi"));
}

TEST(HttpTimeout, OfABodyThatStops) {
  HttpServerOptions options;
  options.body_timeout = kShort;
  Site site(options);
  site.reads_body = true;
  site.client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome");
  ASSERT_TRUE(site.is_closed());
  EXPECT_TRUE(site.client->received.starts_with("HTTP/1.1 408"));
  ASSERT_TRUE(site.error.has_value());
  EXPECT_EQ(site.error->code, ErrorCode::timed_out);
}

TEST(HttpTimeout, NotWhileTheHandlerPausesTheBody) {
  HttpServerOptions options;
  options.body_timeout = kShort;
  Site site(options);
  site.client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome");
  site.reads_body = true;
  ASSERT_TRUE(run_until(site.loop, [&] { return site.exchange != nullptr; }));
  site.exchange->pause_body();
  run_for(site.loop, Micros::from_millis(150));
  EXPECT_FALSE(site.client->is_closed);
  site.exchange->resume_body();
  ASSERT_TRUE(site.is_closed());
}

TEST(HttpTimeout, OfAHandlerThatDoesNotAnswer) {
  HttpServerOptions options;
  options.answer_timeout = kShort;
  Site site(options);
  site.client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(site.is_closed());
  EXPECT_TRUE(site.client->received.starts_with("HTTP/1.1 503"));
  EXPECT_EQ(site.error->code, ErrorCode::timed_out);
}

TEST(HttpTimeout, NotOfAStreamThatIsQuiet) {
  HttpServerOptions options;
  options.answer_timeout = options.idle_timeout = options.write_timeout = kShort;
  Site site(options);
  site.client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until(site.loop, [&] { return site.exchange != nullptr; }));
  site.exchange->start_stream(200, {{"Content-Type", "text/event-stream"}});
  run_for(site.loop, Micros::from_millis(150));
  EXPECT_TRUE(site.exchange->is_open());
}

TEST(HttpTimeout, OfAClientThatTakesNothing) {
  HttpServerOptions options;
  options.write_timeout = kShort;
  options.output_bytes_max = std::size_t{64} << 20;
  Site site(options);
  site.client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until(site.loop, [&] { return site.exchange != nullptr; }));
  site.client->tcp->pause_reading();
  site.exchange->start_stream(200, {});
  EXPECT_TRUE(site.exchange->write(std::string(32 << 20, 'x')));
  ASSERT_TRUE(run_until(site.loop, [&] { return site.error.has_value(); }));
  EXPECT_EQ(site.error->code, ErrorCode::timed_out);
  EXPECT_FALSE(site.exchange->is_open());
}

}  // namespace
}  // namespace ficus::net
