#include "net/http_client.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "net/loopback_testing.h"

namespace ficus::net {
namespace {

using ExchangePtr = std::unique_ptr<HttpExchange>;

// Echoes method, path and body; or whatever the test puts in.
struct Site final : HttpHandler {
  explicit Site(HttpClientOptions options = {}, const HttpServerOptions& server_options = {}) {
    server = *HttpServer::open(loop, loopback_any_port(), server_options, *this);
    client = std::make_unique<HttpClient>(loop, server->address().text(), options);
  }
  void on_request(ExchangePtr exchange) override { answer(std::move(exchange)); }

  static void echo(ExchangePtr exchange) {
    HttpExchange& ref = *exchange;
    ref.read_body(10 << 20, [exchange = std::move(exchange)](std::string_view body) {
      const std::string text =
          std::string(exchange->method()) + " " + exchange->target().path + " ";
      exchange->respond(200, {{"X-Host", exchange->header("Host")}}, text + std::string(body));
    });
  }

  // Asks and waits.
  Result<HttpResponse> ask(HttpRequest request) {
    std::optional<Result<HttpResponse>> got;
    client->request(std::move(request),
                    [&](Result<HttpResponse> result) { got = std::move(result); });
    EXPECT_FALSE(got) << "never inside the call";
    if (!run_until(loop, [&] { return got.has_value(); })) return fail(ErrorCode::internal, "test");
    return *std::move(got);
  }

  EventLoop loop;
  std::move_only_function<void(ExchangePtr)> answer = echo;
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<HttpClient> client;
};

TEST(HttpClient, AsksAndKeepsTheConnection) {
  Site site;
  const auto got = site.ask({.target = "/a"});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "GET /a ");
  EXPECT_EQ(got->headers.find("x-host"), site.server->address().text());
  EXPECT_EQ(site.ask({.method = "POST", .target = "/b", .body = "text"})->body, "POST /b text");
  EXPECT_EQ(site.ask({.method = "POST", .target = "/c"})->body, "POST /c ");
  EXPECT_EQ(site.ask({.method = "HEAD", .target = "/d"})->body, "");
  EXPECT_EQ(site.ask({.method = "DELETE", .target = "/e"})->body, "DELETE /e ");
  EXPECT_EQ(site.server->counts().connections_accepted, 1u);
}

TEST(HttpClient, RunsManyOverFewConnections) {
  Site site({.connections_max = 3});
  int done = 0;
  for (int i = 0; i < 200; ++i) {
    site.client->request({.target = "/" + std::to_string(i)}, [&, i](Result<HttpResponse> got) {
      ASSERT_TRUE(got) << got.error().message;
      EXPECT_EQ(got->body, "GET /" + std::to_string(i) + " ");
      ++done;
    });
  }
  EXPECT_EQ(site.client->pending_count(), 200u);
  ASSERT_TRUE(run_until(site.loop, [&] { return done == 200; }));
  EXPECT_EQ(site.server->counts().connections_accepted, 3u);
  EXPECT_EQ(site.client->pending_count(), 0u);
}

TEST(HttpClient, BoundsWhatWaits) {
  Site site({.waiting_max = 2});
  std::vector<ErrorCode> errors;
  for (int i = 0; i < 3; ++i) {
    site.client->request({}, [&](Result<HttpResponse> got) {
      if (!got) errors.push_back(got.error().code);
    });
  }
  ASSERT_TRUE(
      run_until(site.loop, [&] { return site.client->pending_count() == 0 && !errors.empty(); }));
  EXPECT_EQ(errors, std::vector{ErrorCode::overloaded});
}

TEST(HttpClient, StreamsAnUploadOf50MegabytesInBoundedMemory) {
  Site site;
  constexpr std::size_t kBytes = std::size_t{50} << 20;
  std::size_t received = 0;
  std::size_t sent = 0;
  std::size_t in_flight_max = 0;
  int pauses = 0;
  bool in_order = true;
  const std::string block = pattern(1 << 16);
  Timer resume(site.loop);
  site.answer = [&](ExchangePtr exchange) {
    HttpExchange* const ref = exchange.get();
    ref->stream_body(
        UINT64_MAX,
        [&, ref](std::string_view piece) {
          for (const std::size_t at : {std::size_t{0}, piece.size() - 1}) {
            in_order = in_order && piece[at] == block[(received + at) % block.size()];
          }
          received += piece.size();
          in_flight_max = std::max(in_flight_max, sent - received);
          if (pauses * (kBytes / 20) < received) {  // a busy disk, twenty times
            ++pauses;
            ref->pause_body();
            resume.start_once(Micros::from_millis(5), [ref] { ref->resume_body(); });
          }
        },
        [&, exchange = std::move(exchange)] {
          exchange->respond(200, "text/plain", std::to_string(exchange->body_bytes()));
        });
  };
  HttpRequest request{.method = "POST", .target = "/ingest"};
  request.body_source = [&](std::string& out) {
    out = block;
    sent += block.size();
    return sent < kBytes;
  };
  const auto got = site.ask(std::move(request));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body, std::to_string(kBytes));
  EXPECT_TRUE(in_order);
  EXPECT_GE(pauses, 20);
  // The client's queue, two socket buffers and one read: far from the whole.
  EXPECT_LT(in_flight_max, std::size_t{20} << 20);
}

