#include "net/tcp.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/loopback_testing.h"

namespace ficus::net {
namespace {

// Sends back what it receives and reads no further while its own output is congested.
class EchoHandler final : public ConnectionHandler {
 public:
  explicit EchoHandler(std::unique_ptr<TcpConnection> connection) : tcp(std::move(connection)) {
    tcp->start(*this);
  }
  std::size_t on_bytes(std::span<const std::byte> bytes) override {
    queued_max = std::max(queued_max, tcp->bytes_queued());
    if (!tcp->send(bytes)) {
      tcp->pause_reading();
      ++pauses;
      return 0;
    }
    return bytes.size();
  }
  void on_writable() override { tcp->resume_reading(); }
  void on_closed(const Error&) override { is_closed = true; }

  std::unique_ptr<TcpConnection> tcp;
  std::size_t queued_max = 0;
  int pauses = 0;
  bool is_closed = false;
};

// A listener whose first accepted connection is given to a RawPeer, and a client connected to it.
struct Pair {
  explicit Pair(EventLoop& loop, const TcpListenOptions& options = {},
                const char* address = "127.0.0.1:0") {
    auto opened = TcpListener::open(loop, *Address::parse(address), options,
                                    [this](auto tcp) { server.take(std::move(tcp)); });
    EXPECT_TRUE(opened);
    listener = *std::move(opened);
    client = RawPeer::connect(loop, listener->address());
    EXPECT_TRUE(run_until(loop, [this] { return server.tcp != nullptr; }));
  }
  std::unique_ptr<TcpListener> listener;
  RawPeer server;
  std::unique_ptr<RawPeer> client;
};

TEST(Tcp, EchoesLargeDataUnderBackpressure) {
  EventLoop loop;
  TcpListenOptions options;
  options.connection.output_bytes_max = 512 << 10;
  std::vector<std::unique_ptr<EchoHandler>> echoes;
  auto listener = TcpListener::open(loop, loopback_any_port(), options, [&](auto tcp) {
    echoes.push_back(std::make_unique<EchoHandler>(std::move(tcp)));
  });
  ASSERT_TRUE(listener);
  auto client = RawPeer::connect(loop, (*listener)->address());
  ASSERT_NE(client, nullptr);
  const std::string sent = pattern(24 << 20);
  client->tcp->pause_reading();  // the echo's output fills up first
  client->send(sent);
  ASSERT_TRUE(run_until(loop, [&] { return !echoes.empty() && echoes[0]->pauses > 0; }));
  client->tcp->resume_reading();
  ASSERT_TRUE(run_until(loop, [&] { return client->received.size() == sent.size(); }));
  EXPECT_TRUE(client->received == sent);
  EXPECT_LE(echoes[0]->queued_max, std::size_t{512 << 10});
  EXPECT_EQ(echoes[0]->tcp->bytes_received(), sent.size());
  EXPECT_EQ(echoes[0]->tcp->bytes_sent(), sent.size());
}

TEST(Tcp, ServesIpv6AndEveryInterface) {
  EventLoop loop;
  {
    auto probe = TcpListener::open(loop, *Address::parse("[::1]:0"), {}, [](auto) {});
    if (!probe) GTEST_SKIP() << "no IPv6 on this machine: " << probe.error().message;
  }
  Pair v6(loop, {}, "[::1]:0");
  v6.client->send("six");
  ASSERT_TRUE(run_until(loop, [&] { return v6.server.received == "six"; }));
  EXPECT_EQ(v6.server.tcp->peer().family, AddressFamily::v6);

  Pair any(loop, {}, ":0");  // connects to "[::]:port"
  auto v4 = RawPeer::connect(
      loop, *Address::parse("127.0.0.1:" + std::to_string(any.listener->address().port)));
  ASSERT_NE(v4, nullptr);
  ASSERT_TRUE(run_until(loop, [&] { return any.listener->accepted_count() == 2; }));
  EXPECT_EQ(any.server.tcp->peer().family, AddressFamily::v4) << "mapped addresses are undone";
}

TEST(Tcp, ResolvesNames) {
  EventLoop loop;
  Pair pair(loop);
  Result<std::unique_ptr<TcpConnection>> got = invalid("nothing yet");
  TcpConnector connector(loop, "localhost:" + std::to_string(pair.listener->address().port), {},
                         [&](auto result) { got = std::move(result); });
  ASSERT_TRUE(run_until(
      loop, [&] { return got.has_value() || got.error().code != ErrorCode::invalid_input; }));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ((*got)->peer().port, pair.listener->address().port);
}

TEST(Tcp, ReportsFailedConnects) {
  EventLoop loop;
  std::uint16_t free_port = 0;
  {
    auto listener = TcpListener::open(loop, loopback_any_port(), {}, [](auto) {});
    free_port = (*listener)->address().port;
  }
  const std::pair<std::string, ErrorCode> cases[] = {
      {"127.0.0.1:" + std::to_string(free_port), ErrorCode::unavailable},
      {"no-such-host.invalid:80", ErrorCode::unavailable},
      {"nonsense", ErrorCode::invalid_input},
  };
  for (const auto& [target, code] : cases) {
    std::optional<Error> error;
    TcpConnector connector(loop, target, {}, [&](auto result) {
      ASSERT_FALSE(result);
      error = result.error();
    });
    EXPECT_FALSE(error) << "never inside the constructor";
    ASSERT_TRUE(run_until(loop, [&] { return error.has_value(); })) << target;
    EXPECT_EQ(error->code, code) << error->message;
    EXPECT_NE(error->message.find(target), std::string::npos) << error->message;
  }
}

TEST(Tcp, ConnectTimesOutWhereNobodyAccepts) {
  EventLoop loop;
  // A backlog that is full: the kernel answers no further connection request.
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&target), sizeof target), 0);
  ASSERT_EQ(::listen(fd, 0), 0);
  socklen_t size = sizeof target;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&target), &size);
  const std::string where = "127.0.0.1:" + std::to_string(ntohs(target.sin_port));
  std::vector<std::unique_ptr<TcpConnector>> connectors;
  int timeouts = 0;
  int done = 0;
  for (int i = 0; i < 4; ++i) {
    connectors.push_back(std::make_unique<TcpConnector>(
        loop, where, TcpConnectOptions{.connection = {}, .timeout = Micros::from_millis(60)},
        [&](auto result) {
          ++done;
          if (!result && result.error().code == ErrorCode::timed_out) ++timeouts;
        }));
  }
  ASSERT_TRUE(run_until(loop, [&] { return done == 4; }));
  EXPECT_GT(timeouts, 0);
  ::close(fd);
}

