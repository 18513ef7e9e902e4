#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>

#include "codec/mqtt/decode_error.h"
#include "codec/mqtt/packet.h"
#include "connect/mqtt/message.h"
#include "connect/mqtt/reply_queue.h"
#include "connect/mqtt/session.h"
#include "net/connection.h"

namespace ficus::connect {

class MqttServer;

// One client's connection: the state machine of its packets (MQTT 5.0, 4; 3.1.1, 4). Owned by the
// server, which it calls for everything that outlives it.
class MqttConnection final : public net::ConnectionHandler, public SessionOutlet {
 public:
  MqttConnection(MqttServer& server, std::unique_ptr<net::Connection> tcp, Micros now);
  ~MqttConnection();

  void start() { tcp_->start(*this); }

  // Answers whose promises are durable leave.
  void release(log::Position durable);
  void hold_back() { tcp_->pause_reading(); }
  void go_on();
  // It takes too little of what we send, or its answers wait for the device: to be read no further.
  bool is_behind() const;
  // Ends the connection: a 5.0 client is told why.
  void end(mqtt::ReasonCode reason);
  // Nothing heard for one and a half times the keep-alive (3.1.2.10), or no CONNECT in time.
  bool is_overdue(Micros now, Micros connect_timeout) const;
  bool has_replies() const { return replies_.size() > 0; }
  // The server stops: no will is published, since the client did nothing wrong.
  void say_goodbye();

  std::size_t on_bytes(std::span<const std::byte> bytes) override;
  void on_writable() override;
  void on_closed(const Error& reason) override;

  void send_now(const MessagePtr& message, bool retain) override;
  void send_queued() override;

  std::list<std::unique_ptr<MqttConnection>>::iterator place;  // in the server's list

 private:
  // Handles one packet; nothing if it was fine, else why the connection must end.
  std::optional<mqtt::ReasonCode> handle(const mqtt::Packet& packet);
  std::optional<mqtt::ReasonCode> on_connect(const mqtt::Connect& connect);
  std::optional<mqtt::ReasonCode> on_publish(const mqtt::Publish& publish);
  std::optional<mqtt::ReasonCode> on_subscribe(const mqtt::Subscribe& subscribe);
  std::optional<mqtt::ReasonCode> on_unsubscribe(const mqtt::Unsubscribe& unsubscribe);
  std::optional<mqtt::ReasonCode> on_disconnect(const mqtt::Disconnect& disconnect);
  mqtt::ReasonCode subscribe_one(const mqtt::Subscription& wish);
  void on_decode_error(mqtt::DecodeError error, std::span<const std::byte> rest);
  void refuse_connect(mqtt::ReasonCode reason);
  void take_over(std::string_view client_id);
  void acknowledge(mqtt::PacketId packet_id, mqtt::ReasonCode reason);
  void reply(const mqtt::Packet& packet);
  void send(const mqtt::Packet& packet);
  void leave_session();
  void publish_will();

  MqttServer& server_;
  std::unique_ptr<net::Connection> tcp_;
  mqtt::ProtocolVersion version_ = mqtt::ProtocolVersion::v3_1_1;
  Session* session_ = nullptr;  // null before CONNECT and after the end
  MessagePtr will_;
  ReplyQueue replies_;
  Micros last_heard_;
  Micros keep_alive_;
  std::size_t receive_maximum_ = 65'535;
  std::size_t packet_bytes_max_ = SIZE_MAX;  // that the client takes
  bool is_ready_ = false;                    // the CONNACK has left
  bool is_ending_ = false;
};

}  // namespace ficus::connect
