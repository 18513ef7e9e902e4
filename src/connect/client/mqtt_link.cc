#include "connect/client/mqtt_link.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "codec/mqtt/decoder.h"
#include "codec/mqtt/encoder.h"
#include "connect/client/client_tls.h"
#include "net/bytes.h"

namespace ficus::connect {
namespace {

constexpr std::uint16_t kKeepAliveSeconds = 60;
constexpr std::uint16_t kReceiveMaximum = 2048;  // unacknowledged at once (5.0, 3.1.2.11.3)
constexpr std::size_t kPacketBytesMax = std::size_t{16} << 20;  // as much as a mapping takes
constexpr std::size_t kProtocolBytesMax = 268'435'460;
constexpr auto kSubscribeId = static_cast<mqtt::PacketId>(1);
constexpr std::uint64_t kBatchItemsMax = 2048;
constexpr std::size_t kBatchesMax = 8;  // not durable yet; then reading pauses
constexpr Micros kBackOffFirst = Micros::from_millis(500);
constexpr Micros kBackOffMost = Micros::from_seconds(60);
constexpr std::int64_t kExpiryNever = 0xffff'ffff;  // 5.0, 3.1.2.11.2

}  // namespace

MqttLink::MqttLink(const LinkParts& parts, std::shared_ptr<const Source> source)
    : SourceLink(source->declaration.name,
                 std::get<MqttClientSource>(source->declaration.connector).host_port),
      parts_(parts),
      source_(std::move(source)),
      retry_(parts.loop),
      beat_(parts.loop),
      back_off_(kBackOffFirst, kBackOffMost,
                hash_mix(parts.random_seed, hash64(source_->declaration.name))),
      builder_(source_->id) {}

MqttLink::~MqttLink() = default;

bool MqttLink::fetches_alike(const Source& next) const {
  const auto* const other = std::get_if<MqttClientSource>(&next.declaration.connector);
  if (other == nullptr || *other != declared()) return false;
  return !declared().is_encrypted ||
         client_tls_fingerprint(declared().tls, parts_.disk) == tls_fingerprint_;
}

Result<std::unique_ptr<MqttLink>> MqttLink::open(const LinkParts& parts,
                                                 std::shared_ptr<const Source> source) {
  std::unique_ptr<MqttLink> link(new MqttLink(parts, std::move(source)));
  if (link->declared().is_encrypted) {
    FICUS_TRY(link->tls_, make_client_tls(link->declared().tls, parts.disk));
    link->tls_fingerprint_ = client_tls_fingerprint(link->declared().tls, parts.disk);
  }
  link->connect();
  return link;
}

void MqttLink::connect() {
  ++status_.attempts;
  status_.state = LinkStatus::State::connecting;
  net::TcpConnectOptions options;
  options.tls = tls_;
  options.connection.input_bytes_max = kPacketBytesMax + (std::size_t{1} << 20);
  connector_ =
      std::make_unique<net::TcpConnector>(parts_.loop, declared().host_port, options,
                                          [this](Result<std::unique_ptr<net::TcpConnection>> tcp) {
                                            if (!tcp) {
                                              why_lost_ = std::move(tcp).error().message;
                                              return connect_later();
                                            }
                                            connection_ = *std::move(tcp);
                                            connection_->start(*this);
                                            say_hello();
                                          });
}

void MqttLink::connect_later() {
  if (is_draining_) return;
  const Micros wait = back_off_.next();
  parts_.logger.warning("mqtt_client", "not connected; will try again",
                        {{"source", name_},
                         {"broker", declared().host_port},
                         {"error", why_lost_},
                         {"after_seconds", fmt::format("{:.1f}", wait.seconds())}});
  note_failure(parts_.ingest.now(), std::move(why_lost_));
  why_lost_.clear();
  retry_.start_once(wait, [this] { connect(); });
}

// Ends the connection; on_closed follows and connects again.
void MqttLink::lose(std::string why) {
  why_lost_ = std::move(why);
  connection_->abort();
}

void MqttLink::say_hello() {
  ++connection_number_;
  in_flight_.clear();
  first_batch_ = 0;
  packet_bytes_max_ = kProtocolBytesMax;
  is_peer_alive_ = true;
  is_subscribed_ = false;
  mqtt::Connect hello;
  hello.version = version();
  hello.clean_start = false;
  hello.keep_alive_s = kKeepAliveSeconds;
  hello.client_id = declared().client_id;
  if (declared().is_v5) {
    const std::int64_t seconds = declared().session_expiry.count / 1'000'000;
    hello.properties.session_expiry_interval_s =
        static_cast<std::uint32_t>(std::min(seconds, kExpiryNever));
    hello.properties.receive_maximum = kReceiveMaximum;
    hello.properties.packet_bytes_max = static_cast<std::uint32_t>(kPacketBytesMax);
  }
  std::string password;
  if (!declared().user.empty()) hello.user_name = declared().user;
  if (!declared().password.is_none()) {
    auto secret = parts_.secrets.read(declared().password);
    if (!secret) return lose(std::move(secret).error().message);
    password = *std::move(secret);
    hello.password = mqtt::Bytes(net::bytes_of(password));
  }
  if (!send(hello)) lose("the CONNECT could not be sent");
  beat_.start_repeating(Micros::from_seconds(kKeepAliveSeconds / 3), [this] { on_beat(); });
}

bool MqttLink::send(const mqtt::Packet& packet) {
  out_.clear();
  if (!mqtt::encode(packet, version(), packet_bytes_max_, out_)) return false;
  return connection_->send(out_);
}

std::size_t MqttLink::on_bytes(std::span<const std::byte> bytes) {
  is_peer_alive_ = true;
  std::size_t used = 0;
  while (used < bytes.size()) {
    const auto decoded = mqtt::decode(bytes.subspan(used), version(), kPacketBytesMax);
    if (!decoded) {
      if (decoded.error() == mqtt::DecodeError::incomplete) break;
      lose(fmt::format("the broker sent what is no MQTT: {}",
                       mqtt::decode_error_text(decoded.error())));
      return bytes.size();
    }
    used += decoded->bytes;
    if (!on_packet(decoded->packet)) {
      connection_->abort();
      return bytes.size();
    }
    if (builder_.item_count() >= kBatchItemsMax) hand_over();
  }
  hand_over();
  return used;
}

bool MqttLink::on_packet(const mqtt::Packet& packet) {
  if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) return on_publish(*publish);
  if (const auto* connack = std::get_if<mqtt::Connack>(&packet)) return on_connack(*connack);
  if (const auto* suback = std::get_if<mqtt::Suback>(&packet)) return on_suback(*suback);
  if (const auto* goodbye = std::get_if<mqtt::Disconnect>(&packet)) {
    why_lost_ =
        fmt::format("the broker disconnected us: {}", mqtt::reason_code_name(goodbye->reason));
    return false;
  }
  return true;  // PINGRESP
}

