// latency: publish to receive at a steady rate, QoS 0. alert: publish at QoS 1 until the alert that
// a rule raises is with a subscriber. Measured from when a message was due, so that a server that
// falls behind cannot hide it.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "client.h"
#include "options.h"
#include "timing.h"
#include "vehicle_messages.h"

namespace load {
namespace {

constexpr std::size_t kPublishers = 100;
constexpr std::uint64_t kDangerousEvery = 50;  // messages
constexpr std::uint64_t kStride = 7919;        // a prime: each calm vehicle in its turn

class AckCounter final : public PacketHandler {
 public:
  void on_packet(Client&, std::uint8_t first, std::string_view) override {
    if (first >> 4 == 4) ++count_;
  }
  std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_ = 0;
};

std::vector<std::unique_ptr<Client>> connect_publishers(Poller& poller, const Options& options,
                                                        PacketHandler* handler = nullptr) {
  std::vector<std::unique_ptr<Client>> publishers;
  const std::size_t count = options.number("connections", kPublishers);
  for (std::size_t i = 0; i < count; ++i) {
    publishers.push_back(
        std::make_unique<Client>(poller, options.target, fmt::format("pub-{}", i), handler));
  }
  wait_for_all(poller, publishers, [](const Client& c) { return c.is_connected(); });
  return publishers;
}

// When each message was due, and what became of it. The first second is not counted.
class Schedule {
 public:
  // `batch` messages are due at a time.
  Schedule(std::uint64_t rate, std::uint64_t seconds, std::uint64_t batch)
      : interval_ns_(1'000'000'000 * batch / rate),
        batch_(batch),
        warm_(rate),
        total_(rate * (seconds + 1) / batch * batch) {
    begin_ns_ = now_ns() + 10'000'000;
  }

  bool is_due() const { return next_ < total_ && now_ns() >= due_ns(next_); }
  std::uint64_t take() { return next_++; }
  std::uint64_t taken() const { return next_; }
  bool is_all_taken() const { return next_ >= total_; }
  std::uint64_t end_ns() const { return due_ns(total_); }
  void received(std::uint64_t message) {
    if (message >= warm_ && message < total_) samples_.add(now_ns() - due_ns(message));
  }
  Samples& samples() { return samples_; }
  std::uint64_t counted() const { return total_ - warm_; }

 private:
  std::uint64_t due_ns(std::uint64_t message) const {
    return begin_ns_ + message / batch_ * interval_ns_;
  }

  const std::uint64_t interval_ns_;
  const std::uint64_t batch_;
  const std::uint64_t warm_;
  const std::uint64_t total_;
  std::uint64_t begin_ns_ = 0;
  std::uint64_t next_ = 0;
  Samples samples_;
};

void print(Schedule& schedule, std::uint64_t expected) {
  Samples& samples = schedule.samples();
  fmt::print("p50_us={:.1f} p99_us={:.1f} p999_us={:.1f} samples={} missing={}\n",
             samples.percentile_us(0.5), samples.percentile_us(0.99), samples.percentile_us(0.999),
             samples.size(), static_cast<std::int64_t>(expected - samples.size()));
}

class Receiver final : public PacketHandler {
 public:
  explicit Receiver(Schedule*& schedule) : schedule_(schedule) {}
  void on_packet(Client&, std::uint8_t first, std::string_view body) override {
    if (first >> 4 == 3 && schedule_ != nullptr) {
      schedule_->received(VehicleMessages::trip_of(body));
    }
  }

 private:
  Schedule*& schedule_;
};

class AlertReceiver final : public PacketHandler {
 public:
  explicit AlertReceiver(Schedule*& schedule) : schedule_(schedule) {}
  void on_packet(Client&, std::uint8_t first, std::string_view body) override {
    if (first >> 4 != 3 || schedule_ == nullptr) return;
    constexpr std::string_view kVehicle = "Vehicle:v";
    const std::size_t at = body.find(kVehicle);
    if (at == std::string_view::npos) return;
    schedule_->received(std::stoull(std::string(body.substr(at + kVehicle.size(), 7))));
  }

