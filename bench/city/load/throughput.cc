// ingest: QoS 1, a window of messages unacknowledged on each connection.
// fan_in: QoS 0, many publishers, one subscriber. fan_out: one publisher, many subscribers.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "client.h"
#include "options.h"
#include "timing.h"
#include "vehicle_messages.h"

namespace load {
namespace {

constexpr std::size_t kBatch = 16;
constexpr std::uint64_t kWarmUpNs = 1'000'000'000;

using Clients = std::vector<std::unique_ptr<Client>>;

bool is_connected(const Client& client) { return client.is_connected(); }

// Lets a case run: `step` again and again, for the warm-up and the seconds that count. Gives how
// much `count` grew a second in the latter.
template <typename Step, typename Count>
double rate_of(std::uint64_t seconds, Step step, Count count) {
  const std::uint64_t warm_end = now_ns() + kWarmUpNs;
  while (now_ns() < warm_end) step();
  const std::uint64_t begin = now_ns();
  const std::uint64_t before = count();
  while (now_ns() < begin + seconds * 1'000'000'000) step();
  return static_cast<double>(count() - before) / seconds_since(begin);
}

// --- ingest

class Sender final : public PacketHandler {
 public:
  Sender(Poller& poller, const Options& options, std::size_t number, std::size_t senders)
      : client_(poller, options.target, fmt::format("load-{}", number), this),
        messages_(options.text("topic", "city/vehicle/v"), 1, number + 1),
        random_(number + 1),
        vehicles_(options.number("vehicles", senders)),
        number_(number),
        senders_(senders),
        window_(options.number("window", 256)),
        is_in_turn_(options.number("once", 0) != 0) {}

  void on_packet(Client&, std::uint8_t first, std::string_view) override {
    if (first >> 4 == 4) ++acknowledged_;
  }

  // Whether there was anything to do.
  bool send_more() {
    if (sent_ - acknowledged_ + kBatch > window_ || client_.has_backlog()) return false;
    packets_.clear();
    const std::uint64_t time = wall_us();
    for (std::size_t i = 0; i < kBatch && !is_done(); ++i) {
      if (++packet_id_ == 0) packet_id_ = 1;
      // Two messages of one vehicle never have the same time: that would be a duplicate.
      const std::uint64_t step = std::max(time, last_time_ + 1);
      last_time_ = step;
      messages_.append({.vehicle = next_vehicle(), .time_us = step, .packet_id = packet_id_},
                       packets_);
      ++sent_;
    }
    client_.send(packets_);
    return true;
  }

  bool is_done() const { return is_in_turn_ && number_ + sent_ * senders_ >= vehicles_; }
  const Client& client() const { return client_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  // Each sender has vehicles of its own: every senders_-th, in turn or at random.
  std::uint64_t next_vehicle() {
    const std::uint64_t turn = is_in_turn_ ? sent_ : random_.below(vehicles_ / senders_);
    return number_ + turn * senders_;
  }

  Client client_;
  VehicleMessages messages_;
  ficus::Random random_;
  const std::uint64_t vehicles_;
  const std::size_t number_;
  const std::size_t senders_;
  const std::uint64_t window_;
  const bool is_in_turn_;
  std::string packets_;
  std::uint64_t sent_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t last_time_ = 0;
  std::uint16_t packet_id_ = 0;
};

// --- fan-in, fan-out

// Publishes at QoS 0 as fast as the subscribers receive, at most a window ahead of them: a server
// that drops what it cannot pass on is found out, and one that queues without end gains nothing.
class Feed {
 public:
  Feed(Poller& poller, const Options& options, std::size_t publishers, std::size_t subscribers,
       std::uint64_t window)
      : poller_(poller), window_(window) {
    for (std::size_t i = 0; i < subscribers; ++i) {
      subscribers_.push_back(
          std::make_unique<Client>(poller, options.target, fmt::format("sub-{}", i)));
    }
    wait_for_all(poller, subscribers_, is_connected);
    for (const auto& client : subscribers_) client->subscribe("feed/#");
    wait_for_all(poller, subscribers_, [](const Client& c) { return c.is_subscribed(); });
    for (std::size_t i = 0; i < publishers; ++i) {
      publishers_.push_back(
          std::make_unique<Client>(poller, options.target, fmt::format("pub-{}", i)));
      messages_.emplace_back("feed/vehicle/v", 0, i + 1);
    }
    wait_for_all(poller, publishers_, is_connected);
  }

  void step() {
    bool has_sent = false;
    for (std::size_t i = 0; i < publishers_.size() && has_room(); ++i) {
      next_ = (next_ + 1) % publishers_.size();
      if (publishers_[next_]->has_backlog()) continue;
      packets_.clear();
      const std::uint64_t time = wall_us();
      for (std::size_t k = 0; k < kBatch; ++k) {
        messages_[next_].append({.vehicle = next_, .time_us = time + k}, packets_);
      }
      publishers_[next_]->send(packets_);
      sent_ += kBatch;
      has_sent = true;
    }
    poller_.poll(has_sent ? 0 : 100);
    note_lost();
  }

  std::uint64_t received() const {
    std::uint64_t sum = 0;
    for (const auto& client : subscribers_) sum += client->publishes();
    return sum;
  }
  std::uint64_t lost() const { return lost_; }

 private:
  std::uint64_t expected() const { return sent_ * subscribers_.size(); }
  bool has_room() const {
    return expected() - lost_ - received() + kBatch * subscribers_.size() <=
           window_ * subscribers_.size();
  }

  // What has not come for a second will not come any more.
  void note_lost() {
    const std::uint64_t now = now_ns();
    if (received() != last_received_ || has_room()) {
      last_received_ = received();
      last_change_ = now;
    } else if (now - last_change_ > 1'000'000'000) {
      lost_ = expected() - received();
    }
  }

  Poller& poller_;
  const std::uint64_t window_;
  Clients subscribers_;
  Clients publishers_;
  std::vector<VehicleMessages> messages_;
  std::string packets_;
  std::size_t next_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t last_received_ = 0;
  std::uint64_t last_change_ = 0;
};

void run_feed(const Options& options, std::size_t publishers, std::size_t subscribers,
              std::uint64_t window) {
  Poller poller;
  Feed feed(poller, options, publishers, subscribers, window);
  const double rate =
      rate_of(options.number("seconds", 5), [&] { feed.step(); }, [&] { return feed.received(); });
  fmt::print("rate={:.0f} lost={}\n", rate, feed.lost());
}

}  // namespace

void run_ingest(const Options& options) {
  Poller poller;
  const std::size_t connections = options.number("connections", 100);
  std::vector<std::unique_ptr<Sender>> senders;
  for (std::size_t i = 0; i < connections; ++i) {
    senders.push_back(std::make_unique<Sender>(poller, options, i, connections));
  }
  std::unique_ptr<Client> hung;
  if (const std::string filter = options.text("hung", ""); !filter.empty()) {
    hung = std::make_unique<Client>(poller, options.target, "hung");
    hung->subscribe(filter);
  }
  // Hears one vehicle of all, and must go on hearing it.
  Client listener(poller, options.target, "listener");
  if (options.number("listener", 0) != 0) listener.subscribe("city/vehicle/v0000001");
  wait_for_all(poller, senders, [](const Sender& s) { return s.client().is_connected(); });
  if (hung != nullptr) {
    for (int i = 0; i < 3000 && !hung->is_subscribed(); ++i) poller.poll(10);
    hung->stop_reading();
  }
  const auto count = [&] {
    std::uint64_t sum = 0;
    for (const auto& sender : senders) sum += sender->acknowledged();
    return sum;
  };
  const auto step = [&] {
    bool has_sent = false;
    for (const auto& sender : senders) {
      if (!sender->is_done() && sender->send_more()) has_sent = true;
    }
    poller.poll(has_sent ? 0 : 100);
  };
  double rate = 0;
  if (options.number("once", 0) != 0) {
    const std::uint64_t begin = now_ns();
    const std::uint64_t vehicles = options.number("vehicles", connections);
    while (count() < vehicles && seconds_since(begin) < 100) step();
    rate = static_cast<double>(count()) / seconds_since(begin);
  } else {
    rate = rate_of(options.number("seconds", 5), step, count);
  }
  fmt::print("rate={:.0f} acknowledged={} heard={} heard_of={}\n", rate, count(),
             listener.publishes(), connections > 1 ? senders[1]->acknowledged() : 0);
}

void run_fan_in(const Options& options) {
  run_feed(options, options.number("connections", 100), 1, options.number("window", 8192));
}

void run_fan_out(const Options& options) {
  run_feed(options, 1, options.number("connections", 100), options.number("window", 2048));
}

}  // namespace load
