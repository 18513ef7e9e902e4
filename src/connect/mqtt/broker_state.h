#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "connect/mqtt/session.h"
#include "connect/mqtt/topic_tree.h"
#include "engine/commit_log.h"

namespace ficus::connect {

struct BrokerLimits {
  std::size_t session_messages_max =
      10'000;  // queued for one session; newer ones are dropped and counted
  std::size_t session_bytes_max = std::size_t{16} << 20;
  std::size_t sessions_max = 1'000'000;
  std::size_t subscriptions_per_session_max = 10'000;
  std::size_t retained_messages_max = 1'000'000;
  Micros session_expiry_max = Micros::from_hours(24 * 7);
};

struct BrokerCounts {
  std::uint64_t messages_dropped = 0;  // a queue was full
  std::uint64_t retained_refused = 0;  // no room for another topic
};

// Sessions, subscriptions, queued and retained messages: what the broker must not forget. A
// deterministic fold over the broker's log; no socket, no clock, one thread.
//
// Every change that must survive a crash is done and, at once, written down as a fact: take_facts()
// gives what was written since the last call, to be appended to the log as one record. A snapshot
// is the shortest list of facts that makes the same state. QoS 0 messages and sessions that end
// with their connection leave no fact.
class BrokerState final : public LogFold {
 public:
  explicit BrokerState(const BrokerLimits& limits);
  ~BrokerState();

  struct Opened {
    Session* session = nullptr;
    bool was_present = false;
  };
  // CONNECT: finds the client's session or begins one; clean_start ends an earlier one first
  // (MQTT 5.0, 3.1.2.4). REQUIRES: an earlier connection of the client has been ended. overloaded
  // at sessions_max.
  Result<Opened> open(std::string_view client_id, bool clean_start, Micros expiry);
  // The connection ended: the session waits for its client, or ends too.
  void go_offline(Session& session, Timestamp now);
  // Ends sessions whose client has been away for longer than their expiry.
  void expire(Timestamp now);
  Session* find(std::string_view client_id);

  // overloaded at the session's limit. `is_new`: the session did not have the filter.
  Status subscribe(Session& session, std::string_view filter, SubscriptionOptions options,
                   bool& is_new);
  bool unsubscribe(Session& session,
                   std::string_view filter);  // false: there was no such subscription

  // Whether a message to this topic has to be made at all.
  bool has_subscriber(std::string_view topic) const { return tree_.matches_any(topic); }
  // Keeps the message if it is to be retained, and passes it to every session that wants it.
  // `origin` is the session that published it (for no_local), or null.
  void publish(const MessagePtr& message, const Session* origin);
  // Queues the retained messages that fit a new subscription (MQTT 5.0, 3.8.4), whatever their
  // number: they wait for the client to take them.
  void send_retained(Session& session, std::string_view filter, SubscriptionOptions options);
  // Takes the first message that waits off: it was of QoS 0 and has been sent, or the client could
  // not take its size. REQUIRES: there is one.
  void drop_next(Session& session);
  // DISCONNECT may change the expiry (MQTT 5.0, 3.14.2.2.2).
  void set_expiry(Session& session, Micros expiry);
  // The client has taken a queued message. False if the identifier is not in flight.
  bool acknowledge(Session& session, mqtt::PacketId packet_id);
  // After a new connection: what was in flight must be sent again (MQTT 5.0, 4.4).
  static void forget_in_flight(Session& session);

  const RetainedMessages& retained() const { return retained_; }
  const TopicTree& tree() const { return tree_; }
  std::size_t session_count() const { return sessions_.size(); }
  const BrokerCounts& counts() const { return counts_; }

  bool has_facts() const { return !facts_.empty(); }
  std::size_t facts_bytes() const { return facts_.size(); }
  std::string take_facts();
  Sections encode() const;

  Status restore(const Sections& sections) override;
  Status replay(std::string_view payload, Timestamp time, log::Position end) override;
  // After recovery nobody is connected: sessions wait from `now` on.
  void all_offline(Timestamp now);

 private:
  struct Target {
    Session* session = nullptr;
    SubscriptionOptions options;
  };
  Session& insert_session(std::string_view client_id, Micros expiry);
  void remove_session(Session& session);
  bool has_room(const Session& session, const Message& message) const;
  void enqueue(Session& session, QueuedMessage message);
  void erase_queued(Session& session, std::deque<QueuedMessage>::iterator at);
  void deliver(const MessagePtr& message, const std::vector<Target>& targets);
  std::vector<Target> targets_of(const Message& message, const Session* origin);
  Status replay_facts(std::string_view facts);

  const BrokerLimits limits_;
  std::unordered_map<std::string_view, std::unique_ptr<Session>>
      sessions_;  // keys live in the sessions
  TopicTree tree_;
  RetainedMessages retained_;
  std::string facts_;
  BrokerCounts counts_;
  std::vector<Subscriber> matched_;  // scratch
};

}  // namespace ficus::connect
