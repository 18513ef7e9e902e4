#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/time.h"
#include "codec/mqtt/packet.h"
#include "connect/mqtt/message.h"
#include "connect/mqtt/topic_tree.h"

namespace ficus::connect {

// The connection of a session that is online, as far as the session's state needs it.
class SessionOutlet {
 public:
  // A QoS 0 message: sent now, or dropped and counted if the client takes too little.
  virtual void send_now(const MessagePtr& message, bool retain) = 0;
  // Messages wait in the session's queue: send as many as the client's receive maximum allows.
  virtual void send_queued() = 0;

 protected:
  ~SessionOutlet() = default;
};

// A message on its way to one session, numbered in the order of arrival. Only what was published
// while the session existed is in the log: retained messages for a new subscription are not, as a
// client that subscribes again gets them again.
struct QueuedMessage {
  std::uint64_t number = 0;
  MessagePtr message;
  mqtt::Qos qos = mqtt::Qos::at_most_once;
  bool retain = false;
  bool is_logged = false;
  mqtt::PacketId packet_id = mqtt::PacketId::none;  // set while it is in flight
};

// What the broker knows of one client (MQTT 5.0, 4.1). Owned by BrokerState; used by its thread.
class Session {
 public:
  explicit Session(std::string client_id) : client_id_(std::move(client_id)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const std::string& client_id() const { return client_id_; }

  // Kept beyond its connection, and so kept in the log.
  bool is_persistent() const { return expiry.count > 0; }

  Micros expiry;                        // after the connection ended
  Timestamp offline_since;              // meaningful while connection is null
  SessionOutlet* connection = nullptr;  // null: the client is away
  std::map<std::string, SubscriptionOptions, std::less<>> subscriptions;

  // Messages that the client has not taken: first those in flight, then those waiting. QoS 0
  // messages are here only if they are retained ones for a new subscription.
  std::deque<QueuedMessage> queue;
  std::size_t in_flight = 0;  // how many from the front have a packet identifier
  std::size_t queued_bytes = 0;
  std::uint64_t next_number = 1;
  std::uint64_t dropped = 0;

  // The next identifier that no message in flight has. REQUIRES: in_flight < 65535.
  mqtt::PacketId next_packet_id();

 private:
  const std::string client_id_;
  std::uint16_t last_packet_id_ = 0;
};

}  // namespace ficus::connect
