#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_disk.h"
#include "codec/mqtt/packet.h"
#include "connect/ingest/source_set.h"
#include "connect/mqtt/mqtt_server.h"
#include "engine/engine.h"
#include "engine/no_history_testing.h"

// The broker with clients in memory: what a client sends are bytes, what it hears is a line a
// packet, so that a test reads like the exchange it checks. No socket, a clock that tests set, a
// disk in memory.

namespace ficus::history {
class HistoryFeed;
}

namespace ficus::connect::conformance {

using mqtt::ProtocolVersion;
using mqtt::Qos;
using mqtt::ReasonCode;

inline constexpr ProtocolVersion kV3 = ProtocolVersion::v3_1_1;
inline constexpr ProtocolVersion kV5 = ProtocolVersion::v5;

// A clock that the test moves while the engine's threads read it.
class PassingClock final : public Clock {
 public:
  Timestamp now() const override { return kBegin + monotonic(); }
  Micros monotonic() const override { return Micros{passed_.load()}; }
  void advance(Micros by) { passed_ += by.count; }

 private:
  static constexpr Timestamp kBegin = Timestamp::from_seconds(1'700'000'000);
  std::atomic<std::int64_t> passed_ = 0;
};

struct Wire;  // what passes between a client and the broker
class Broker;

// "PUBLISH a/b 'x' q1 #2 retain dup; PUBACK #7 not_authorized": one packet.
std::string describe(const mqtt::Packet& packet);
mqtt::Bytes bytes_of(std::string_view text);

// A client that does only what its test says.
class Client {
 public:
  Client(Broker& broker, ProtocolVersion version);

  // Sends packets as they are.
  Client& send(const mqtt::Packet& packet);
  // Sends bytes given as hexadecimal digits with blanks: "e0 00".
  Client& raw(std::string_view hex);
  Client& raw_bytes(std::string_view bytes);
  // The connection breaks without a DISCONNECT.
  void drop();
  // Takes nothing of what the broker sends, and takes it again.
  void stall();
  void go_on();

  // What was heard since the last call, packets separated by "; ", with "CLOSED" at the end once
  // the broker has closed.
  std::string heard();
  // The last packet of this kind that was heard, for its properties. Valid until the next heard().
  template <typename P>
  const P& last() const {
    for (auto at = packets_.rbegin(); at != packets_.rend(); ++at) {
      if (const auto* const packet = std::get_if<P>(&*at)) return *packet;
    }
    ADD_FAILURE() << "no such packet was heard";
    static const P none{};
    return none;
  }

  // --- The usual packets, short.
  std::string connect(std::string_view id, bool clean = true, std::uint32_t expiry_s = 0);
  mqtt::Connect connect_packet(std::string_view id, bool clean = true,
                               std::uint32_t expiry_s = 0) const;
  std::string subscribe(std::string_view filter, int qos, std::uint16_t packet_id = 1);
  std::string publish(std::string_view topic, std::string_view payload, int qos = 0,
                      std::uint16_t packet_id = 0, bool retain = false);
  void puback(std::uint16_t id, ReasonCode reason = ReasonCode::success);
  std::string pubrec(std::uint16_t id, ReasonCode reason = ReasonCode::success);
  std::string pubrel(std::uint16_t id);
  void pubcomp(std::uint16_t id);
  std::string disconnect(ReasonCode reason = ReasonCode::success);

 private:
  Broker& broker_;
  const ProtocolVersion version_;
  std::shared_ptr<Wire> wire_;
  std::string bytes_;  // that packets_ point into
  std::vector<mqtt::Packet> packets_;
};

class Broker {
 public:
  // `access`: borrowed; null: everybody may do everything.
  explicit Broker(MqttServerOptions options = {}, access::AccessControl* access = nullptr);
  ~Broker();

  Client client(ProtocolVersion version = kV5) { return {*this, version}; }
  // A client that is connected.
  Client connected(std::string_view id, ProtocolVersion version = kV5, bool clean = true,
                   std::uint32_t expiry_s = 0);
  // As a process that is killed and started again on the same disk: what was not synced is gone.
  void crash();
  void pass(int seconds);                   // of time
  void settle();                            // until nothing happens any more
  PassingClock& clock() { return clock_; }  // for time that passes unseen
  MemoryDisk& disk() { return disk_; }
  MqttServerCounts counts() const { return server_->counts(); }
  MqttServer& server() { return *server_; }

 private:
  friend class Client;
  void start();

  MqttServerOptions options_;
  access::AccessControl* const access_;
  PassingClock clock_;
  MemoryDisk disk_;
  Logger logger_{clock_, stderr, static_cast<LogLevel>(static_cast<int>(LogLevel::error) + 1)};
  net::EventLoop loop_;
  Schema schema_;
  NoHistory history_;
  std::unique_ptr<history::HistoryFeed> feed_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Ingest> ingest_;
  SourceSet sources_;
  std::unique_ptr<MqttServer> server_;
  std::vector<std::shared_ptr<Wire>> wires_;
};

}  // namespace ficus::connect::conformance
