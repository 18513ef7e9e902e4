#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/mqtt/packet.h"
#include "connect/client/back_off.h"
#include "connect/client/link_parts.h"
#include "connect/client/source_link.h"
#include "connect/ingest/source_set.h"
#include "connect/mapping/mapping.h"
#include "connect/mapping/source_batch_builder.h"
#include "net/tcp.h"

namespace ficus::connect {

// Subscribes to someone else's MQTT broker (3.1.1 or 5.0) and maps what it publishes. The session
// there is persistent, and a PUBACK is sent only when what the message said is durable here: what
// was published while either side was down comes later, and what comes twice is a duplicate to the
// twin. PUBACKs keep the order of their messages (5.0, 4.6).
//
// While the engine is full the connection is read no further, so the broker waits. A lost
// connection is made again after a back-off with jitter.
class MqttLink final : public SourceLink, private net::ConnectionHandler {
 public:
  // REQUIRES: the source is an mqtt_client source.
  static Result<std::unique_ptr<MqttLink>> open(const LinkParts& parts,
                                                std::shared_ptr<const Source> source);
  ~MqttLink() override;

  // Acknowledges what is under way, then says goodbye; the broker keeps the session.
  void drain() override;
  bool fetches_alike(const Source& next) const override;
  void declare(std::shared_ptr<const Source> next) override { source_ = std::move(next); }

 private:
  // Messages of one batch, to be acknowledged together.
  struct InFlight {
    std::vector<mqtt::PacketId> ids;
    bool is_durable = false;
  };

  MqttLink(const LinkParts& parts, std::shared_ptr<const Source> source);
  const MqttClientSource& declared() const {
    return std::get<MqttClientSource>(source_->declaration.connector);
  }
  mqtt::ProtocolVersion version() const {
    return declared().is_v5 ? mqtt::ProtocolVersion::v5 : mqtt::ProtocolVersion::v3_1_1;
  }

  void connect();
  void say_hello();
  void subscribe();
  bool send(const mqtt::Packet& packet);
  void lose(std::string why);
  void connect_later();

  std::size_t on_bytes(std::span<const std::byte> bytes) override;
  void on_closed(const Error& reason) override;
  // False: the connection is of no more use, and `why_lost_` says why.
  bool on_packet(const mqtt::Packet& packet);
  bool on_connack(const mqtt::Connack& connack);
  bool on_suback(const mqtt::Suback& suback);
  bool on_publish(const mqtt::Publish& publish);
  void on_beat();

  void hand_over();
  void on_durable(std::uint64_t connection, std::uint64_t batch, const Status& status);
  void acknowledge();
  void hold_back();
  void go_on();
  void say_goodbye_if_idle();

  const LinkParts parts_;
  std::shared_ptr<const Source> source_;
  std::uint64_t tls_fingerprint_ = 0;           // of the files that tls names, when they were read
  std::shared_ptr<net::TlsClientContext> tls_;  // null: not encrypted
  std::unique_ptr<net::TcpConnector> connector_;
  std::unique_ptr<net::Connection> connection_;
  net::Timer retry_;
  net::Timer beat_;
  BackOff back_off_;
  MappingScratch scratch_;
  SourceBatchBuilder builder_;
  std::vector<mqtt::PacketId> unacknowledged_;  // of what is in builder_
  std::vector<std::string_view> places_;
  std::vector<std::byte> out_;

  // Of the present connection; its number tells late completions of earlier ones apart.
  std::uint64_t connection_number_ = 0;
  std::deque<InFlight> in_flight_;
  std::uint64_t first_batch_ = 0;  // the number of in_flight_.front()
  std::size_t packet_bytes_max_ = 0;
  bool is_subscribed_ = false;
  bool is_peer_alive_ = true;
  bool is_room_awaited_ = false;
  std::string why_lost_;

  bool is_draining_ = false;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ficus::connect
