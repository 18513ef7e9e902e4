#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "connect/mqtt/broker_state.h"

// The broker's state without sockets: a message on its way to many sessions, its snapshot (which is
// encoded on the loop, in one go), and what is due at once.

namespace {

using namespace ficus;
using namespace ficus::connect;

constexpr Timestamp kNow = Timestamp::from_seconds(1'000'000);
constexpr Micros kHour = Micros::from_hours(1);

MessagePtr message(const std::string& topic, std::size_t payload_bytes) {
  const std::string payload(payload_bytes, 'x');
  return Message::create({.qos = mqtt::Qos::at_least_once,
                          .topic = topic,
                          .packet_id = mqtt::PacketId{1},
                          .payload = mqtt::Bytes(std::as_bytes(std::span(payload)))},
                         kNow);
}

// Sessions whose clients are away, all with this filter.
std::unique_ptr<BrokerState> away(std::size_t sessions, const std::string& filter) {
  auto state = std::make_unique<BrokerState>(BrokerLimits{});
  for (std::size_t i = 0; i < sessions; ++i) {
    const std::string id = "device-" + std::to_string(i);
    Session& session = *state->open({.client_id = id, .expiry = kHour}, kNow)->session;
    bool is_new = false;
    SubscriptionOptions options;
    options.qos = mqtt::Qos::at_least_once;
    (void)state->subscribe(session, filter, options, is_new);
    state->go_offline(session, kNow);
  }
  (void)state->take_facts();
  return state;
}

// One message of 100 bytes for each of so many sessions.
void publish_to_sessions(benchmark::State& bench) {
  const auto sessions = static_cast<std::size_t>(bench.range(0));
  auto state = away(sessions, "city/#");
  const MessagePtr one = message("city/bus/1", 100);
  for (auto _ : bench) {
    state->publish(one, nullptr, kNow);
    benchmark::DoNotOptimize(state->take_facts());
  }
  bench.SetItemsProcessed(bench.iterations() * bench.range(0));
}
BENCHMARK(publish_to_sessions)->Arg(1)->Arg(100)->Iterations(9000);

// range(0) sessions with 10 messages each: the same for all, or range(1) different ones.
void encode_snapshot(benchmark::State& bench) {
  auto state = away(static_cast<std::size_t>(bench.range(0)), "city/#");
  for (int i = 0; i < 10; ++i) {
    state->publish(message("city/" + std::to_string(i), 100), nullptr, kNow);
    (void)state->take_facts();
  }
  std::size_t bytes = 0;
  for (auto _ : bench) {
    bytes = 0;
    for (const auto& [name, content] : state->encode()) bytes += content.size();
  }
  bench.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(encode_snapshot)->Arg(100'000)->Unit(benchmark::kMillisecond)->Iterations(3);

// One million different messages in 1,000 queues.
void encode_snapshot_of_different_messages(benchmark::State& bench) {
  BrokerState state({});
  for (int i = 0; i < 1000; ++i) {
    const std::string id = "device-" + std::to_string(i);
    Session& session = *state.open({.client_id = id, .expiry = kHour}, kNow)->session;
    bool is_new = false;
    SubscriptionOptions options;
    options.qos = mqtt::Qos::at_least_once;
    (void)state.subscribe(session, id, options, is_new);
    state.go_offline(session, kNow);
    for (int m = 0; m < 1000; ++m) state.publish(message(id, 100), nullptr, kNow);
    (void)state.take_facts();
  }
  for (auto _ : bench) benchmark::DoNotOptimize(state.encode());
}
BENCHMARK(encode_snapshot_of_different_messages)->Unit(benchmark::kMillisecond)->Iterations(3);

void expire_sessions(benchmark::State& bench) {
  for (auto _ : bench) {
    bench.PauseTiming();
    auto state = away(static_cast<std::size_t>(bench.range(0)), "city/#");
    bench.ResumeTiming();
    state->expire(kNow + kHour + kHour);
    benchmark::DoNotOptimize(state->take_facts());
    bench.PauseTiming();
    state.reset();
    bench.ResumeTiming();
  }
}
BENCHMARK(expire_sessions)->Arg(100'000)->Unit(benchmark::kMillisecond)->Iterations(2);

}  // namespace

BENCHMARK_MAIN();