TEST(HttpClient, StreamsABodyOfKnownLengthToo) {
  Site site;
  std::size_t received = 0;
  site.answer = [&](ExchangePtr exchange) {
    HttpExchange& ref = *exchange;
    ref.stream_body(
        UINT64_MAX, [&](std::string_view piece) { received += piece.size(); },
        [exchange = std::move(exchange)] { exchange->respond(204, "text/plain", ""); });
  };
  const auto got = site.ask({.method = "PUT", .body = std::string(20 << 20, 'x')});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 204);
  EXPECT_EQ(received, std::size_t{20} << 20);
}

TEST(HttpClient, ReceivesAStreamPieceByPiece) {
  Site site;
  ExchangePtr events;
  site.answer = [&](ExchangePtr exchange) {
    events = std::move(exchange);
    events->start_stream(200, {{"Content-Type", "text/event-stream"}});
  };
  std::string text;
  int status = 0;
  HttpRequest request;
  request.on_header = [&](int code, const HttpHeaders& headers) {
    status = code;
    EXPECT_EQ(headers.find("content-type"), "text/event-stream");
  };
  request.on_body_piece = [&](std::string_view piece) {
    text += piece;
    return !text.contains("stop");
  };
  std::optional<Result<HttpResponse>> got;
  site.client->request(std::move(request), [&](auto result) { got = std::move(result); });
  ASSERT_TRUE(run_until(site.loop, [&] { return status == 200; }));
  ASSERT_TRUE(events->write("data: 1\n\n"));
  ASSERT_TRUE(run_until(site.loop, [&] { return text == "data: 1\n\n"; }));
  ASSERT_TRUE(events->write("data: stop\n\n"));
  ASSERT_TRUE(run_until(site.loop, [&] { return got.has_value(); }));
  EXPECT_FALSE(*got);
  ASSERT_TRUE(run_until(site.loop, [&] { return !events->is_open(); }));
}

TEST(HttpClient, TimesOut) {
  Site site({.request_timeout = Micros::from_millis(30)});
  ExchangePtr held;
  site.answer = [&](ExchangePtr exchange) { held = std::move(exchange); };
  const auto got = site.ask({});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::timed_out);
  ASSERT_TRUE(run_until(site.loop, [&] { return !held->is_open(); }));
  site.answer = Site::echo;
  EXPECT_TRUE(site.ask({})) << "the next request gets a new connection";
}

TEST(HttpClient, BoundsTheAnswer) {
  Site site({.response_bytes_max = 1000});
  site.answer = [](ExchangePtr exchange) {
    exchange->respond(200, "text/plain", std::string(1001, 'x'));
  };
  const auto got = site.ask({});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::overloaded);
}

TEST(HttpClient, ReportsThatNobodyListens) {
  Site site;
  site.server.reset();
  const auto got = site.ask({});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::unavailable);
}

