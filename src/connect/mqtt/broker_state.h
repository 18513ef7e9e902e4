#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "connect/mqtt/broker_facts.h"
#include "connect/mqtt/broker_limits.h"
#include "connect/mqtt/fact_journal.h"
#include "connect/mqtt/queue_memory.h"
#include "connect/mqtt/retained_messages.h"
#include "connect/mqtt/session.h"
#include "connect/mqtt/shared_group.h"
#include "connect/mqtt/topic_tree.h"
#include "connect/mqtt/will_book.h"
#include "engine/commit_log.h"

namespace ficus::connect {

// A message of QoS 2 that the broker has taken over and the engine has still to hear.
struct HeldMessage {
  MessagePtr message;
  Timestamp received_at;  // the same at every try, so that the engine knows a repetition
};

// Sessions, subscriptions, queued and retained messages, wills: what the broker must not forget. A
// deterministic fold over the broker's log; no socket, no clock, one thread.
//
// Every change that must survive a crash is done and, at once, written down as a fact: take_facts()
// gives what was written since the last call, as records for the log: one step, of which a crash
// keeps all or nothing. A snapshot is the shortest list of facts that makes the same state. QoS 0
// messages and sessions that end with their connection leave no fact; wills always do.
//
// Its parts: broker_sessions.cc, broker_subscriptions.cc, broker_retained.cc, broker_routing.cc,
// broker_groups.cc (shared subscriptions), broker_queues.cc (one session's messages),
// broker_wills.cc, broker_replay.cc (the log, read again), broker_snapshot.cc.
class BrokerState final : public LogFold {
 public:
  explicit BrokerState(const BrokerLimits& limits);
  ~BrokerState();

  // --- sessions

  struct Opening {
    std::string_view client_id;
    std::string_view owner = {};
    bool clean_start = false;
    Micros expiry = {};
  };
  struct Opened {
    Session* session = nullptr;
    bool was_present = false;
  };
  // CONNECT: finds the client's session or begins one; clean_start ends an earlier one first
  // (MQTT 5.0, 3.1.2.4), whose will is then due; resuming one takes its will back (3.1.3.2.2).
  // REQUIRES: an earlier connection of the client has been ended. overloaded at sessions_max.
  Result<Opened> open(const Opening& opening, Timestamp now);
  // The connection ended: the session waits for its client, or ends too. Its will becomes due.
  void go_offline(Session& session, Timestamp now);
  // DISCONNECT may change the expiry (MQTT 5.0, 3.14.2.2.2).
  void set_expiry(Session& session, Micros expiry);
  // Ends sessions whose client has been away for longer than their expiry, those first that were to
  // end first. False if `sessions_max` were not all.
  bool expire(Timestamp now, std::size_t sessions_max = SIZE_MAX);
  Session* find(std::string_view client_id);

  // --- subscriptions

  // overloaded at the session's limit. `is_new`: the session did not have the filter. REQUIRES: a
  // valid filter; "$share/NAME/..." joins a group.
  Status subscribe(Session& session, std::string_view filter, SubscriptionOptions options,
                   bool& is_new);
  bool unsubscribe(Session& session,
                   std::string_view filter);  // false: there was no such subscription
  // The retained messages that fit a new subscription (MQTT 5.0, 3.8.4) are to be sent, whatever
  // their number. Some are queued now, the others as fetch_retained() is called.
  void send_retained(Session& session, std::string_view filter, SubscriptionOptions options,
                     Timestamp now);
  // Queues a share of them if the queue is short. False if there was nothing to do.
  bool fetch_retained(Session& session, Timestamp now);
  // Takes one retained message off that has expired; false if there is none.
  bool forget_expired_retained(Timestamp now);

  // --- messages to clients