TEST(Tcp, CancelsAConnectThatIsUnderWay) {
  EventLoop loop;
  Pair pair(loop);
  bool was_called = false;
  {
    TcpConnector connector(loop, pair.listener->address().text(), {},
                           [&](auto) { was_called = true; });
    loop.run_turn(Micros{});
  }
  run_for(loop, Micros::from_millis(5));
  EXPECT_FALSE(was_called);
}

TEST(Tcp, KeepsUnconsumedBytesAndShowsThemAgain) {
  EventLoop loop;
  struct Lines final : ConnectionHandler {
    std::size_t on_bytes(std::span<const std::byte> bytes) override {
      const std::string_view text = text_of(bytes);
      const std::size_t end = text.rfind('\n');
      ++calls;
      if (end == std::string_view::npos) return 0;
      whole += text.substr(0, end + 1);
      return end + 1;
    }
    void on_closed(const Error& reason) override { error = reason; }
    std::string whole;
    std::optional<Error> error;
    int calls = 0;
  } lines;
  std::unique_ptr<TcpConnection> server;
  TcpListenOptions options;
  options.connection.input_bytes_max = 300'000;
  auto listener = TcpListener::open(loop, loopback_any_port(), options, [&](auto tcp) {
    server = std::move(tcp);
    server->start(lines);
  });
  auto client = RawPeer::connect(loop, (*listener)->address());
  std::string sent;
  for (std::size_t size : {1u, 20u, 5000u, 16383u, 16384u, 16385u, 200'000u, 3u, 250'000u}) {
    std::string line = pattern(size);
    std::replace(line.begin(), line.end(), '\n', '?');
    sent += line + "\n";
  }
  for (std::size_t i = 0; i < sent.size(); i += 7001) {
    client->send(std::string_view(sent).substr(i, 7001));
    loop.run_turn(Micros{});
  }
  ASSERT_TRUE(run_until(loop, [&] { return lines.whole.size() == sent.size(); }));
  EXPECT_TRUE(lines.whole == sent);

  client->send(std::string(1 << 20, 'x'));  // a line without end
  ASSERT_TRUE(run_until(loop, [&] { return lines.error.has_value(); }));
  EXPECT_EQ(lines.error->code, ErrorCode::overloaded);
  ASSERT_TRUE(run_until(loop, [&] { return client->is_closed; }));
}