// A server that says what the test wants, byte for byte.
struct RawServer {
  RawServer() {
    listener = *TcpListener::open(loop, loopback_any_port(), {}, [this](auto tcp) {
      peers.push_back(std::make_unique<RawPeer>());
      peers.back()->take(std::move(tcp));
    });
    client = std::make_unique<HttpClient>(loop, listener->address().text(), HttpClientOptions{});
  }
  void ask(std::string method = "GET") {
    got.reset();
    client->request({.method = std::move(method)},
                    [this](auto result) { got = std::move(result); });
  }
  // Waits until the peer has a request, forgets it and answers.
  bool answer(std::size_t peer, std::string_view text) {
    if (!run_until(loop, [&] {
          return peers.size() > peer && peers[peer]->received.contains("\r\n\r\n");
        })) {
      return false;
    }
    peers[peer]->received.clear();
    if (!text.empty()) peers[peer]->send(text);
    return true;
  }
  bool is_done() {
    return run_until(loop, [this] { return got.has_value(); });
  }

  EventLoop loop;
  std::unique_ptr<TcpListener> listener;
  std::vector<std::unique_ptr<RawPeer>> peers;
  std::unique_ptr<HttpClient> client;
  std::optional<Result<HttpResponse>> got;
};

TEST(HttpClient, SkipsInterimAnswersAndReadsUntilTheEnd) {
  RawServer server;
  server.ask();
  ASSERT_TRUE(server.answer(0,
                            "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
                            "HTTP/1.1 200 OK\r\n\r\nuntil the end"));
  run_for(server.loop, Micros::from_millis(2));
  EXPECT_FALSE(server.got);
  server.peers[0]->tcp->close();
  ASSERT_TRUE(server.is_done());
  ASSERT_TRUE(*server.got) << server.got->error().message;
  EXPECT_EQ((*server.got)->body, "until the end");
}

TEST(HttpClient, RefusesWhatIsNoHttpOrCutOff) {
  const std::pair<const char*, ErrorCode> cases[] = {
      {"SSH-2.0-OpenSSH\r\n\r\n", ErrorCode::invalid_input},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
       ErrorCode::invalid_input},
      {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", ErrorCode::unavailable},
      {"HTTP/1.1 200 OK\r\nContent-", ErrorCode::unavailable},
      {"", ErrorCode::unavailable},
  };
  for (const auto& [text, code] : cases) {
    RawServer server;
    server.ask();
    ASSERT_TRUE(server.answer(0, text));
    server.peers[0]->tcp->close();
    ASSERT_TRUE(server.is_done());
    ASSERT_FALSE(*server.got) << text;
    EXPECT_EQ(server.got->error().code, code) << text;
  }
}

TEST(HttpClient, SendsOnceMoreWhatAClosingServerNeverSaw) {
  constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  RawServer server;
  server.ask();
  ASSERT_TRUE(server.answer(0, kOk));
  ASSERT_TRUE(server.is_done());
  server.ask();  // on the kept connection
  ASSERT_TRUE(server.answer(0, ""));
  server.peers[0]->tcp->abort();
  ASSERT_TRUE(server.answer(1, kOk));
  ASSERT_TRUE(server.is_done());
  EXPECT_TRUE(*server.got);

  server.ask("POST");  // may have been done already: not sent twice
  ASSERT_TRUE(server.answer(1, ""));
  server.peers[1]->tcp->abort();
  ASSERT_TRUE(server.is_done());
  ASSERT_FALSE(*server.got);
  EXPECT_EQ(server.got->error().code, ErrorCode::unavailable);
}

TEST(HttpClient, MayBeDestroyedInItsCallbacks) {
  for (const int where : {0, 1, 2}) {
    Site site;
    bool is_done = false;
    const auto kill = [&] {
      site.client.reset();
      is_done = true;
    };
    HttpRequest request{.body = "x"};
    if (where == 1) request.on_header = [&](int, const HttpHeaders&) { kill(); };
    if (where == 2) {
      request.on_body_piece = [&](std::string_view) {
        kill();
        return true;
      };
    }
    site.client->request(std::move(request), [&](auto) { kill(); });
    ASSERT_TRUE(run_until(site.loop, [&] { return is_done; }));
    run_for(site.loop, Micros::from_millis(2));
  }
}

}  // namespace
}  // namespace ficus::net
