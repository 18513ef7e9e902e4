// soak: QoS 1 at a steady rate for as long as is asked, and every minute a line of how long probes
// took from when they were due until their alert was with a subscriber. Vehicles come again, and
// probes are raised and cleared in turn, so that the server has no more to keep at the end than
// after the first minutes.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
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
constexpr std::size_t kBatch = 8;
constexpr std::size_t kProbes = 500;
constexpr std::uint64_t kFirstProbe = 8'000'000;
constexpr std::uint64_t kProbesASecond = 50;

class Acknowledgements final : public PacketHandler {
 public:
  void on_packet(Client&, std::uint8_t first, std::string_view) override {
    if (first >> 4 == 4) ++count;
  }
  std::uint64_t count = 0;
};

// Vehicles that are in danger in one round and calm in the next.
class Probes final : public PacketHandler {
 public:
  Probes() : due_ns_(kProbes, 0) {}

  void on_packet(Client&, std::uint8_t first, std::string_view body) override {
    constexpr std::string_view kVehicle = "Vehicle:v";
    const std::size_t at = body.find(kVehicle);
    if (first >> 4 != 3 || at == std::string_view::npos) return;
    const std::uint64_t number = std::stoull(std::string(body.substr(at + kVehicle.size(), 7)));
    if (number < kFirstProbe || number >= kFirstProbe + kProbes) return;
    std::uint64_t& due = due_ns_[number - kFirstProbe];
    if (due == 0) return;  // a step later in the alert's life
    samples_.add(now_ns() - due);
    due = 0;
  }

  std::uint64_t vehicle() const { return kFirstProbe + next_ % kProbes; }
  bool is_dangerous() const { return next_ / kProbes % 2 == 0; }
  void sent(std::uint64_t due_ns) {
    std::uint64_t& due = due_ns_[next_ % kProbes];
    if (is_dangerous()) {
      due = due_ns;
    } else if (due != 0) {
      ++missing_;
      due = 0;
    }
    ++next_;
  }

  // Of what came since the last report.
  void report(std::uint64_t minute, std::uint64_t sent, std::uint64_t acknowledged) {
    fmt::print(
        "minute={} p50_us={:.0f} p99_us={:.0f} p999_us={:.0f} samples={} missing={} sent={} "
        "acknowledged={}\n",
        minute, samples_.percentile_us(0.5), samples_.percentile_us(0.99),
        samples_.percentile_us(0.999), samples_.size(), missing_, sent, acknowledged);
    std::fflush(stdout);
    samples_ = {};
  }

 private:
  std::vector<std::uint64_t> due_ns_;  // 0: none is under way
  std::uint64_t next_ = 0;
  std::uint64_t missing_ = 0;
  Samples samples_;
};

class Soak {
 public:
  explicit Soak(const Options& options)
      : rate_(options.number("rate", 10'000)),
        seconds_(options.number("seconds", 600)),
        vehicles_(options.number("vehicles", 10'000)),
        subscriber_(poller_, options.target, "soak-alerts", &probes_),
        messages_("city/vehicle/v", 1, 1) {
    while (!subscriber_.is_connected()) poller_.poll(10);
    subscriber_.subscribe("ficus/alert/#");
    while (!subscriber_.is_subscribed()) poller_.poll(10);
    for (std::size_t i = 0; i < kPublishers; ++i) {
      publishers_.push_back(std::make_unique<Client>(poller_, options.target,
                                                     fmt::format("soak-{}", i), &acknowledged_));
    }
    wait_for_all(poller_, publishers_, [](const Client& c) { return c.is_connected(); });
  }

  void run() {
    const std::uint64_t begin = now_ns();
    const std::uint64_t end = begin + seconds_ * 1'000'000'000;
    std::uint64_t minute = 0;
    while (now_ns() < end) {
      const std::uint64_t due = begin + sent_ * 1'000'000'000 / rate_;
      const bool is_due = now_ns() >= due;
      if (is_due) send(due);
      poller_.poll(is_due ? 0 : 1);
      if (now_ns() >= begin + (minute + 1) * 60'000'000'000) {
        probes_.report(++minute, sent_, acknowledged_.count);
      }
    }
    const std::uint64_t patience = now_ns() + 10'000'000'000;
    while (acknowledged_.count < sent_ && now_ns() < patience) poller_.poll(10);
    probes_.report(minute + 1, sent_, acknowledged_.count);
  }

 private:
  // One write of one publisher, who has a part of the vehicles, so that each one's times grow.
  void send(std::uint64_t due_ns) {
    const std::size_t publisher = turn_++ % kPublishers;
    packets_.clear();
    for (std::size_t i = 0; i < kBatch; ++i) {
      VehicleMessages::Fields fields{
          .vehicle = publisher + kPublishers * (turn_ / kPublishers % (vehicles_ / kPublishers)),
          .trip = sent_,
          .time_us = last_time_ = std::max(last_time_ + 1, wall_us()),
          .packet_id = static_cast<std::uint16_t>(1 + sent_ % 60'000)};
      const bool is_probe = sent_ * kProbesASecond / rate_ != probes_sent_;
      if (is_probe) {
        ++probes_sent_;
        fields.vehicle = probes_.vehicle();
      }
      if (is_probe && probes_.is_dangerous()) {
        messages_.append_dangerous(fields, packets_);
      } else {
        messages_.append(fields, packets_);
      }
      if (is_probe) probes_.sent(due_ns);
      ++sent_;
    }
    publishers_[publisher]->send(packets_);
  }

  const std::uint64_t rate_;
  const std::uint64_t seconds_;
  const std::uint64_t vehicles_;
  Poller poller_;
  Probes probes_;
  Acknowledgements acknowledged_;
  Client subscriber_;
  VehicleMessages messages_;
  std::vector<std::unique_ptr<Client>> publishers_;
  std::string packets_;
  std::uint64_t sent_ = 0;
  std::uint64_t probes_sent_ = 0;
  std::uint64_t turn_ = 0;
  std::uint64_t last_time_ = 0;
};

}  // namespace

void run_soak(const Options& options) { Soak(options).run(); }

}  // namespace load
