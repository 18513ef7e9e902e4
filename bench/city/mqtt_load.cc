// Sends vehicle messages at QoS 1 over many connections as fast as they are acknowledged, and
// counts acknowledgements: mqtt_load HOST:PORT CONNECTIONS SECONDS
//
// Each connection keeps up to kWindow messages unacknowledged and writes kBatch of them at once.
// The payload is 150 to 180 bytes of JSON: speed, heading, longitude, latitude, fuel, status, time.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"
#include "net/event_loop.h"
#include "net/tcp.h"

namespace {

using ficus::Micros;

constexpr std::size_t kBatch = 16;
constexpr std::size_t kWindow = 256;
constexpr std::size_t kPacketBytesMax = 1 << 20;

struct Totals {
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  std::size_t connected = 0;
};

class Publisher final : public ficus::net::ConnectionHandler {
 public:
  Publisher(ficus::net::EventLoop& loop, const std::string& target, std::size_t number,
            const ficus::Clock& clock, Totals& totals)
      : clock_(clock),
        totals_(totals),
        random_(number + 1),
        topic_(fmt::format("city/vehicle/v{}", number)) {
    connector_ = std::make_unique<ficus::net::TcpConnector>(
        loop, target, ficus::net::TcpConnectOptions{},
        [this, number](ficus::Result<std::unique_ptr<ficus::net::TcpConnection>> tcp) {
          if (!tcp) {
            fmt::print(stderr, "mqtt_load: {}\n", tcp.error().message);
            std::exit(1);
          }
          tcp_ = *std::move(tcp);
          tcp_->start(*this);
          const std::string id = fmt::format("load-{}", number);
          packets_.clear();
          (void)ficus::mqtt::encode(
              ficus::mqtt::Connect{.version = ficus::mqtt::ProtocolVersion::v3_1_1,
                                   .client_id = id},
              ficus::mqtt::ProtocolVersion::v3_1_1, kPacketBytesMax, packets_);
          (void)tcp_->send(packets_);
        });
  }

  std::size_t on_bytes(std::span<const std::byte> bytes) override {
    std::size_t used = 0;
    while (used < bytes.size()) {
      const auto decoded = ficus::mqtt::decode(
          bytes.subspan(used), ficus::mqtt::ProtocolVersion::v3_1_1, kPacketBytesMax);
      if (!decoded) break;
      used += decoded->bytes;
      if (std::holds_alternative<ficus::mqtt::Puback>(decoded->packet)) {
        --unacknowledged_;
        ++totals_.acknowledged;
      } else if (std::holds_alternative<ficus::mqtt::Connack>(decoded->packet)) {
        ++totals_.connected;
      }
    }
    send_more();
    return used;
  }

  void on_closed(const ficus::Error& reason) override {
    fmt::print(stderr, "mqtt_load: connection lost: {}\n", reason.message);
    std::exit(1);
  }

  static bool is_running;

 private:
  void send_more() {
    while (is_running && unacknowledged_ + kBatch <= kWindow) {
      packets_.clear();
      for (std::size_t i = 0; i < kBatch; ++i) add_message();
      unacknowledged_ += kBatch;
      totals_.sent += kBatch;
      if (!tcp_->send(packets_)) return;
    }
  }

  void add_message() {
    longitude_ += random_.between(-1e-4, 1e-4);
    latitude_ += random_.between(-1e-4, 1e-4);
    payload_.clear();
    fmt::format_to(
        std::back_inserter(payload_),
        R"({{"speed":{:.1f},"heading":{},"longitude":{:.6f},"latitude":{:.6f},"fuel":{:.1f},)"
        R"("status":"{}","time":{},"line":"K2","operator":"fuzhou-bus-{:03}"}})",
        random_.between(0, 60), random_.below(360), longitude_, latitude_, random_.between(10, 90),
        random_.chance(0.2) ? "stopped" : "moving", clock_.now().micros + sequence_,
        random_.below(100));
    ++sequence_;
    if (++packet_id_ == 0) packet_id_ = 1;
    (void)ficus::mqtt::encode_publish(
        {.qos = ficus::mqtt::Qos::at_least_once,
         .topic = topic_,
         .packet_id = ficus::mqtt::PacketId{packet_id_},
         .payload = ficus::mqtt::Bytes(std::as_bytes(std::span(payload_)))},
        ficus::mqtt::ProtocolVersion::v3_1_1, kPacketBytesMax, packets_);
  }

  const ficus::Clock& clock_;
  Totals& totals_;
  ficus::Random random_;
  const std::string topic_;
  std::unique_ptr<ficus::net::TcpConnector> connector_;
  std::unique_ptr<ficus::net::TcpConnection> tcp_;
  std::vector<std::byte> packets_;
  std::string payload_;
  std::size_t unacknowledged_ = 0;
  std::uint16_t packet_id_ = 0;
  std::int64_t sequence_ = 0;
  double longitude_ = 119.3;
  double latitude_ = 26.08;
};

bool Publisher::is_running = true;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: mqtt_load HOST:PORT CONNECTIONS SECONDS\n");
    return 2;
  }
  const auto connections = static_cast<std::size_t>(std::atoi(argv[2]));
  const Micros duration = Micros::from_seconds(std::atoi(argv[3]));
  const ficus::SystemClock clock;
  ficus::net::EventLoop loop;
  Totals totals;
  std::vector<std::unique_ptr<Publisher>> publishers;
  for (std::size_t i = 0; i < connections; ++i) {
    publishers.push_back(std::make_unique<Publisher>(loop, argv[1], i, clock, totals));
  }
  // The first second warms up and is not counted.
  std::uint64_t at_begin = 0;
  Micros begin;
  ficus::net::Timer warm(loop);
  warm.start_once(Micros::from_seconds(1), [&] {
    at_begin = totals.acknowledged;
    begin = clock.monotonic();
  });
  ficus::net::Timer end(loop);
  end.start_once(Micros{duration.count + 1'000'000}, [&] { loop.stop(); });
  loop.run();
  const double seconds = (clock.monotonic() - begin).seconds();
  Publisher::is_running = false;
  fmt::print("{:.0f} acknowledged messages/s ({} connections, {:.1f} s)\n",
             static_cast<double>(totals.acknowledged - at_begin) / seconds, totals.connected,
             seconds);
  return 0;
}
