#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "codec/mqtt/packet.h"
#include "net/event_loop.h"
#include "net/tcp.h"

namespace ficus::simulate {

struct MqttClientOptions {
  std::string host_port;
  std::string client_id;
  std::shared_ptr<net::TlsClientContext> tls = {};  // given: encrypted
  std::string user = {};                            // empty: none is shown
  std::string password = {};
  std::size_t window = 500;                 // sent and not acknowledged
  std::size_t queue_messages_max = 20'000;  // not acknowledged, sent or not
  Micros backoff_min = Micros::from_millis(200);
  Micros backoff_max = Micros::from_seconds(10);
};

struct MqttClientCounts {
  std::uint64_t accepted = 0;      // given to `publish`
  std::uint64_t acknowledged = 0;  // with success
  std::uint64_t refused = 0;       // with a failure that a later attempt would not change
  std::uint64_t connects = 0;
  std::uint64_t disconnects = 0;
};

// Publishes with QoS 1 over MQTT 5.0, connecting again with back-off and sending again whatever was
// not acknowledged: at least once, in order within a connection. Runs on the loop's thread.
class MqttClient final : private net::ConnectionHandler {
 public:
  MqttClient(net::EventLoop& loop, MqttClientOptions options);
  ~MqttClient();
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  bool is_full() const { return queue_.size() >= options_.queue_messages_max; }
  bool is_idle() const { return queue_.empty(); }  // everything is answered
  // Taken even when full: a caller asks `is_full` before each burst of its own.
  void publish(std::string topic, std::string payload);
  // Called after acknowledgements, so whenever `is_full` or `is_idle` may have changed.
  void on_progress(net::Task task) { on_progress_ = std::move(task); }
  // Says goodbye and closes. What is queued is lost.
  void close();

  bool is_connected() const { return is_connected_; }
  const MqttClientCounts& counts() const { return counts_; }
  const std::string& last_error() const { return last_error_; }

 private:
  struct Item {
    std::string topic;
    std::string payload;
    bool is_answered = false;
  };

  std::size_t on_bytes(std::span<const std::byte> bytes) override;
  void on_writable() override { fill_window(); }
  void on_closed(const Error& reason) override;

  void connect();
  void connect_later(std::string why);
  void say_hello();
  bool on_packet(const mqtt::Packet& packet);  // false: the connection is of no more use
  void on_connack(const mqtt::Connack& connack);
  void on_puback(const mqtt::Puback& puback);
  void drop_answered();
  void fill_window();
  bool send(const mqtt::Packet& packet);
  void on_beat();

  net::EventLoop& loop_;
  const MqttClientOptions options_;
  std::unique_ptr<net::TcpConnector> connector_;
  std::unique_ptr<net::TcpConnection> tcp_;
  net::Timer retry_;
  net::Timer beat_;
  net::Task on_progress_;
  std::deque<Item> queue_;       // the first `in_flight_` of them are sent
  std::uint64_t first_seq_ = 0;  // number of queue_[0] on this connection; gives its packet id
  std::size_t in_flight_ = 0;
  std::size_t window_ = 0;
  std::size_t packet_bytes_max_ = 0;
  Micros backoff_;
  bool is_connected_ = false;
  bool is_closing_ = false;
  bool is_peer_alive_ = false;  // heard since the last beat
  std::vector<std::byte> out_;
  MqttClientCounts counts_;
  std::string last_error_;
};

}  // namespace ficus::simulate