bool MqttLink::on_connack(const mqtt::Connack& connack) {
  if (mqtt::is_failure(connack.reason)) {
    why_lost_ = fmt::format("the broker refused us: {}", mqtt::reason_code_name(connack.reason));
    if (connack.reason == mqtt::ReasonCode::unsupported_protocol_version) {
      why_lost_ += ": set version: 3.1.1";
    }
    return false;
  }
  packet_bytes_max_ = connack.properties.packet_bytes_max.value_or(kProtocolBytesMax);
  if (const auto seconds = connack.properties.server_keep_alive_s; seconds && *seconds > 0) {
    // 5.0, 3.2.2.3.14: the server's value counts.
    beat_.start_repeating(Micros::from_millis(std::max(1000, *seconds * 1000 / 3)),
                          [this] { on_beat(); });
  }
  subscribe();
  return true;
}

// Also when the broker still has the session: what is subscribed to may have changed since.
void MqttLink::subscribe() {
  mqtt::SubscriptionBuffer subscriptions;
  mqtt::Subscription subscription;
  subscription.filter = declared().topic.filter();
  subscription.qos_max = static_cast<mqtt::Qos>(declared().qos);
  // Of a retained message the present connection has heard already nothing more is to be learned.
  if (declared().is_v5) subscription.retain_handling = mqtt::RetainHandling::send_if_new;
  (void)subscriptions.add(subscription);
  mqtt::Subscribe subscribe;
  subscribe.packet_id = kSubscribeId;
  subscribe.subscriptions = subscriptions.view();
  (void)send(subscribe);
}

bool MqttLink::on_suback(const mqtt::Suback& suback) {
  if (suback.packet_id != kSubscribeId || suback.reasons.size() != 1) return true;
  const mqtt::ReasonCode reason = suback.reasons[0];
  if (mqtt::is_failure(reason)) {
    why_lost_ = fmt::format("the broker refused the subscription to {}: {}",
                            declared().topic.filter(), mqtt::reason_code_name(reason));
    return false;
  }
  is_subscribed_ = true;
  back_off_.reset();
  note_success(parts_.ingest.now());
  parts_.logger.info(
      "mqtt_client", "subscribed",
      {{"source", name_}, {"broker", declared().host_port}, {"topic", declared().topic.filter()}});
  return true;
}