TEST(Tcp, PausesReadingAndResumesWithWhatWasKept) {
  EventLoop loop;
  struct OneAtATime final : ConnectionHandler {
    std::size_t on_bytes(std::span<const std::byte> bytes) override {
      seen += text_of(bytes.first(1));
      tcp->pause_reading();
      return 1;
    }
    void on_closed(const Error&) override {}
    std::unique_ptr<TcpConnection> tcp;
    std::string seen;
  } handler;
  auto listener = TcpListener::open(loop, loopback_any_port(), {}, [&](auto tcp) {
    handler.tcp = std::move(tcp);
    handler.tcp->start(handler);
  });
  auto client = RawPeer::connect(loop, (*listener)->address());
  client->send("abcdef");
  ASSERT_TRUE(run_until(loop, [&] { return handler.seen == "a"; }));
  run_for(loop, Micros::from_millis(3));
  EXPECT_EQ(handler.seen, "a");
  for (const char* expected : {"ab", "abc", "abcd", "abcde", "abcdef"}) {
    handler.tcp->resume_reading();
    ASSERT_TRUE(run_until(loop, [&] { return handler.seen == expected; }));
  }
  handler.tcp->resume_reading();
  client->send("g");
  ASSERT_TRUE(run_until(loop, [&] { return handler.seen == "abcdefg"; }));
}

