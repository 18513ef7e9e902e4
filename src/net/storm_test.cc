// Clients in masses and clients of ill will: the loop goes on serving the others.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/loopback_testing.h"

namespace ficus::net {
namespace {

struct Hello final : HttpHandler {
  void on_request(std::unique_ptr<HttpExchange> exchange) override {
    exchange->respond(200, "text/plain", "hello");
  }
};

// Both ends of every connection are this process's.
void need_descriptors(rlim_t count) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_cur >= count) return;
  limit.rlim_cur = std::min(count, limit.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_cur < count) GTEST_SKIP() << "only " << limit.rlim_cur << " file descriptors";
}

TEST(Storm, TenThousandConnectsAreAllTakenAndLeaveNothing) {
  need_descriptors(4096);
  EventLoop loop;
  std::size_t greeted = 0;
  std::vector<std::unique_ptr<RawPeer>> servers;
  auto listener = *TcpListener::open(loop, loopback_any_port(), {}, [&](auto tcp) {
    servers.push_back(std::make_unique<RawPeer>());
    servers.back()->take(std::move(tcp));
    servers.back()->send("welcome");
  });
  constexpr std::size_t kWaves = 10;
  constexpr std::size_t kPerWave = 1000;
  for (std::size_t wave = 0; wave < kWaves; ++wave) {
    std::vector<std::unique_ptr<TcpConnector>> connectors;
    std::vector<std::unique_ptr<RawPeer>> clients;
    for (std::size_t i = 0; i < kPerWave; ++i) {
      connectors.push_back(std::make_unique<TcpConnector>(
          loop, listener->address().text(), TcpConnectOptions{}, [&](auto result) {
            ASSERT_TRUE(result) << result.error().message;
            clients.push_back(std::make_unique<RawPeer>());
            clients.back()->take(*std::move(result));
          }));
    }
    ASSERT_TRUE(run_until(
        loop, [&] { return clients.size() == kPerWave && clients.back()->received == "welcome"; }));
    ASSERT_TRUE(run_until(loop, [&] {
      std::size_t count = 0;
      for (const auto& client : clients) count += client->received == "welcome" ? 1 : 0;
      return count == kPerWave;
    }));
    greeted += kPerWave;
    clients.clear();
    ASSERT_TRUE(run_until(loop, [&] { return listener->connection_count() == 0; }));
    servers.clear();
  }
  EXPECT_EQ(greeted, kWaves * kPerWave);
  EXPECT_EQ(listener->accepted_count(), kWaves * kPerWave);
  EXPECT_EQ(listener->refused_count(), 0u);
}

TEST(Storm, HeadersByteByByteFromHundredsDoNotHoldUpTheOthers) {
  need_descriptors(2048);
  Hello hello;
  EventLoop loop;
  HttpServerOptions options;
  options.header_timeout = Micros::from_millis(800);
  const auto server = *HttpServer::open(loop, loopback_any_port(), options, hello);
  constexpr std::size_t kSlow = 300;
  std::vector<std::unique_ptr<RawPeer>> slow;
  for (std::size_t i = 0; i < kSlow; ++i) {
    slow.push_back(RawPeer::connect(loop, server->address()));
    ASSERT_NE(slow.back(), nullptr);
  }
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " + std::string(2000, 'a');
  std::size_t at = 0;
  Timer drip(loop);
  drip.start_repeating(Micros::from_millis(10), [&] {
    for (const auto& peer : slow) {
      if (peer->tcp->is_open()) peer->send(head.substr(at, 1));
    }
    ++at;
  });
  HttpClient friendly(loop, server->address().text(), {});
  std::size_t answers = 0;
  std::optional<Result<HttpResponse>> answer;
  const auto ask = [&] {
    answer.reset();
    friendly.request({}, [&](auto response) { answer = std::move(response); });
  };
  ask();
  ASSERT_TRUE(run_until(loop, [&] {
    if (answer) {
      answers += *answer && (*answer)->status == 200 ? 1 : 0;
      ask();
    }
    return server->counts().timeouts == kSlow;
  }));
  EXPECT_GT(answers, 100u);
  ASSERT_TRUE(run_until(loop, [&] {
    for (const auto& peer : slow) {
      if (!peer->is_closed && !peer->has_ended) return false;
    }
    return true;
  }));
  for (const auto& peer : slow) EXPECT_TRUE(peer->received.starts_with("HTTP/1.1 408"));
}

TEST(Storm, APatientHeaderByteByByteIsAnswered) {
  Hello hello;
  EventLoop loop;
  const auto server = *HttpServer::open(loop, loopback_any_port(), {}, hello);
  const auto peer = RawPeer::connect(loop, server->address());
  for (const char c : std::string_view("GET /a?b=c HTTP/1.1\r\nHost: x\r\nX: y\r\n\r\n")) {
    peer->send(std::string(1, c));
    loop.run_turn(Micros::from_millis(2));
  }
  EXPECT_TRUE(run_until(loop, [&] { return peer->received.ends_with("hello"); }));
}

TEST(Storm, HugeHeadersAre431AndTakeNoMemory) {
  Hello hello;
  EventLoop loop;
  const auto server = *HttpServer::open(loop, loopback_any_port(), {}, hello);
  const std::string field = "X-Huge: " + std::string(std::size_t{64} << 20, 'a');
  std::string fields;
  for (int i = 0; i < 200'000; ++i) fields += "A: b\r\n";
  const std::vector<std::string> heads{
      "GET /" + std::string(std::size_t{1} << 20, 'a') + " HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\n" + field, "GET / HTTP/1.1\r\nHost: x\r\n" + fields,
      std::string(std::size_t{2} << 20, 'G')};
  for (const std::string& head : heads) {
    const auto peer = RawPeer::connect(loop, server->address());
    peer->send(head);
    ASSERT_TRUE(run_until(loop, [&] { return peer->is_closed || peer->has_ended; }));
    EXPECT_EQ(peer->received.substr(0, 10), "HTTP/1.1 4") << peer->received.substr(0, 60);
    ASSERT_TRUE(run_until(loop, [&] { return server->connection_count() == 0; }));
  }
  EXPECT_EQ(server->counts().requests, 0u);
  EXPECT_EQ(server->counts().requests_malformed, heads.size());
}

TEST(Storm, BeyondTheLimitOfConnectionsOldOnesAreServedOn) {
  Hello hello;
  EventLoop loop;
  HttpServerOptions options;
  options.connections_max = 20;
  std::size_t told = 0;
  options.on_refused = [&](const Address&, const Error& why) {
    EXPECT_TRUE(why.message.contains("20 connections")) << why.message;
    ++told;
  };
  const auto server = *HttpServer::open(loop, loopback_any_port(), options, hello);
  HttpClient friendly(loop, server->address().text(), {});
  const auto asks = [&] {
    std::optional<Result<HttpResponse>> answer;
    friendly.request({}, [&](auto response) { answer = std::move(response); });
    return run_until(loop, [&] { return answer.has_value(); }) && answer->has_value();
  };
  ASSERT_TRUE(asks());
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 200; ++i) peers.push_back(RawPeer::connect(loop, server->address()));
  ASSERT_TRUE(run_until(loop, [&] { return server->counts().connections_refused == 181; }));
  EXPECT_EQ(told, 181u);
  EXPECT_TRUE(asks());  // on its kept connection
  EXPECT_EQ(server->counts().connections_accepted, 20u);
}

}  // namespace
}  // namespace ficus::net
