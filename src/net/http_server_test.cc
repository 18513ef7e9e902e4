#include "net/http_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/loopback_testing.h"

namespace ficus::net {
namespace {

using ExchangePtr = std::unique_ptr<HttpExchange>;

// Answers with what the test gives it.
class FunctionHandler final : public HttpHandler {
 public:
  void on_request(ExchangePtr exchange) override { answer(std::move(exchange)); }
  std::move_only_function<void(ExchangePtr)> answer = [](ExchangePtr exchange) {
    exchange->respond(200, "text/plain", "hello " + exchange->target().path);
  };
};

struct Site {
  explicit Site(const HttpServerOptions& options = {}) {
    auto opened = HttpServer::open(loop, loopback_any_port(), options, handler);
    EXPECT_TRUE(opened);
    server = *std::move(opened);
  }
  std::unique_ptr<RawPeer> connect() { return RawPeer::connect(loop, server->address()); }
  // Sends, then waits for `expected` to appear in the answer.
  bool says(RawPeer& client, std::string_view request, std::string_view expected) {
    client.send(request);
    return run_until(loop, [&] { return client.received.contains(expected); });
  }
  bool is_closed(RawPeer& client) {
    return run_until(loop, [&] { return client.is_closed; });
  }

  EventLoop loop;
  FunctionHandler handler;
  std::unique_ptr<HttpServer> server;
};

std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  Site site;
  auto client = site.connect();
  ASSERT_TRUE(site.says(*client, get("/one"), "hello /one"));
  EXPECT_TRUE(
      client->received.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                   "Content-Length: 10\r\n\r\n"))
      << client->received;
  ASSERT_TRUE(site.says(*client, get("/two"), "hello /two"));
  EXPECT_EQ(site.server->counts().requests, 2u);
  EXPECT_EQ(site.server->counts().connections_accepted, 1u);
  client->send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(site.is_closed(*client));
  EXPECT_TRUE(client->received.contains("Connection: close"));
}