TEST(Tcp, RefusesOutputBeyondTheLimitAndSaysWhenThereIsRoom) {
  EventLoop loop;
  TcpListenOptions options;
  options.connection.output_bytes_max = 100'000;
  Pair pair(loop, options);
  pair.client->tcp->pause_reading();
  const std::string block(10'000, 'b');
  std::size_t taken = 0;
  // The kernel takes some megabytes before the queue stays full.
  for (int i = 0; i < 10'000; ++i) {
    if (!pair.server.tcp->send(block)) {
      const std::uint64_t before = pair.server.tcp->bytes_sent();
      run_for(loop, Micros::from_millis(2));
      if (pair.server.tcp->bytes_sent() == before) break;
      continue;
    }
    taken += block.size();
  }
  EXPECT_FALSE(pair.server.tcp->send(block));
  EXPECT_LE(pair.server.tcp->bytes_queued(), 100'000u);
  EXPECT_GT(pair.server.tcp->bytes_queued(), 90'000u);
  EXPECT_TRUE(pair.server.tcp->is_congested());
  std::string large(8000, 'x');
  large.resize(200'000, 'x');
  EXPECT_FALSE(pair.server.tcp->send_block(std::move(large)));
  // What is refused stays as it was. NOLINTNEXTLINE(bugprone-use-after-move)
  EXPECT_EQ(large.size(), 200'000u);
  const int before = pair.server.writable_count;
  pair.client->tcp->resume_reading();
  ASSERT_TRUE(run_until(loop, [&] { return pair.server.writable_count > before; }));
  ASSERT_TRUE(run_until(loop, [&] { return pair.client->received.size() == taken; }));
  EXPECT_TRUE(pair.server.tcp->send(block));
}

TEST(Tcp, CoalescesWhatATurnSends) {
  EventLoop loop;
  Pair pair(loop);
  int reads = 0;
  struct Counter final : ConnectionHandler {
    explicit Counter(int& count) : reads(count) {}
    std::size_t on_bytes(std::span<const std::byte> bytes) override {
      ++reads;
      size += bytes.size();
      return bytes.size();
    }
    void on_closed(const Error&) override {}
    int& reads;
    std::size_t size = 0;
  } counter(reads);
  pair.client->tcp->start(counter);
  loop.post([&] {
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(pair.server.tcp->send("0123456789"));
  });
  ASSERT_TRUE(run_until(loop, [&] { return counter.size == 10'000; }));
  EXPECT_LE(reads, 2);
}

TEST(Tcp, ClosesAfterWritingWhatIsQueued) {
  EventLoop loop;
  Pair pair(loop);
  const std::string sent = pattern(3 << 20);
  pair.server.send(sent);
  pair.server.tcp->close();
  EXPECT_FALSE(pair.server.tcp->is_open());
  EXPECT_FALSE(pair.server.tcp->send("late"));
  // What still arrives is read and dropped; a reset would destroy our last words on their way.
  pair.client->send(std::string(1 << 20, 'i'));
  ASSERT_TRUE(run_until(loop, [&] { return pair.client->is_closed && pair.server.is_closed; }));
  EXPECT_TRUE(pair.client->received == sent);
  EXPECT_TRUE(pair.client->has_ended);
  EXPECT_TRUE(pair.server.received.empty());
  EXPECT_EQ(pair.server.closed_count, 1);
  EXPECT_EQ(pair.listener->connection_count(), 0u);
}

TEST(Tcp, GivesUpClosingWhenThePeerTakesNothing) {
  EventLoop loop;
  TcpListenOptions options;
  options.connection.close_timeout = Micros::from_millis(50);
  options.connection.output_bytes_max = std::size_t{64} << 20;
  Pair pair(loop, options);
  pair.client->tcp->pause_reading();
  pair.server.send(std::string(32 << 20, 'x'));
  pair.server.tcp->close();
  ASSERT_TRUE(run_until(loop, [&] { return pair.server.is_closed; }));
  EXPECT_EQ(pair.server.error.code, ErrorCode::timed_out);
}

TEST(Tcp, StaysHalfOpenWhenTheHandlerWants) {
  EventLoop loop;
  Pair pair(loop);
  pair.server.stays_half_open = true;
  pair.client->send("question");
  pair.client->tcp->close();  // sends its end, still takes ours
  ASSERT_TRUE(run_until(loop, [&] { return pair.server.has_ended; }));
  EXPECT_EQ(pair.server.received, "question");
  EXPECT_FALSE(pair.server.is_closed);
  EXPECT_TRUE(pair.server.tcp->is_open());
  EXPECT_TRUE(pair.server.tcp->send("answer"));
  pair.server.tcp->close();
  ASSERT_TRUE(run_until(loop, [&] { return pair.server.is_closed && pair.client->is_closed; }));
}

TEST(Tcp, NoticesAReset) {
  EventLoop loop;
  Pair pair(loop);
  pair.client->tcp->pause_reading();
  ASSERT_TRUE(pair.server.tcp->send("unread"));
  run_for(loop, Micros::from_millis(2));
  pair.client->tcp->abort();  // unread input: the kernel resets
  ASSERT_TRUE(run_until(loop, [&] { return pair.server.is_closed && pair.client->is_closed; }));
  EXPECT_EQ(pair.server.error.code, ErrorCode::unavailable);
  EXPECT_EQ(pair.client->closed_count, 1);
}

TEST(Tcp, MayBeDestroyedInEveryCallback) {
  enum class Where { bytes, end, closed, writable };
  for (const Where where : {Where::bytes, Where::end, Where::closed, Where::writable}) {
    EventLoop loop;
    struct Suicidal final : ConnectionHandler {
      std::size_t on_bytes(std::span<const std::byte> bytes) override {
        return kill(Where::bytes), bytes.size();
      }
      bool on_end() override { return kill(Where::end), false; }
      void on_writable() override { kill(Where::writable); }
      void on_closed(const Error&) override { kill(Where::closed); }
      void kill(Where now) {
        if (now != where) return;
        tcp.reset();
        is_dead = true;
      }
      Where where = Where::bytes;
      std::unique_ptr<TcpConnection> tcp;
      bool is_dead = false;
    } handler;
    handler.where = where;
    TcpListenOptions options;
    options.connection.output_bytes_max = 1000;
    auto listener = TcpListener::open(loop, loopback_any_port(), options, [&](auto tcp) {
      handler.tcp = std::move(tcp);
      handler.tcp->start(handler);
      if (where == Where::writable) {
        EXPECT_TRUE(handler.tcp->send(std::string(900, 'x')));
        EXPECT_FALSE(handler.tcp->send(std::string(900, 'x')));
      }
    });
    auto client = RawPeer::connect(loop, (*listener)->address());
    client->send("bytes");
    if (where == Where::end || where == Where::closed) client->tcp->close();
    ASSERT_TRUE(run_until(loop, [&] { return handler.is_dead; }));
    ASSERT_TRUE(run_until(loop, [&] { return client->is_closed; }));
    EXPECT_EQ((*listener)->connection_count(), 0u);
  }
}

TEST(TcpListener, ClosesConnectionsBeyondItsLimitAndCountsThem) {
  EventLoop loop;
  std::vector<std::unique_ptr<RawPeer>> servers;
  auto listener =
      TcpListener::open(loop, loopback_any_port(), {.connections_max = 2}, [&](auto tcp) {
        servers.push_back(std::make_unique<RawPeer>());
        servers.back()->take(std::move(tcp));
      });
  std::vector<std::unique_ptr<RawPeer>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(RawPeer::connect(loop, (*listener)->address()));
  ASSERT_TRUE(run_until(loop, [&] { return clients[2]->is_closed; }));
  EXPECT_EQ((*listener)->connection_count(), 2u);
  EXPECT_EQ((*listener)->accepted_count(), 2u);
  EXPECT_EQ((*listener)->refused_count(), 1u);
  servers[0].reset();
  clients.push_back(RawPeer::connect(loop, (*listener)->address()));
  ASSERT_TRUE(run_until(loop, [&] { return servers.size() == 3; }));
  listener->reset();  // connections outlive their listener
  clients.back()->send("still here");
  ASSERT_TRUE(run_until(loop, [&] { return servers.back()->received == "still here"; }));
}

TEST(TcpListener, WaitsWhenTheProcessIsOutOfFileDescriptors) {
  EventLoop loop;
  std::vector<std::unique_ptr<TcpConnection>> accepted;
  std::string told;
  TcpListenOptions options;
  options.on_refused = [&](const Address&, const Error& why) { told = why.message; };
  auto listener = TcpListener::open(loop, loopback_any_port(), options,
                                    [&](auto tcp) { accepted.push_back(std::move(tcp)); });
  ASSERT_TRUE(listener);
  // A client of the kernel's: connected before the loop has run.
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons((*listener)->address().port);
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&target), sizeof target), 0);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next_free = ::dup(client);
  ::close(next_free);
  const rlimit none_left{.rlim_cur = static_cast<rlim_t>(next_free), .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none_left), 0);
  const bool has_paused = run_until(loop, [&] { return (*listener)->pause_count() > 0; });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(has_paused);
  EXPECT_TRUE(told.contains("accepting pauses")) << told;
  EXPECT_TRUE(accepted.empty());
  ASSERT_TRUE(run_until(loop, [&] { return accepted.size() == 1; }));
  ::close(client);
}

TEST(TcpListener, SaysWhyItCannotListen) {
  EventLoop loop;
  auto first = TcpListener::open(loop, loopback_any_port(), {}, [](auto) {});
  ASSERT_TRUE(first);
  auto second = TcpListener::open(loop, (*first)->address(), {}, [](auto) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  EXPECT_NE(second.error().message.find((*first)->address().text()), std::string::npos);
  auto foreign = TcpListener::open(loop, *Address::parse("192.0.2.1:1"), {}, [](auto) {});
  ASSERT_FALSE(foreign);
  EXPECT_TRUE(foreign.error().code == ErrorCode::unavailable ||
              foreign.error().code == ErrorCode::denied);
}

TEST(TcpListener, SharesAPortWhenAsked) {
  EventLoop loop;
  auto first = TcpListener::open(loop, loopback_any_port(), {.reuse_port = true}, [](auto) {});
  ASSERT_TRUE(first);
  EXPECT_TRUE(TcpListener::open(loop, (*first)->address(), {.reuse_port = true}, [](auto) {}));
}

}  // namespace
}  // namespace ficus::net
