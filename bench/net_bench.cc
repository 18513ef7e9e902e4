// HTTP over loopback: one server thread with a trivial handler, one client thread with raw
// keep-alive connections that ask again as soon as they are answered. The client shares the
// machine: what counts is `server_cpu_us`, the server thread's processor time (user and kernel) a
// request.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/bytes.h"
#include "net/event_loop.h"
#include "net/http_server.h"
#include "net/tcp.h"

namespace {

using namespace ficus;
using namespace ficus::net;

double thread_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class HelloHandler final : public HttpHandler {
 public:
  void on_request(std::unique_ptr<HttpExchange> exchange) override {
    exchange->respond(200, "application/json", R"({"status":"ok"})");
  }
};

constexpr std::string_view kRequest =
    "GET /health?verbose=1 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: bench\r\nAccept: "
    "*/*\r\n\r\n";
constexpr std::string_view kAnswerEnd = R"({"status":"ok"})";

// Keeps `depth` requests under way on one connection.
class Asker final : public ConnectionHandler {
 public:
  Asker(std::unique_ptr<TcpConnection> tcp, int depth, std::uint64_t& answers)
      : tcp_(std::move(tcp)), answers_(answers) {
    tcp_->start(*this);
    for (int i = 0; i < depth; ++i) ask();
  }
  std::size_t on_bytes(std::span<const std::byte> bytes) override {
    const std::string_view text = text_of(bytes);
    std::size_t used = 0;
    while (true) {
      const std::size_t end = text.find(kAnswerEnd, used);
      if (end == std::string_view::npos) return used;
      used = end + kAnswerEnd.size();
      ++answers_;
      ask();
    }
  }
  void on_closed(const Error&) override {}

 private:
  void ask() { static_cast<void>(tcp_->send(kRequest)); }

  std::unique_ptr<TcpConnection> tcp_;
  std::uint64_t& answers_;
};

void BM_HttpRequests(benchmark::State& state) {
  const auto connections = static_cast<std::size_t>(state.range(0));
  const auto depth = static_cast<int>(state.range(1));
  EventLoop server_loop;
  HelloHandler handler;
  auto server = *HttpServer::open(server_loop, *Address::parse("127.0.0.1:0"), {}, handler);
  const std::string where = server->address().text();
  std::atomic<double> server_cpu = 0;
  std::thread server_thread([&] {
    const double before = thread_cpu_seconds();
    server_loop.run();
    server_cpu = thread_cpu_seconds() - before;
  });
  EventLoop loop;
  std::uint64_t answers = 0;
  std::vector<std::unique_ptr<TcpConnector>> connectors;
  std::vector<std::unique_ptr<Asker>> askers;
  for (std::size_t i = 0; i < connections; ++i) {
    connectors.push_back(std::make_unique<TcpConnector>(
        loop, where, TcpConnectOptions{}, [&](Result<std::unique_ptr<TcpConnection>> tcp) {
          askers.push_back(std::make_unique<Asker>(*std::move(tcp), depth, answers));
        }));
  }
  while (askers.size() < connections) loop.run_turn(Micros::from_seconds(1));
  for (auto _ : state) {
    const std::uint64_t goal = answers + 1000;
    while (answers < goal) loop.run_turn(Micros::from_seconds(1));
  }
  server_loop.stop();
  server_thread.join();
  state.SetItemsProcessed(state.iterations() * 1000);
  state.counters["server_cpu_us"] = server_cpu * 1e6 / static_cast<double>(answers);
  state.counters["requests_per_server_core"] = static_cast<double>(answers) / server_cpu;
}
BENCHMARK(BM_HttpRequests)
    ->ArgNames({"connections", "pipelined"})
    ->Args({64, 1})
    ->Args({64, 16})
    ->Args({1, 1})
    ->UseRealTime();

void BM_Post(benchmark::State& state) {
  EventLoop loop;
  std::uint64_t ran = 0;
  std::thread runner([&] { loop.run(); });
  for (auto _ : state) {
    loop.post([&ran] { ++ran; });
  }
  loop.stop();
  runner.join();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Post)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