  // Whether the session's queue takes another message, if it is short.
  bool has_room(Session& session, Timestamp now) { return has_room(session, 1, now); }
  // REQUIRES: has_room() has just said that there is none.
  DropCause why_no_room(const Session& session, std::size_t bytes = 1) const;
  // Whether the message can be retained, beside the others or in place of an older one.
  bool has_room_to_retain(const Message& message, Timestamp now);
  // Keeps the message if it is to be retained, and passes it to every session that wants it.
  // `origin` is the session that published it (for no_local), or null.
  void publish(const MessagePtr& message, const Session* origin, Timestamp now);
  // Takes the first message that waits off: it was of QoS 0 and has been sent, or the client could
  // not take its size. REQUIRES: there is one.
  void drop_next(Session& session);
  // Takes messages off that have expired while they waited at the head of the queue.
  void drop_expired(Session& session, Timestamp now);
  // Ends a session whose user is gone, and forgets its will. REQUIRES: the client is away.
  void end(Session& session, Timestamp now);
  // The sessions that wait for their clients, one after the other: `place` begins empty. Null at
  // the end. Sessions may end in between.
  struct Place {
    Timestamp deadline = Timestamp::min();
    std::string client_id;
  };
  Session* next_offline(Place& place);

  // Takes messages off that were never sent and whose topic `may_get` does not take; counts them.
  template <typename MayGet>
  void drop_unless(Session& session, MayGet&& may_get) {
    FrontQueue<QueuedMessage> queue = take_queue(session);
    work_ += queue.size();
    for (QueuedMessage& queued : queue) {
      if (queued.message == nullptr || queued.was_sent || may_get(queued.message->topic())) {
        enqueue(session, std::move(queued));
        continue;
      }
      ++session.dropped;
      counts_.messages_dropped.add(DropCause::no_right);
      write_gone(session, queued);
    }
  }
  // PUBACK, or a PUBREC that refuses. False if no such message is in flight.
  bool acknowledge(Session& session, mqtt::PacketId packet_id);
  // PUBREC: the client has taken a QoS 2 message. False if no such message is in flight.
  bool take(Session& session, mqtt::PacketId packet_id);
  // PUBCOMP. False if none was owed.
  bool complete(Session& session, mqtt::PacketId packet_id);

  // --- QoS 2 messages from clients

  // False if the identifier is known already: the message is a repetition (4.3.3).
  bool receive(Session& session, mqtt::PacketId packet_id);
  bool release(Session& session, mqtt::PacketId packet_id);  // PUBREL; false: was not known
  // Keeps a message until the engine has it; returns its number.
  std::uint64_t hold(const MessagePtr& message, Timestamp received_at);
  void handed_over(std::uint64_t number);
  const std::map<std::uint64_t, HeldMessage>& held() const { return held_; }

  // --- wills

  // Whether a will of this client fits beside all others.
  bool has_room_for_will(std::string_view client_id, const Message& message) const;
  void set_will(const Session& session, const MessagePtr& message, Micros delay);
  void remove_will(std::string_view client_id);
  struct DueWill {
    std::string client_id;
    std::string owner;
    MessagePtr message;
  };
  // Takes a will off that has become due; nothing if there is none.
  std::optional<DueWill> take_due_will(Timestamp now);
  // The same for the will of this client.
  std::optional<DueWill> take_due_will(std::string_view client_id, Timestamp now);

  const RetainedMessages& retained() const { return retained_; }
  const TopicTree& tree() const { return tree_; }
  std::size_t session_count() const { return sessions_.size(); }
  std::size_t queued_bytes() const { return queue_memory_.bytes(); }  // in all queues together
  std::size_t will_count() const { return wills_.all().size(); }
  const BrokerCounts& counts() const { return counts_; }

  // --- the log

  bool has_facts() const { return !journal_.empty(); }
  std::size_t facts_bytes() const { return journal_.bytes(); }
  // The records of one step. None is much longer than FactJournal::kRecordBytes and a message.
  std::vector<std::string> take_facts() { return journal_.take(); }
  // The number of the step that the next take_facts() gives; the first is 1.
  std::uint64_t record() const { return journal_.step(); }
  // Grows with what was done: sessions ended, messages delivered or looked at. For those who want
  // to do a share of what is due, and the rest later.
  std::uint64_t work() const { return work_; }
  Sections encode() const;

  Status restore(const Sections& sections) override;
  Status replay(std::string_view payload, Timestamp time, log::Position end) override;
  // After recovery nobody is connected: who was online waits from `now` on, wills become due.
  void all_offline(Timestamp now);

