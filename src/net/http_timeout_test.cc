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

TEST(HttpTimeout, OfABodyThatTrickles) {
  HttpServerOptions options;
  options.body_timeout = Micros::from_millis(100);
  options.body_bytes_per_second_min = 1000;
  Site site(options);
  site.reads_body = true;
  Timer drip(site.loop);
  site.client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  // Never silent for as long as `body_timeout`.
  drip.start_repeating(Micros::from_millis(10), [&] { site.client->send("x"); });
  ASSERT_TRUE(site.is_closed());
  EXPECT_TRUE(site.client->received.starts_with("HTTP/1.1 408")) << site.client->received;
  EXPECT_EQ(site.error->code, ErrorCode::timed_out);
  EXPECT_EQ(site.server->counts().bodies_slow, 1u);
}

TEST(HttpTimeout, NotOfABodyThatComesAtThePaceAskedFor) {
  HttpServerOptions options;
  options.body_timeout = Micros::from_millis(100);
  options.body_bytes_per_second_min = 10;
  Site site(options);
  site.reads_body = true;
  Timer drip(site.loop);
  site.client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  drip.start_repeating(Micros::from_millis(10), [&] { site.client->send("x"); });
  run_for(site.loop, Micros::from_millis(500));
  EXPECT_FALSE(site.client->is_closed) << site.client->received;
}

// Takes a little now and then, so never nothing.
TEST(HttpTimeout, OfAClientThatTakesTooLittle) {
  HttpServerOptions options;
  options.write_timeout = Micros::from_millis(200);
  options.answer_bytes_per_second_min = std::size_t{1} << 30;
  options.output_bytes_max = std::size_t{64} << 20;
  Site site(options);
  site.client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until(site.loop, [&] { return site.exchange != nullptr; }));
  Timer sips(site.loop);
  site.client->tcp->pause_reading();
  bool is_reading = false;
  sips.start_repeating(Micros::from_millis(5), [&] {
    if (site.client->is_closed) return;
    is_reading = !is_reading;
    is_reading ? site.client->tcp->resume_reading() : site.client->tcp->pause_reading();
  });
  site.exchange->start_stream(200, {});
  Timer more(site.loop);
  more.start_repeating(Micros::from_millis(1), [&] {
    while (site.exchange->is_open() && site.exchange->write(std::string(1 << 20, 'x'))) {
    }
  });
  ASSERT_TRUE(run_until(site.loop, [&] { return site.error.has_value(); }));
  EXPECT_EQ(site.error->code, ErrorCode::timed_out);
  EXPECT_EQ(site.server->counts().readers_slow, 1u);
}

TEST(HttpTimeout, NotOfAClientWhoseAnswerHasJustBegun) {
  HttpServerOptions options;
  options.write_timeout = Micros::from_millis(400);
  options.output_bytes_max = std::size_t{64} << 20;
  Site site(options);
  run_for(site.loop, Micros::from_millis(600));  // the server is older than the window
  site.client = RawPeer::connect(site.loop, site.server->address());
  site.client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until(site.loop, [&] { return site.exchange != nullptr; }));
  site.client->tcp->pause_reading();
  site.exchange->start_stream(200, {});
  EXPECT_TRUE(site.exchange->write(std::string(32 << 20, 'x')));
  run_for(site.loop, Micros::from_millis(220));
  EXPECT_FALSE(site.error.has_value());
  ASSERT_TRUE(run_until(site.loop, [&] { return site.error.has_value(); }));
}

// "Connection: close" bounds the wait for the client, not the length of the answer.
TEST(HttpTimeout, NotOfALongAnswerBehindWhichTheConnectionCloses) {
  HttpServerOptions options;
  options.write_timeout = Micros::from_millis(400);
  options.answer_bytes_per_second_min = 0;
  Site site(options);
  site.client->send("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(run_until(site.loop, [&] { return site.exchange != nullptr; }));
  site.client->tcp->pause_reading();
  const std::string body = pattern(std::size_t{24} << 20);
  site.exchange->respond(200, "text/plain", body);
  // Takes some now and then, longer than the wait altogether.
  Timer sips(site.loop);
  int tick = 0;
  sips.start_repeating(Micros::from_millis(20), [&] {
    ++tick % 10 == 0 ? site.client->tcp->resume_reading() : site.client->tcp->pause_reading();
  });
  run_for(site.loop, Micros::from_millis(900));
  sips.cancel();
  site.client->tcp->resume_reading();
  ASSERT_TRUE(site.is_closed());
  EXPECT_TRUE(site.client->received.ends_with(body));
}

}  // namespace
}  // namespace ficus::net