bool MqttLink::on_publish(const mqtt::Publish& publish) {
  if (publish.qos == mqtt::Qos::exactly_once || publish.topic.empty()) {
    why_lost_ = "the broker sent a message with QoS 2 or a topic alias, which it was not allowed";
    return false;
  }
  if (publish.packet_id != mqtt::PacketId::none) unacknowledged_.push_back(publish.packet_id);
  if (!declared().topic.match(publish.topic, places_)) {
    // `bus-{number}` is `+` to the broker.
    builder_.refuse("topic_not_matched");
    return true;
  }
  source_->declaration.mapping->map(
      {.key = publish.topic,
       .placeholders = places_,
       .payload = {reinterpret_cast<const char*>(publish.payload.data()), publish.payload.size()},
       .received_at = parts_.ingest.now()},
      scratch_, builder_);
  return true;
}

void MqttLink::hand_over() {
  if (builder_.empty() && unacknowledged_.empty()) return;
  const std::uint64_t batch = first_batch_ + in_flight_.size();
  in_flight_.push_back({std::exchange(unacknowledged_, {}), false});
  parts_.ingest.submit(builder_.take(parts_.ingest.now()),
                       [this, connection = connection_number_, batch,
                        alive = std::weak_ptr(alive_)](const Status& status) {
                         if (!alive.expired()) on_durable(connection, batch, status);
                       });
  hold_back();
}

void MqttLink::on_durable(std::uint64_t connection, std::uint64_t batch, const Status& status) {
  if (connection != connection_number_ || connection_ == nullptr || batch < first_batch_) return;
  if (!status) {
    // The broker sends it again on the next connection.
    if (!is_draining_ && connection_->is_open()) lose(status.error().message);
    return;
  }
  in_flight_[batch - first_batch_].is_durable = true;
  acknowledge();
  go_on();
  say_goodbye_if_idle();
}

void MqttLink::acknowledge() {
  out_.clear();
  while (!in_flight_.empty() && in_flight_.front().is_durable) {
    for (const mqtt::PacketId id : in_flight_.front().ids) mqtt::encode_puback(id, out_);
    in_flight_.pop_front();
    ++first_batch_;
  }
  // At most kReceiveMaximum of four bytes: far below the connection's limit.
  if (!out_.empty() && connection_->is_open()) (void)connection_->send(out_);
}

void MqttLink::hold_back() {
  if (!parts_.ingest.is_congested() && in_flight_.size() < kBatchesMax) return;
  connection_->pause_reading();
  if (is_room_awaited_ || !parts_.ingest.is_congested()) return;
  is_room_awaited_ = true;
  parts_.ingest.on_room([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    is_room_awaited_ = false;
    go_on();
  });
}

void MqttLink::go_on() {
  if (connection_ == nullptr || is_draining_ || !connection_->is_reading_paused()) return;
  if (parts_.ingest.is_congested() || in_flight_.size() >= kBatchesMax) return hold_back();
  connection_->resume_reading();
}

void MqttLink::on_closed(const Error& reason) {
  connection_.reset();
  beat_.cancel();
  in_flight_.clear();
  unacknowledged_.clear();
  ++connection_number_;
  if (why_lost_.empty()) {
    why_lost_ = is_subscribed_
                    ? reason.message
                    : "the broker closed the connection before it accepted us: " + reason.message;
  }
  connect_later();
}

void MqttLink::on_beat() {
  if (connection_ == nullptr) return;
  // While nothing is read its answers cannot be seen, but it wants to hear of us.
  if (!connection_->is_reading_paused()) {
    if (!is_peer_alive_) return lose("the broker does not answer");
    is_peer_alive_ = false;
  }
  (void)send(mqtt::Pingreq());
}

void MqttLink::drain() {
  is_draining_ = true;
  status_.state = LinkStatus::State::stopped;
  retry_.cancel();
  beat_.cancel();
  connector_.reset();
  if (connection_ == nullptr) return;
  connection_->pause_reading();
  say_goodbye_if_idle();
}

void MqttLink::say_goodbye_if_idle() {
  if (!is_draining_ || connection_ == nullptr || !in_flight_.empty()) return;
  (void)send(mqtt::Disconnect());
  connection_->close();
}

}  // namespace ficus::connect