 private:
  // A share of the retained messages for one subscription, as it was fetched.
  struct Fetched {
    std::string_view filter;
    std::string_view up_to;  // topic; lives in its message
    bool is_all = false;     // nothing is left to fetch
    Timestamp now;
    std::uint64_t first_number = 0;
  };
  Session& insert_session(std::string_view client_id, Micros expiry);
  void end_session(Session& session, Timestamp now);
  void begin_waiting(Session& session, Timestamp since);  // for its client to come back
  void stop_waiting(Session& session);
  void remove_session(Session& session);
  void add_to_tree(Session& session, std::string_view filter, SubscriptionOptions options);
  void remove_from_tree(Session& session, std::string_view filter);
  std::shared_ptr<SharedGroup> group_of(std::string_view filter);
  static void put_subscription(Session& session, std::string_view filter,
                               SubscriptionOptions options);
  bool has_room_in_group(std::string_view filter) const;

  bool fits_its_queue(const Session& session, std::size_t bytes) const;
  bool has_room(Session& session, std::size_t bytes, Timestamp now);
  bool has_room(Session& session, const Message& message, Timestamp now) {
    return has_room(session, message.bytes().size(), now);
  }
  void deliver(const MessagePtr& message, Session& session, const SubscriptionOptions& options,
               const std::shared_ptr<SharedGroup>& group, Timestamp now);
  void deliver_to_group(const MessagePtr& message, SharedGroup& group, Timestamp now);
  void write_delivered(const Message& message);
  void wake_delivered();
  void share_again(Session& from, bool has_ended, Timestamp now);
  void write_moved(const Session& from, const QueuedMessage& queued, const Session* to,
                   const QueuedMessage* moved);
  void enqueue(Session& session, QueuedMessage message);
  FrontQueue<QueuedMessage> take_queue(Session& session);  // leaves it empty
  void forget_message(Session& session, QueuedMessage& queued);
  void queue_retained(Session& session, const Fetched& fetched, std::vector<MessagePtr> messages,
                      bool is_replay);
  bool replay_fetched(Session* session, fact::ByteReader& in);
  static void put_wish(Session& session, RetainedWish wish);
  static void forget_wish(Session& session, std::string_view filter);
  void erase_queued(Session& session, FrontQueue<QueuedMessage>::iterator at);
  void write_gone(const Session& session, const QueuedMessage& queued);
  std::string& facts() { return journal_.next(); }  // to write one to

  Status replay_facts(std::string_view facts);
  bool replay_fact(fact::ByteReader& in);
  bool replay_session_fact(facts::Kind kind, std::string_view client_id, fact::ByteReader& in);
  bool replay_queue_fact(facts::Kind kind, std::string_view client_id, fact::ByteReader& in);
  bool replay_message_fact(facts::Kind kind, fact::ByteReader& in);
  void replay_queued(facts::QueuedFor wanted);
  bool replay_moved(std::string_view from, std::uint64_t number, fact::ByteReader& in);
  Status restore_messages(std::string_view bytes);
  bool restore_fact(facts::Kind kind, fact::ByteReader& in);

  const BrokerLimits limits_;
  std::unordered_map<std::string_view, std::unique_ptr<Session>>
      sessions_;                                                // keys live in the sessions
  std::set<std::pair<Timestamp, std::string_view>> deadlines_;  // of those who wait; the same keys
  TopicTree tree_;
  std::map<std::string, std::shared_ptr<SharedGroup>, std::less<>> groups_;
  RetainedMessages retained_;
  WillBook wills_;
  std::map<std::uint64_t, HeldMessage> held_;
  std::uint64_t next_held_ = 1;
  std::uint64_t next_session_ = 1;
  FactJournal journal_;
  StepReader steps_;
  std::vector<MessagePtr> restored_;  // while a snapshot is read
  QueueMemory queue_memory_;
  BrokerCounts counts_;
  std::uint64_t work_ = 0;

  // Scratch of one publish.
  std::vector<Subscriber> matched_;
  mqtt::SubscriptionIdBuffer ids_;
  struct Delivered {
    Session* session = nullptr;
    std::uint64_t number = 0;
  };
  std::vector<Delivered> delivered_;
  std::string refs_;
};

}  // namespace ficus::connect