 private:
  Schedule*& schedule_;
};

}  // namespace

void run_latency(const Options& options) {
  Poller poller;
  Schedule* current = nullptr;
  Receiver receiver(current);
  Client subscriber(poller, options.target, "sub", &receiver);
  while (!subscriber.is_connected()) poller.poll(10);
  subscriber.subscribe("feed/#");
  while (!subscriber.is_subscribed()) poller.poll(10);
  const auto publishers = connect_publishers(poller, options);
  VehicleMessages messages("feed/vehicle/v", 0, 1);
  const std::uint64_t batch = options.number("batch", 1);
  Schedule schedule(options.number("rate", 10'000), options.number("seconds", 5), batch);
  current = &schedule;
  std::string packets;
  while (now_ns() < schedule.end_ns() + 100'000'000) {
    if (schedule.is_due()) {
      packets.clear();
      std::size_t publisher = 0;
      for (std::uint64_t i = 0; i < batch; ++i) {
        const std::uint64_t message = schedule.take();
        publisher = message / batch % kPublishers;
        messages.append({.vehicle = publisher, .trip = message, .time_us = wall_us()}, packets);
      }
      publishers[publisher]->send(packets);
    }
    subscriber.read();
  }
  print(schedule, schedule.counted());
}

void run_alert(const Options& options) {
  Poller poller;
  Schedule* current = nullptr;
  AlertReceiver receiver(current);
  Client subscriber(poller, options.target, "sub", &receiver);
  while (!subscriber.is_connected()) poller.poll(10);
  subscriber.subscribe(options.text("alerts", "ficus/alert/#"));
  while (!subscriber.is_subscribed()) poller.poll(10);
  AckCounter acks;
  const auto publishers = connect_publishers(poller, options, &acks);
  VehicleMessages messages(options.text("topic", "city/vehicle/v"), 1, 1);
  const std::uint64_t calm_first = options.number("calm_first", 9'000'000);
  const std::uint64_t calm_count = options.number("calm", kPublishers);
  // Old readings: what is sealed of them is over its retention at once.
  const std::uint64_t age_us = options.number("age_hours", 0) * 3'600'000'000;
  Schedule schedule(options.number("rate", 10'000), options.number("seconds", 5), 1);
  current = &schedule;
  std::string packet;
  std::uint64_t polled = now_ns();
  const std::uint64_t end_ns = schedule.end_ns() + options.number("wait_ms", 300) * 1'000'000;
  const std::uint64_t expected = schedule.counted() / kDangerousEvery;
  const auto is_over = [&] {
    const std::uint64_t now = now_ns();
    return now >= end_ns ||
           (now > schedule.end_ns() && schedule.is_all_taken() &&
            acks.count() >= schedule.taken() && schedule.samples().size() >= expected);
  };
  while (!is_over()) {
    if (schedule.is_due()) {
      const std::uint64_t message = schedule.take();
      const bool is_dangerous = message % kDangerousEvery == 0;
      // A vehicle in danger is one of its own, recognised by its number; the calm ones are 100, or
      // as many as is asked for, far from each other in the order in which they were first heard.
      const std::uint64_t calm = calm_first + message * kStride % calm_count;
      const VehicleMessages::Fields fields{
          .vehicle = is_dangerous ? message : calm,
          .trip = message,
          .time_us = wall_us() - age_us,
          .packet_id = static_cast<std::uint16_t>(1 + message / publishers.size() % 60'000)};
      packet.clear();
      if (is_dangerous) {
        messages.append_dangerous(fields, packet);
      } else {
        messages.append(fields, packet);
      }
      publishers[message % publishers.size()]->send(packet);
    }
    subscriber.read();
    if (now_ns() - polled > 1'000'000) {  // the acknowledgements, too
      poller.poll(0);
      polled = now_ns();
    }
  }
  fmt::print("sent={} acknowledged={} ", schedule.taken(), acks.count());
  print(schedule, expected);
}

}  // namespace load
