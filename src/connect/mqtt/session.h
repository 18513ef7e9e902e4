#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "connect/mqtt/front_queue.h"
#include "connect/mqtt/message.h"
#include "connect/mqtt/subscriber_list.h"

namespace ficus::connect {

class PlainPublish;
class SharedGroup;

// The connection of a session that is online, as far as the session's state needs it.
class SessionOutlet {
 public:
  // A QoS 0 message: sent now, or dropped and counted if the client takes too little.
  virtual void send_now(const MessagePtr& message, bool retain,
                        const mqtt::SubscriptionIdBuffer& subscription_ids) = 0;
  // The same for a message that is the same for all.
  virtual void send_plain(PlainPublish& message) = 0;
  // False: a QoS 0 message would be dropped, so that it need not be made.
  virtual bool takes_now() const = 0;
  // Messages wait in the session's queue: send as many as the client's receive maximum allows.
  virtual void send_queued() = 0;

 protected:
  ~SessionOutlet() = default;
};

// A message on its way to one session, numbered in the order of arrival.
struct QueuedMessage {
  std::uint64_t number = 0;
  MessagePtr message;  // null: of QoS 2 and taken by the client (PUBREC), which owes its PUBCOMP
  std::shared_ptr<SharedGroup> group;  // it came by its shared subscription; null: by none
  mqtt::SubscriptionIdBuffer subscription_ids;
  // The record of the log that must be durable before it is sent; 0: it may be sent at once. For
  // QoS 2: a packet identifier that the client has seen must survive a crash, or it would stand for
  // another message.
  std::uint64_t record = 0;
  mqtt::Qos qos = mqtt::Qos::at_most_once;
  bool retain = false;
  bool is_logged = false;
  bool was_sent = false;  // on this connection or an earlier one, as far as is known

  // What counts against the session's limit: the identifiers of ten thousand subscriptions may be
  // longer than the message.
  std::size_t bytes() const {
    return message == nullptr ? 0 : message->bytes().size() + 4 * subscription_ids.view().size();
  }

  // A function of the number, so that it needs no fact of its own and is the same after a crash.
  // Unused by others as long as a session's queue spans fewer than 65535 numbers.
  mqtt::PacketId packet_id() const {
    return static_cast<mqtt::PacketId>(static_cast<std::uint16_t>(number % 65'535 + 1));
  }
};

// The retained messages of a subscription that the session has still to get: those behind a topic.
// They are fetched as the session's queue takes them, so that it stays short however many there
// are.
struct RetainedWish {
  std::string filter;
  SubscriptionOptions options;
  std::string after;  // empty: all of them
};

// What the broker knows of one client (MQTT 5.0, 4.1). Owned by BrokerState; used by its thread.
class Session {
 public:
  // Numbers in flight must stay this close together, so that their packet identifiers differ.
  static constexpr std::uint64_t kNumberSpan = 65'535;

  // `order`: another one for each session, growing; from 1 on.
  Session(std::string client_id, std::uint64_t order)
      : client_id_(std::move(client_id)), order_(order) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const std::string& client_id() const { return client_id_; }
  // Who began earlier is served earlier: an order that is the same in each run, as addresses are
  // not.
  std::uint64_t order() const { return order_; }

  // Kept beyond its connection, and so kept in the log.
  bool is_persistent() const { return expiry.count > 0; }

  std::string owner;                    // the user whose client began it; others may not have it
  Micros expiry;                        // after the connection ended
  Timestamp offline_since;              // meaningful while connection is null
  SessionOutlet* connection = nullptr;  // null: the client is away
  bool was_online_in_log = false;       // while recovering: its last connection has no end
  std::map<std::string, SubscriptionOptions, std::less<>> subscriptions;
  std::size_t filter_bytes = 0;  // of these

  std::vector<RetainedWish> retained_wishes;  // one for a filter

  // Messages that the client has not taken: first those in flight, then those waiting. QoS 0
  // messages are here only if they are retained ones for a new subscription.
  FrontQueue<QueuedMessage> queue;
  std::size_t in_flight = 0;  // how many from the front were sent on this connection
  std::size_t queued_bytes = 0;
  std::uint64_t next_number = 1;
  std::uint64_t dropped = 0;

  bool has_waiting() const { return in_flight < queue.size(); }
  // The first message that waits may be sent without its identifier being in use. REQUIRES:
  // has_waiting().
  bool has_free_identifier() const {
    return queue[in_flight].number - queue.front().number < kNumberSpan;
  }
  // The message in flight with this identifier, or queue.end().
  FrontQueue<QueuedMessage>::iterator find_in_flight(mqtt::PacketId packet_id);
  // The message with this number, or queue.end().
  FrontQueue<QueuedMessage>::iterator find_number(std::uint64_t number);
  // A message queued lately, or null if it has gone already.
  const QueuedMessage* find_recent(std::uint64_t number) const;

  // Packet identifiers of QoS 2 messages that the client has published and not yet released
  // (PUBREL): one of these that comes again is the same message (4.3.3).
  bool has_received(mqtt::PacketId packet_id) const;
  bool add_received(mqtt::PacketId packet_id);     // false: it was there
  bool remove_received(mqtt::PacketId packet_id);  // false: it was not
  const std::vector<mqtt::PacketId>& received() const { return received_; }

 private:
  const std::string client_id_;
  const std::uint64_t order_;
  std::vector<mqtt::PacketId> received_;  // sorted
};

}  // namespace ficus::connect