TEST(HttpServer, ServesHttp10) {
  Site site;
  auto client = site.connect();
  client->send("GET /old HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(site.is_closed(*client));
  EXPECT_TRUE(client->received.ends_with("hello /old"));
  auto kept = site.connect();
  ASSERT_TRUE(site.says(*kept, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "hello /a"));
  EXPECT_TRUE(kept->received.contains("Connection: keep-alive"));
  ASSERT_TRUE(site.says(*kept, "GET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "hello /b"));
}

TEST(HttpServer, AnswersHeadWithoutABody) {
  Site site;
  auto client = site.connect();
  ASSERT_TRUE(site.says(*client, "HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n" + get("/g"), "hello /g"));
  EXPECT_EQ(count_of(client->received, "hello"), 1u);
  EXPECT_EQ(count_of(client->received, "Content-Length: 8"), 2u);
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  Site site;
  auto client = site.connect();
  std::string all;
  for (int i = 0; i < 500; ++i) all += get("/" + std::to_string(i) + ".");
  ASSERT_TRUE(site.says(*client, all, "hello /499."));
  std::size_t at = 0;
  for (int i = 0; i < 500; ++i) {
    at = client->received.find("hello /" + std::to_string(i) + ".", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST(HttpServer, AnswersOneAtATimeWhenAnswersComeLater) {
  Site site;
  std::vector<ExchangePtr> held;
  site.handler.answer = [&](ExchangePtr exchange) { held.push_back(std::move(exchange)); };
  auto client = site.connect();
  std::string all;
  for (int i = 0; i < 2000; ++i) all += get("/" + std::to_string(i) + ".");  // more than may wait
  client->send(all);
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(run_until(site.loop, [&] { return !held.empty(); })) << i;
    ASSERT_EQ(held.size(), 1u);
    EXPECT_EQ(held[0]->target().path, "/" + std::to_string(i) + ".");
    EXPECT_FALSE(held[0]->is_answered());
    held[0]->respond(200, "text/plain", std::to_string(i));
    EXPECT_TRUE(held[0]->is_answered());
    EXPECT_FALSE(held[0]->is_open());
    held.clear();
  }
}

TEST(HttpServer, BoundsTheAnswersThatPileUp) {
  HttpServerOptions options;
  options.output_bytes_max = 1 << 20;
  Site site(options);
  std::size_t requests = 0;
  site.handler.answer = [&](ExchangePtr exchange) {
    ++requests;
    exchange->respond(200, "text/plain", std::string(100'000, 'a'));
  };
  auto client = site.connect();
  client->tcp->pause_reading();
  std::string all;
  for (int i = 0; i < 1000; ++i) all += get("/");
  client->send(all);
  run_for(site.loop, Micros::from_millis(30));
  EXPECT_LT(requests, 200u) << "the client reads nothing, so it is answered no further";
  client->tcp->resume_reading();
  ASSERT_TRUE(run_until(site.loop, [&] { return client->received.size() > 100'000'000; }));
  EXPECT_EQ(requests, 1000u);
}

TEST(HttpServer, RefusesWhatIsMalformedAndCloses) {
  const std::pair<std::string, std::string> cases[] = {
      {"nonsense\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET nopath HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", "505"},
      {"GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", "417"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501"},
      {"GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(20'000, 'x') + "\r\n\r\n", "431"},
      {"GET /" + std::string(500'000, 'x'), "431"},
  };
  for (const auto& [request, status] : cases) {
    Site site;
    bool was_asked = false;
    site.handler.answer = [&](ExchangePtr) { was_asked = true; };
    auto client = site.connect();
    client->send(request + get("/smuggled"));
    ASSERT_TRUE(site.is_closed(*client)) << request.substr(0, 100);
    EXPECT_TRUE(client->received.starts_with("HTTP/1.1 " + status)) << client->received;
    EXPECT_EQ(count_of(client->received, "HTTP/1.1"), 1u);
    EXPECT_FALSE(was_asked);
    EXPECT_EQ(site.server->counts().requests_malformed, status == "417" ? 0u : 1u);
  }
}

TEST(HttpServer, CollectsBodies) {
  Site site;
  site.handler.answer = [&](ExchangePtr exchange) {
    HttpExchange& ref = *exchange;
    ref.read_body(100, [exchange = std::move(exchange)](std::string_view body) {
      exchange->respond(200, "text/plain", "got[" + std::string(body) + "]");
    });
  };
  auto client = site.connect();
  ASSERT_TRUE(site.says(*client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
                        "got[body]"));
  ASSERT_TRUE(site.says(*client,
                        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
                        "got[abcdef]"));
  client->received.clear();
  ASSERT_TRUE(
      site.says(*client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "got[]"));
  client->received.clear();
  ASSERT_TRUE(site.says(*client, get("/"), "got[]"));
  // The body comes byte by byte.
  const std::string slow = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nxyz";
  for (const char c : slow) {
    client->send(std::string(1, c));
    site.loop.run_turn(Micros{});
  }
  ASSERT_TRUE(run_until(site.loop, [&] { return client->received.contains("got[xyz]"); }));
}

// The end of an empty body is told from the loop; the request behind it waits until then.
TEST(HttpServer, ARequestBehindAnEmptyBodyIsTheNextOne) {
  Site site;
  site.handler.answer = [&](ExchangePtr exchange) {
    if (exchange->method() == "GET") return exchange->respond(200, "text/plain", "next");
    HttpExchange& ref = *exchange;
    ref.read_body(100, [exchange = std::move(exchange)](std::string_view body) {
      exchange->respond(200, "text/plain", "got[" + std::string(body) + "]");
    });
  };
  auto client = site.connect();
  const std::string empty = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
  ASSERT_TRUE(site.says(*client, empty + empty + get("/"), "next"));
  EXPECT_EQ(count_of(client->received, "got[]"), 2u);
  EXPECT_EQ(count_of(client->received, "HTTP/1.1 200"), 3u);
  EXPECT_LT(client->received.find("got[]"), client->received.find("next"));
}

// The same when the handler was paused at the last piece.
TEST(HttpServer, ARequestBehindABodyThatWasPausedIsTheNextOne) {
  Site site;
  ExchangePtr held;
  int ends = 0;
  site.handler.answer = [&](ExchangePtr exchange) {
    if (exchange->method() == "GET") return exchange->respond(200, "text/plain", "next");
    held = std::move(exchange);
    held->stream_body(
        100, [&](std::string_view) { held->pause_body(); },
        [&] {
          ++ends;
          held->respond(200, "text/plain", "got");
        });
  };
  auto client = site.connect();
  client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + get("/"));
  ASSERT_TRUE(run_until(site.loop, [&] { return held != nullptr; }));
  run_for(site.loop, Micros::from_millis(20));
  EXPECT_EQ(ends, 0);
  held->resume_body();
  client->send(get("/"));
  ASSERT_TRUE(run_until(site.loop, [&] { return count_of(client->received, "next") == 2; }));
  EXPECT_EQ(ends, 1);
  EXPECT_LT(client->received.find("got"), client->received.find("next"));
}

TEST(HttpServer, RefusesLongBodiesWith413) {
  for (const std::string& request :
       {std::string("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n") +
            std::string(101, 'x'),
        std::string("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n") + "65\r\n" +
            std::string(101, 'x') + "\r\n0\r\n\r\n"}) {
    Site site;
    std::optional<Error> error;
    bool has_body = false;
    ExchangePtr held;
    site.handler.answer = [&](ExchangePtr exchange) {
      held = std::move(exchange);
      held->on_closed([&](const Error& reason) { error = reason; });
      held->read_body(100, [&](std::string_view) { has_body = true; });
    };
    auto client = site.connect();
    client->send(request);
    ASSERT_TRUE(site.is_closed(*client));
    EXPECT_TRUE(client->received.starts_with("HTTP/1.1 413")) << client->received;
    EXPECT_FALSE(has_body);
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code, ErrorCode::overloaded);
    EXPECT_FALSE(held->is_open());
    held->respond(200, "text/plain", "too late");  // does nothing
  }
}

TEST(HttpServer, AnswersExpectContinueWhenTheBodyIsWanted) {
  Site site;
  ExchangePtr held;
  site.handler.answer = [&](ExchangePtr exchange) { held = std::move(exchange); };
  auto client = site.connect();
  const std::string head =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  client->send(head);
  ASSERT_TRUE(run_until(site.loop, [&] { return held != nullptr; }));
  run_for(site.loop, Micros::from_millis(2));
  EXPECT_TRUE(client->received.empty());
  held->read_body(
      10, [&](std::string_view body) { held->respond(200, "text/plain", std::string(body)); });
  ASSERT_TRUE(
      run_until(site.loop, [&] { return client->received == "HTTP/1.1 100 Continue\r\n\r\n"; }));
  ASSERT_TRUE(site.says(*client, "ok", "\r\n\r\nok"));

  // Refused without being read: no "100 Continue", and the connection cannot go on.
  held.reset();
  client->received.clear();
  client->send(head);
  ASSERT_TRUE(run_until(site.loop, [&] { return held != nullptr; }));
  held->respond(403, "text/plain", "no");
  ASSERT_TRUE(site.is_closed(*client));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 403")) << client->received;
}

TEST(HttpServer, SkipsAShortBodyThatNobodyAskedFor) {
  Site site;
  auto client = site.connect();
  ASSERT_TRUE(site.says(*client,
                        "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" +
                            std::string(1000, 'x') + get("/next"),
                        "hello /next"));
  client->send("POST /long HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" +
               std::string(1'000'000, 'x'));
  ASSERT_TRUE(site.is_closed(*client));
  EXPECT_TRUE(client->received.contains("hello /long"));
}

TEST(HttpServer, Answers500WhenTheExchangeIsDropped) {
  Site site;
  site.handler.answer = [](ExchangePtr) {};
  auto client = site.connect();
  ASSERT_TRUE(site.says(*client, get("/"), "HTTP/1.1 500"));
}

TEST(HttpServer, StreamsAnAnswerWithBackpressure) {
  HttpServerOptions options;
  options.output_bytes_max = 256 << 10;
  Site site(options);
  const std::string whole = pattern(8 << 20);
  std::size_t written = 0;
  std::size_t queued_max = 0;
  int refusals = 0;
  ExchangePtr held;
  const auto go_on = [&] {
    while (written < whole.size()) {
      const std::string_view piece = std::string_view(whole).substr(written, 40'000);
      if (!held->write(piece)) {
        ++refusals;
        return;
      }
      written += piece.size();
      queued_max = std::max(queued_max, held->bytes_queued());
    }
    held->finish();
  };
  site.handler.answer = [&](ExchangePtr exchange) {
    held = std::move(exchange);
    held->start_stream(200, {{"Content-Type", "application/octet-stream"}});
    held->on_writable([&] { go_on(); });
    go_on();
  };
  auto client = site.connect();
  client->tcp->pause_reading();
  client->send(get("/"));
  ASSERT_TRUE(run_until(site.loop, [&] { return refusals > 0; }));
  run_for(site.loop, Micros::from_millis(10));
  client->tcp->resume_reading();
  ASSERT_TRUE(run_until(site.loop, [&] { return client->received.ends_with("0\r\n\r\n"); }));
  EXPECT_LE(queued_max, options.output_bytes_max);
  EXPECT_TRUE(client->received.contains("Transfer-Encoding: chunked\r\n"));
  // Put the chunks together again.
  std::string got;
  std::string_view rest = client->received;
  rest.remove_prefix(rest.find("\r\n\r\n") + 4);
  while (true) {
    const std::size_t size =
        std::stoul(std::string(rest.substr(0, rest.find("\r\n"))), nullptr, 16);
    rest.remove_prefix(rest.find("\r\n") + 2);
    if (size == 0) break;
    got += rest.substr(0, size);
    rest.remove_prefix(size + 2);
  }
  EXPECT_TRUE(got == whole);
  EXPECT_FALSE(held->is_open());
  client->received.clear();
  held.reset();
  ASSERT_TRUE(site.says(*client, get("/again"), "HTTP/1.1 200"));  // the connection goes on
}

TEST(HttpServer, StreamsToHttp10UntilTheEnd) {
  Site site;
  site.handler.answer = [&](ExchangePtr exchange) {
    exchange->start_stream(200, {});
    EXPECT_TRUE(exchange->write("plain"));
    EXPECT_TRUE(exchange->write(""));
    exchange->finish();
  };
  auto client = site.connect();
  client->send("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(site.is_closed(*client));
  EXPECT_TRUE(client->received.ends_with("\r\n\r\nplain")) << client->received;
}

TEST(HttpServer, TellsTheExchangeThatTheClientHasGone) {
  Site site;
  ExchangePtr held;
  std::optional<Error> error;
  site.handler.answer = [&](ExchangePtr exchange) {
    held = std::move(exchange);
    held->on_closed([&](const Error& reason) { error = reason; });
  };
  for (const bool is_streaming : {false, true}) {
    error.reset();
    auto client = site.connect();
    client->send(get("/"));
    ASSERT_TRUE(run_until(site.loop, [&] { return held != nullptr; }));
    if (is_streaming) held->start_stream(200, {});
    client->tcp->close();
    ASSERT_TRUE(run_until(site.loop, [&] { return error.has_value(); }));
    EXPECT_EQ(error->code, ErrorCode::unavailable);
    EXPECT_FALSE(held->is_open());
    EXPECT_FALSE(held->write("nobody"));
    held.reset();
  }
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server->connection_count() == 0; }));
}

TEST(HttpServer, BreaksAStreamOffWhenItsExchangeIsDestroyed) {
  Site site;
  ExchangePtr held;
  site.handler.answer = [&](ExchangePtr exchange) {
    held = std::move(exchange);
    held->start_stream(200, {});
    EXPECT_TRUE(held->write("begin"));
  };
  auto client = site.connect();
  ASSERT_TRUE(site.says(*client, get("/"), "begin"));
  held.reset();
  ASSERT_TRUE(site.is_closed(*client));
  EXPECT_FALSE(client->received.contains("0\r\n\r\n")) << "it must not look complete";
}

TEST(HttpServer, CleansHeadersOfItsHandler) {
  Site site;
  site.handler.answer = [](ExchangePtr exchange) {
    exchange->respond(
        200, {{"X-Evil", "a\r\nSet-Cookie: b"}, {"Bad Name", "x"}, {"Content-Length", "7"}}, "ok");
  };
  auto client = site.connect();
  ASSERT_TRUE(site.says(*client, get("/"), "\r\n\r\nok"));
  EXPECT_TRUE(client->received.contains("X-Evil: a  Set-Cookie: b\r\n"));
  EXPECT_FALSE(client->received.contains("Bad Name"));
  EXPECT_EQ(count_of(client->received, "Content-Length"), 1u);
}

TEST(HttpServer, WritesTheDateOfItsClock) {
  ManualClock clock(Timestamp::from_seconds(784'111'777));
  HttpServerOptions options;
  options.clock = &clock;
  Site site(options);
  auto client = site.connect();
  ASSERT_TRUE(site.says(*client, get("/"), "hello"));
  EXPECT_TRUE(client->received.contains("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"))
      << client->received;
}

TEST(HttpServer, LimitsConnections) {
  HttpServerOptions options;
  options.connections_max = 2;
  Site site(options);
  auto first = site.connect();
  auto second = site.connect();
  auto third = site.connect();
  ASSERT_TRUE(site.is_closed(*third));
  EXPECT_EQ(site.server->counts().connections_refused, 1u);
  EXPECT_EQ(site.server->connection_count(), 2u);
}

TEST(HttpServer, DrainsAfterTheRequestsInProgress) {
  Site site;
  ExchangePtr held;
  site.handler.answer = [&](ExchangePtr exchange) { held = std::move(exchange); };
  auto idle = site.connect();
  auto busy = site.connect();
  busy->send(get("/"));
  ASSERT_TRUE(run_until(site.loop, [&] { return held != nullptr; }));
  site.server->drain();
  ASSERT_TRUE(site.is_closed(*idle));
  EXPECT_FALSE(busy->is_closed);
  held->respond(200, "text/plain", "last words");
  ASSERT_TRUE(site.is_closed(*busy));
  EXPECT_TRUE(busy->received.ends_with("last words"));
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server->connection_count() == 0; }));
  EXPECT_EQ(RawPeer::connect(site.loop, site.server->address()), nullptr);
}

TEST(HttpServer, ServesConnectionsThatItIsHanded) {
  Site site;
  site.server = HttpServer::create(site.loop, {}, site.handler);
  const auto listener = TcpListener::open(
      site.loop, loopback_any_port(), {},
      [&](std::unique_ptr<Connection> tcp) { site.server->accept(std::move(tcp)); });
  ASSERT_TRUE(listener);
  const auto client = RawPeer::connect(site.loop, (*listener)->address());
  EXPECT_TRUE(site.says(*client, get("/a"), "hello /a"));
  EXPECT_EQ(site.server->connection_count(), 1u);
  site.server->drain();
  EXPECT_TRUE(site.is_closed(*client));
  ASSERT_TRUE(run_until(site.loop, [&] { return site.server->connection_count() == 0; }));
}

TEST(HttpServer, LeavesHeldExchangesHarmlessWhenDestroyed) {
  Site site;
  ExchangePtr held;
  site.handler.answer = [&](ExchangePtr exchange) { held = std::move(exchange); };
  auto client = site.connect();
  client->send(get("/"));
  ASSERT_TRUE(run_until(site.loop, [&] { return held != nullptr; }));
  site.server.reset();
  EXPECT_FALSE(held->is_open());
  held->respond(200, "text/plain", "nobody");
  EXPECT_EQ(held->target().path, "/") << "the request can still be read";
  ASSERT_TRUE(site.is_closed(*client));
}

TEST(HttpServer, AcceptsAnEmptyLineBeforeARequest) {
  Site site;
  auto client = site.connect();
  ASSERT_TRUE(site.says(*client, "\r\n\r\n" + get("/late"), "hello /late"));
}

}  // namespace
}  // namespace ficus::net
