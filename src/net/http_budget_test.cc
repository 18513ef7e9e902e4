#include "net/http_budget.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "net/loopback_testing.h"

namespace ficus::net {
namespace {

struct Bucket final : HttpBudget::Holder {
  std::size_t bytes_held() const override { return bytes; }
  void give_up() override {
    is_dropped = true;
    bytes = 0;
  }
  std::size_t bytes = 0;
  bool is_dropped = false;
};

TEST(HttpBudget, LetsInWhatFits) {
  HttpBudget budget(100);
  Bucket one;
  EXPECT_TRUE(budget.make_room(one, 100));
  EXPECT_FALSE(budget.make_room(one, 101));
  EXPECT_EQ(budget.refused_count(), 1u);
  one.bytes = 60;
  budget.note(one);
  EXPECT_EQ(budget.bytes_held(), 60u);
  EXPECT_TRUE(budget.make_room(one, 40));
  EXPECT_FALSE(budget.make_room(one, 41));
  EXPECT_FALSE(one.is_dropped);
  budget.forget(one);
  EXPECT_EQ(budget.bytes_held(), 0u);
}

TEST(HttpBudget, SeesWhatWasTakenMeanwhile) {
  HttpBudget budget(100);
  Bucket one;
  Bucket two;
  one.bytes = 90;
  budget.note(one);
  one.bytes = 10;
  EXPECT_TRUE(budget.make_room(two, 50));
  EXPECT_EQ(budget.bytes_held(), 10u);
  EXPECT_EQ(budget.dropped_count(), 0u);
}

TEST(HttpBudget, DropsWhoHoldsTheMost) {
  HttpBudget budget(100);
  Bucket small;
  Bucket large;
  Bucket asker;
  small.bytes = 30;
  large.bytes = 60;
  budget.note(small);
  budget.note(large);
  EXPECT_TRUE(budget.make_room(asker, 20));
  EXPECT_TRUE(large.is_dropped);
  EXPECT_FALSE(small.is_dropped);
  EXPECT_EQ(budget.dropped_count(), 1u);
  EXPECT_EQ(budget.bytes_held(), 30u);
}

TEST(HttpBudget, DropsNobodyForWhoWantsMore) {
  HttpBudget budget(100);
  Bucket small;
  Bucket asker;
  small.bytes = 30;
  asker.bytes = 40;
  budget.note(small);
  EXPECT_FALSE(budget.make_room(asker, 40));
  EXPECT_FALSE(small.is_dropped);
  EXPECT_EQ(budget.bytes_held(), 70u);
}

// Several clients that ask and do not read.
struct Crowd final : HttpHandler {
  explicit Crowd(std::size_t budget_bytes) {
    budget = std::make_shared<HttpBudget>(budget_bytes);
    HttpServerOptions options;
    options.budget = budget;
    server = *HttpServer::open(loop, loopback_any_port(), options, *this);
  }
  void on_request(std::unique_ptr<HttpExchange> exchange) override {
    if (exchange->method() == "POST") {
      bodies.push_back(std::move(exchange));
      bodies.back()->on_closed([this](const Error& why) { error = why; });
      bodies.back()->read_body(std::size_t{64} << 20, [](std::string_view) {});
      return;
    }
    exchange->respond(200, "text/plain", std::string(answer_bytes, 'x'));
    ++answered;
  }
  RawPeer& ask(bool reads) {
    clients.push_back(RawPeer::connect(loop, server->address()));
    RawPeer& client = *clients.back();
    if (!reads) client.tcp->pause_reading();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const int before = answered;
    run_until(loop, [&] { return answered > before; });
    run_for(loop, Micros::from_millis(20));
    return client;
  }

  EventLoop loop;
  std::size_t answer_bytes = std::size_t{32} << 20;
  int answered = 0;
  std::vector<std::unique_ptr<HttpExchange>> bodies;
  std::optional<Error> error;
  std::shared_ptr<HttpBudget> budget;
  std::unique_ptr<HttpServer> server;
  std::vector<std::unique_ptr<RawPeer>> clients;
};

TEST(HttpBudget, BoundsWhatSlowReadersLeave) {
  Crowd crowd(std::size_t{64} << 20);
  for (int i = 0; i < 8; ++i) {
    crowd.ask(false);
    EXPECT_LE(crowd.budget->bytes_held(), std::size_t{64} << 20);
  }
  EXPECT_GT(crowd.budget->dropped_count() + crowd.budget->refused_count(), 0u);
  // Who asks for less, and reads, is served.
  crowd.answer_bytes = std::size_t{1} << 20;
  RawPeer& reader = crowd.ask(true);
  ASSERT_TRUE(run_until(crowd.loop, [&] { return reader.received.size() > crowd.answer_bytes; }));
  EXPECT_TRUE(reader.received.starts_with("HTTP/1.1 200")) << reader.received.substr(0, 100);
  crowd.clients.clear();
  EXPECT_TRUE(run_until(crowd.loop, [&] { return crowd.budget->bytes_held() == 0; }));
}

TEST(HttpBudget, AnswersThatFindNoRoomAre503) {
  Crowd crowd(std::size_t{1} << 20);
  RawPeer& client = crowd.ask(true);
  ASSERT_TRUE(run_until(crowd.loop, [&] { return client.received.contains("try again"); }));
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 503")) << client.received;
  EXPECT_TRUE(client.received.contains("Retry-After: 1"));
  EXPECT_FALSE(client.is_closed);  // the next request may be a short one
  EXPECT_EQ(crowd.budget->refused_count(), 1u);
}

TEST(HttpBudget, CountsBodiesThatAreCollected) {
  Crowd crowd(std::size_t{1} << 20);
  auto client = RawPeer::connect(crowd.loop, crowd.server->address());
  client->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" +
               std::string(2'900'000, 'x'));
  ASSERT_TRUE(run_until(crowd.loop, [&] { return crowd.error.has_value(); }));
  EXPECT_EQ(crowd.error->code, ErrorCode::overloaded);
  ASSERT_TRUE(run_until(crowd.loop, [&] { return client->is_closed || client->has_ended; }));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 503")) << client->received;
  EXPECT_TRUE(run_until(crowd.loop, [&] { return crowd.budget->bytes_held() == 0; }));
}

}  // namespace
}  // namespace ficus::net
