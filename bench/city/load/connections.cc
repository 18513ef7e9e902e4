// connect: how fast connections are taken, then holds them until its input ends. retained: how long
// one subscriber waits for all retained messages.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "client.h"
#include "options.h"
#include "timing.h"
#include "vehicle_messages.h"

namespace load {
namespace {

constexpr std::size_t kConnectsUnderWay = 64;  // less than any server's backlog

// The topic of a PUBLISH at QoS 0 or 1 (3.3.2.1).
std::string_view topic_of(std::string_view body) {
  const auto high = static_cast<unsigned char>(body[0]);
  const auto low = static_cast<unsigned char>(body[1]);
  return body.substr(2, static_cast<std::size_t>(high << 8 | low));
}

class Connects final : public PacketHandler {
 public:
  void on_packet(Client&, std::uint8_t first, std::string_view) override {
    if (first >> 4 == 2) ++accepted;
  }
  std::size_t accepted = 0;
};

class Topics final : public PacketHandler {
 public:
  void on_packet(Client&, std::uint8_t first, std::string_view body) override {
    if (first >> 4 == 4) ++acknowledged;
    if (first >> 4 == 3) seen.emplace(topic_of(body));
  }
  std::size_t acknowledged = 0;
  std::unordered_set<std::string> seen;
};

}  // namespace

void run_connect(const Options& options) {
  Poller poller;
  const std::size_t count = options.number("connections", 10'000);
  Connects connects;
  std::vector<std::unique_ptr<Client>> clients;
  clients.reserve(count);
  const std::uint64_t begin = now_ns();
  while (connects.accepted < count) {
    while (clients.size() < count && clients.size() - connects.accepted < kConnectsUnderWay) {
      clients.push_back(std::make_unique<Client>(
          poller, options.target, fmt::format("idle-{}", clients.size()), &connects));
    }
    poller.poll(100);
    if (seconds_since(begin) > 30) give_up("not every client was answered");
  }
  fmt::print("rate={:.0f}\n", static_cast<double>(count) / seconds_since(begin));
  std::fflush(stdout);
  (void)std::getchar();
}

void run_retained(const Options& options) {
  Poller poller;
  const std::size_t count = options.number("messages", 100'000);
  Topics published;
  Client publisher(poller, options.target, "pub", &published);
  while (!publisher.is_connected()) poller.poll(10);
  VehicleMessages messages("retained/v", 1, 1);
  std::string packet;
  for (std::size_t sent = 0; published.acknowledged < count;) {
    if (sent < count && sent - published.acknowledged < 1024 && !publisher.has_backlog()) {
      packet.clear();
      messages.append({.vehicle = sent, .packet_id = static_cast<std::uint16_t>(1 + sent % 65'000)},
                      packet);
      packet[0] = static_cast<char>(packet[0] | 1);  // RETAIN
      publisher.send(packet);
      ++sent;
    } else {
      poller.poll(100);
    }
  }
  Topics topics;
  topics.seen.reserve(2 * count);
  Client subscriber(poller, options.target, "sub", &topics);
  while (!subscriber.is_connected()) poller.poll(10);
  const std::uint64_t begin = now_ns();
  subscriber.subscribe("#");
  double all_after = 0;
  while (topics.seen.size() < count && seconds_since(begin) < 10) {
    poller.poll(10);
    all_after = seconds_since(begin);
  }
  fmt::print("seconds={:.3f} missing={}\n", all_after, count - topics.seen.size());
}

}  // namespace load
