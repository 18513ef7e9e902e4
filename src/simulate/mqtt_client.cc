#include "simulate/mqtt_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"
#include "net/bytes.h"

namespace ficus::simulate {
namespace {

constexpr std::uint16_t kKeepAliveSeconds = 60;
constexpr std::size_t kPacketBytesMax = std::size_t{1} << 20;  // of what a broker sends us
constexpr std::size_t kProtocolBytesMax = 268'435'460;
constexpr std::uint16_t kReceiveMaximum = 65'535;  // if CONNACK names none (5.0, 3.2.2.3.3)

// Packet identifiers run from 1 to 65535 (2.2.1).
mqtt::PacketId packet_id(std::uint64_t seq) {
  return static_cast<mqtt::PacketId>(seq % 65'535 + 1);
}

}  // namespace

MqttClient::MqttClient(net::EventLoop& loop, MqttClientOptions options)
    : loop_(loop),
      options_(std::move(options)),
      retry_(loop),
      beat_(loop),
      backoff_(options_.backoff_min) {
  beat_.start_repeating(Micros::from_seconds(kKeepAliveSeconds / 3), [this] { on_beat(); });
  connect();
}

MqttClient::~MqttClient() = default;

void MqttClient::connect() {
  net::TcpConnectOptions options;
  options.tls = options_.tls;
  options.alpn = "mqtt";
  connector_ = std::make_unique<net::TcpConnector>(
      loop_, options_.host_port, options, [this](Result<std::unique_ptr<net::TcpConnection>> tcp) {
        if (!tcp) return connect_later(tcp.error().message);
        tcp_ = *std::move(tcp);
        tcp_->start(*this);
        say_hello();
      });
}

void MqttClient::connect_later(std::string why) {
  last_error_ = std::move(why);
  is_connected_ = false;
  if (is_closing_) return;
  retry_.start_once(backoff_, [this] { connect(); });
  backoff_ = std::min(options_.backoff_max, backoff_ + backoff_);
}

void MqttClient::say_hello() {
  mqtt::Connect hello;
  // What was not acknowledged is sent anew on a new connection, so the broker need not remember us.
  hello.clean_start = true;
  hello.keep_alive_s = kKeepAliveSeconds;
  hello.client_id = options_.client_id;
  if (!options_.user.empty()) {
    hello.user_name = options_.user;
    hello.password = mqtt::Bytes(net::bytes_of(options_.password));
  }
  packet_bytes_max_ = kProtocolBytesMax;
  is_peer_alive_ = true;
  (void)send(hello);
}

void MqttClient::publish(std::string topic, std::string payload) {
  ++counts_.accepted;
  queue_.push_back({std::move(topic), std::move(payload)});
  fill_window();
}

bool MqttClient::send(const mqtt::Packet& packet) {
  out_.clear();
  if (!mqtt::encode(packet, mqtt::ProtocolVersion::v5, packet_bytes_max_, out_)) return false;
  return tcp_->send(out_);
}

void MqttClient::drop_answered() {
  while (in_flight_ > 0 && queue_.front().is_answered) {
    queue_.pop_front();
    ++first_seq_;
    --in_flight_;
  }
}

void MqttClient::fill_window() {
  drop_answered();
  if (!is_connected_ || tcp_ == nullptr || !tcp_->is_open()) return;
  while (in_flight_ < queue_.size() && in_flight_ < window_ && !tcp_->is_congested()) {
    Item& item = queue_[in_flight_];
    if (!item.is_answered) {
      mqtt::Publish publish;
      publish.qos = mqtt::Qos::at_least_once;
      publish.topic = item.topic;
      publish.payload = mqtt::Bytes(net::bytes_of(item.payload));
      publish.packet_id = packet_id(first_seq_ + in_flight_);
      out_.clear();
      if (!mqtt::encode_publish(publish, mqtt::ProtocolVersion::v5, packet_bytes_max_, out_)) {
        // Above what the broker takes: no attempt will succeed.
        item.is_answered = true;
        ++counts_.refused;
        last_error_ = "a message is too large for the broker: " + item.topic;
      } else if (!tcp_->send(out_)) {
        return;  // on_writable follows
      }
    }
    ++in_flight_;
  }
  drop_answered();
}

std::size_t MqttClient::on_bytes(std::span<const std::byte> bytes) {
  is_peer_alive_ = true;
  std::size_t used = 0;
  while (used < bytes.size()) {
    const auto decoded =
        mqtt::decode(bytes.subspan(used), mqtt::ProtocolVersion::v5, kPacketBytesMax);
    if (!decoded) {
      if (decoded.error() == mqtt::DecodeError::incomplete) break;
      last_error_ = mqtt::decode_error_text(decoded.error());
      tcp_->abort();
      return bytes.size();
    }
    used += decoded->bytes;
    if (!on_packet(decoded->packet)) {
      tcp_->abort();
      return bytes.size();
    }
  }
  fill_window();
  if (on_progress_) on_progress_();
  return used;
}

bool MqttClient::on_packet(const mqtt::Packet& packet) {
  if (const auto* connack = std::get_if<mqtt::Connack>(&packet)) {
    on_connack(*connack);
    return is_connected_;
  }
  if (const auto* puback = std::get_if<mqtt::Puback>(&packet)) {
    on_puback(*puback);
    return true;
  }
  if (const auto* goodbye = std::get_if<mqtt::Disconnect>(&packet)) {
    last_error_ = fmt::format("the broker disconnected us (0x{:02x})",
                              static_cast<unsigned>(goodbye->reason));
    return false;
  }
  return true;
}

void MqttClient::on_connack(const mqtt::Connack& connack) {
  if (static_cast<unsigned>(connack.reason) >= 0x80) {
    last_error_ =
        fmt::format("the broker refused us (0x{:02x})", static_cast<unsigned>(connack.reason));
    return;
  }
  is_connected_ = true;
  ++counts_.connects;
  backoff_ = options_.backoff_min;
  window_ = std::min<std::size_t>(options_.window,
                                  connack.properties.receive_maximum.value_or(kReceiveMaximum));
  packet_bytes_max_ = connack.properties.packet_bytes_max.value_or(kProtocolBytesMax);
  in_flight_ = 0;
}

void MqttClient::on_puback(const mqtt::Puback& puback) {
  constexpr std::uint64_t kIds = 65'535;
  const auto id = static_cast<std::uint64_t>(puback.packet_id);
  const std::uint64_t index = (id + kIds - 1 - first_seq_ % kIds) % kIds;
  if (index >= in_flight_) return;  // not one of ours
  Item& item = queue_[index];
  if (item.is_answered) return;
  item.is_answered = true;
  if (static_cast<unsigned>(puback.reason) < 0x80) {
    ++counts_.acknowledged;
    return;
  }
  if (puback.reason == mqtt::ReasonCode::quota_exceeded) {  // there may be room later
    queue_.push_back({std::move(item.topic), std::move(item.payload)});
    return;
  }
  ++counts_.refused;
  last_error_ =
      fmt::format("{} was refused (0x{:02x})", item.topic, static_cast<unsigned>(puback.reason));
}

void MqttClient::on_closed(const Error& reason) {
  ++counts_.disconnects;
  tcp_.reset();
  std::string why = is_connected_ || last_error_.empty() ? reason.message : last_error_;
  connect_later(std::move(why));
  if (on_progress_) on_progress_();
}

void MqttClient::on_beat() {
  if (!is_connected_ || tcp_ == nullptr) return;
  if (!is_peer_alive_) {  // no answer to the PINGREQ of the last beat
    tcp_->abort();
    return;
  }
  is_peer_alive_ = false;
  (void)send(mqtt::Pingreq());
}

void MqttClient::close() {
  is_closing_ = true;
  retry_.cancel();
  beat_.cancel();
  connector_.reset();
  if (tcp_ == nullptr || !tcp_->is_open()) return;
  (void)send(mqtt::Disconnect());
  tcp_->close();
}

}  // namespace ficus::simulate
