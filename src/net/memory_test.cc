// What a connection costs that has nothing to say.
#include <gtest/gtest.h>
#include <malloc.h>

#include <memory>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "net/loopback_testing.h"
#include "net/tls_testing.h"

namespace ficus::net {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
constexpr bool kIsSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kIsSanitized = false;
#endif

constexpr std::size_t kConnections = 300;

std::size_t heap_bytes() { return ::mallinfo2().uordblks; }

TEST(Memory, AnIdleTcpConnectionIsSmall) {
  if (kIsSanitized) GTEST_SKIP() << "the sanitizer has its own heap";
  EventLoop loop;
  std::vector<std::unique_ptr<RawPeer>> servers;
  servers.reserve(kConnections);
  auto listener = TcpListener::open(loop, loopback_any_port(), {}, [&](auto tcp) {
    servers.push_back(std::make_unique<RawPeer>());
    servers.back()->take(std::move(tcp));
  });
  std::vector<std::unique_ptr<RawPeer>> clients;
  clients.reserve(kConnections);
  const std::size_t before = heap_bytes();
  for (std::size_t i = 0; i < kConnections; ++i) {
    clients.push_back(RawPeer::connect(loop, (*listener)->address()));
    ASSERT_NE(clients.back(), nullptr);
    clients.back()->send("hello");  // a connection that has worked, not only one that was accepted
  }
  ASSERT_TRUE(run_until(
      loop, [&] { return servers.size() == kConnections && servers.back()->received == "hello"; }));
  // Both ends are ours; a RawPeer's own strings are in it too.
  const std::size_t each = (heap_bytes() - before) / (2 * kConnections);
  RecordProperty("bytes_per_connection", static_cast<int>(each));
  EXPECT_LT(each, 2048u);
}

TEST(Memory, AnIdleTlsConnectionGivesItsBuffersBack) {
  if (kIsSanitized) GTEST_SKIP() << "the sanitizer has its own heap";
  const TestAuthority authority;
  TlsHouse house({.identity = authority.issue({})});
  const auto trust = TlsHouse::trusting(authority.pem());
  std::vector<std::unique_ptr<RawPeer>> clients;
  clients.reserve(kConnections);
  house.servers.reserve(kConnections);
  const std::size_t before = heap_bytes();
  for (std::size_t i = 0; i < kConnections; ++i) {
    clients.push_back(house.connect(trust));
    ASSERT_NE(clients.back(), nullptr);
    clients.back()->send("hello");
    ASSERT_TRUE(run_until(house.loop, [&] {
      return house.servers.size() == i + 1 && house.servers.back()->received == "hello";
    }));
  }
  const std::size_t both = (heap_bytes() - before) / kConnections;
  for (const auto& server : house.servers) server->tcp->pause_reading();  // they notice nothing
  clients.clear();
  run_for(house.loop, Micros::from_millis(100));
  const std::size_t server = (heap_bytes() - before) / kConnections;
  RecordProperty("bytes_per_connection_and_client", static_cast<int>(both));
  RecordProperty("bytes_per_connection", static_cast<int>(server));
  EXPECT_LT(server, 20'000u);
}

TEST(Memory, AnIdleHttpConnectionIsSmall) {
  if (kIsSanitized) GTEST_SKIP() << "the sanitizer has its own heap";
  struct Hello final : HttpHandler {
    void on_request(std::unique_ptr<HttpExchange> exchange) override {
      exchange->respond(200, "text/plain", "hello");
    }
  } handler;
  EventLoop loop;
  auto server = *HttpServer::open(loop, loopback_any_port(), {}, handler);
  std::vector<std::unique_ptr<RawPeer>> clients;
  clients.reserve(kConnections);
  const std::size_t before = heap_bytes();
  for (std::size_t i = 0; i < kConnections; ++i) {
    clients.push_back(RawPeer::connect(loop, server->address()));
    ASSERT_NE(clients.back(), nullptr);
    clients.back()->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(run_until(loop, [&] { return clients.back()->received.ends_with("hello"); }));
    std::string().swap(clients.back()->received);
  }
  const std::size_t both = (heap_bytes() - before) / kConnections;  // the client's end included
  RecordProperty("bytes_per_connection_and_client", static_cast<int>(both));
  EXPECT_LT(both, 3072u);
}

}  // namespace
}  // namespace ficus::net
