#pragma once

#include <atomic>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/logger.h"
#include "connect/ingest/ingest.h"
#include "connect/ingest/source_set.h"
#include "connect/mqtt/broker_state.h"
#include "connect/mqtt/plain_publish.h"
#include "connect/mqtt/reply_queue.h"
#include "connect/mqtt/route_cache.h"
#include "engine/commit_log.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "net/tcp.h"

namespace ficus::access {
class AccessControl;
class Principal;
}  // namespace ficus::access

namespace ficus::connect {

class MqttConnection;

struct MqttServerOptions {
  net::Address address;
  bool listens = true;  // false: connections come by accept() only
  std::size_t connections_max = 10'000;
  std::size_t packet_bytes_max =
      std::size_t{1} << 20;  // announced to 5.0 clients; a longer one ends the connection
  std::size_t session_messages_max = 10'000;
  std::size_t session_bytes_max = std::size_t{16} << 20;
  std::size_t queued_bytes_max = std::size_t{1} << 30;  // of all sessions together
  std::size_t retained_messages_max = 1'000'000;
  std::size_t retained_bytes_max = std::size_t{1} << 30;
  // Announced to 5.0 clients; one that goes beyond is ended.
  std::uint16_t receive_maximum = 8192;  // QoS 1 and 2 messages that we have not answered yet
  std::uint16_t topic_alias_max = 32;
  std::uint16_t keep_alive_max_s = 0;  // a longer one, or none, is shortened to it; 0: none is
  Micros session_expiry_max = Micros::from_hours(24 * 7);
  Micros connect_timeout = Micros::from_seconds(10);  // from the connection to a whole CONNECT
};

struct MqttServerParts {
  net::EventLoop& loop;
  Ingest& ingest;
  const SourceSet& sources;
  Disk& disk;
  const Clock& clock;
  Logger& logger;
  std::string data_directory;
  access::AccessControl* access = nullptr;  // null: everybody may do everything
};

struct MqttServerCounts {
  std::uint64_t connections = 0;
  std::uint64_t sessions = 0;
  std::uint64_t retained_messages = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;  // over connections_max, or the CONNECT was not accepted
  std::map<mqtt::ReasonCode, std::uint64_t> connects_refused;  // those that got a CONNACK
  std::uint64_t protocol_errors = 0;
  std::uint64_t connects_slow = 0;       // no whole CONNECT within `connect_timeout`
  std::uint64_t keep_alives_missed = 0;  // nothing heard for one and a half times the keep alive
  std::uint64_t messages_received = 0;
  std::uint64_t messages_sent = 0;
  DroppedMessages messages_dropped;
  std::uint64_t messages_expired = 0;  // before they could be sent
  std::uint64_t messages_refused = 0;  // PUBLISH without the right, not as promised, or disk full
  std::uint64_t retained_refused = 0;  // no room for another topic
  std::uint64_t retained_bytes = 0;
  std::uint64_t queued_bytes = 0;   // what the queues of all sessions take
  std::uint64_t messages_held = 0;  // of QoS 2, on their way to the engine
  bool is_storage_full = false;
};

// The broker: MQTT 3.1.1 and 5.0, all of it, over whatever carries bytes. Messages on a topic of a
// source are mapped and go into the engine; every message goes to the clients that subscribed.
//
// An answer (CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK) leaves when all that it promises is
// durable: the observations in the engine's log; retained and queued messages, sessions,
// subscriptions, wills and the states of QoS 2 in the broker's own (<data>/log/broker).
//
// When that log cannot be written (full disk) nothing is forgotten: what is known is kept in memory
// and written when there is space again, and what would add to it is refused meanwhile.
//
// Everything runs on the loop's thread. What many connections send in one turn of the loop is
// handed to the engine as one batch a source, and is one record of the broker's log.
class MqttServer {
 public:
  static Result<std::unique_ptr<MqttServer>> open(const MqttServerParts& parts,
                                                  const CommitLogOptions& log_options,
                                                  const MqttServerOptions& options);
  ~MqttServer();
  MqttServer(const MqttServer&) = delete;
  MqttServer& operator=(const MqttServer&) = delete;

  // REQUIRES: it listens.
  const net::Address& address() const { return listener_->address(); }

  // Takes over a connection that another listener has accepted (TLS, WebSocket).
  void accept(std::unique_ptr<net::Connection> link);

  // --- Messages of the brain itself: QoS 1, not retained (mqtt_announce.cc)

  // Whether anybody takes a message, before it is written; those who asked for it and cannot take
  // it now (they are behind, or their queues are full) then have it counted as dropped. Publish
  // what is wanted at once. The first asks for `count` messages on topics of one level more than
  // `levels`, in which some may be wanted by some; it begins the turn for what follows.
  bool has_taker_below(std::string_view levels, std::size_t count);
  bool has_taker(std::string_view topic);
  // REQUIRES: has_taker(topic) was asked last, and there is one.
  void publish(std::string_view topic, std::string_view payload);
  bool has_subscriber_under(std::string_view levels) const {
    return state_.tree().has_any_under(levels);
  }

  // Called whenever a client has subscribed, unsubscribed, or gone.
  void on_subscriptions_changed(net::Task task) { on_subscriptions_changed_ = std::move(task); }

  // What is due by the clock: wills, sessions, keep-alives, tries again. A timer calls it each
  // second.
  void tick();

  // Accepts and reads no more.
  void drain();
  // Tells the clients that the server shuts down (5.0) and closes. After drain().
  void say_goodbye();
  // Makes the sessions durable and closes the log. After the loop has ended.
  Status close();
  MqttServerCounts counts() const;
  // For those who copy its files.
  CommitLog& log() { return *log_; }

 private:
  friend class MqttConnection;

  // Items of one source, of all connections in this turn.
  struct Gathering {
    Gathering(SourceId source, std::uint64_t number) : builder(source), batch(number) {}
    SourceBatchBuilder builder;
    std::uint64_t batch = 0;  // its number, from 1 on
    std::vector<std::shared_ptr<ReplyGroup>> waiting;
    std::vector<std::uint64_t> held;  // numbers of held messages
  };

  MqttServer(const MqttServerParts& parts, const MqttServerOptions& options);
  Status open_log(const CommitLogOptions& log_options);
  void remove(MqttConnection& connection);

  // --- used by connections
  std::size_t first_packet_bytes_max() const;
  static std::size_t input_bytes_max(std::size_t packet_bytes_max);
  void begin_turn();
  // What would have to be kept is refused: the disk is full.
  bool refuses() const { return is_stalled_ || is_intake_closed_; }
  std::string new_client_id();
  // Whether a message on this route observes something.
  static bool is_for_source(const mqtt::Publish& publish, const Route& route);
  // Maps the message if it belongs to a source; `group` then waits for its batch, which is
  // returned, or 0.
  std::uint64_t ingest(const mqtt::Publish& publish, const Route& route,
                       const std::shared_ptr<ReplyGroup>& group);
  // Keeps the message in the broker's log; when it is durable there, the engine gets it.
  void hold(const MessagePtr& message);
  // Whether one of the subscribers takes a message of this QoS now. If none does, `count` messages
  // are counted as dropped for each that is to have them. `origin`: who publishes it, or null.
  bool has_taker(const Route& route, mqtt::Qos qos, const Session* origin, std::size_t count);
  // Publishes the will of this client, if it is due.
  void publish_due_will(std::string_view client_id);
  void publish_will(const BrokerState::DueWill& will);
  // Wills and sessions that are due by the clock: a share of them, and the rest in later turns.
  void work_off();
  bool work_off_one();  // false: nothing more is due
  // Whether who gave this will may publish it by the rights of now.
  bool may_publish(const BrokerState::DueWill& will);
  // Takes from the session what its user may not hear any more, or ends it if the user is gone and
  // the client is away.
  void review(Session& session);
  void drop_forbidden(Session& session, const access::Principal& user);
  // The connection's session has a message that may be sent when the log is durable.
  void wake_when_durable(MqttConnection& connection);
  // It has more to send, in a later turn.
  void send_more_later(MqttConnection& connection);
  // The state may have written facts: the group waits until they are durable.
  void wait_for_facts(const std::shared_ptr<ReplyGroup>& group);
  bool must_hold_back() const;
  void hold_back(MqttConnection& connection);

  void end_turn_later();
  void end_turn();
  Gathering& gather(const mqtt::Publish& publish, const Route& route, Timestamp received_at);
  void hand_over(Gathering& gathering);
  void on_handed_over(const std::vector<std::uint64_t>& held, bool has_failed);
  void hand_over_held();
  void flush();
  void take_facts();
  Status write_facts();
  void end_forbidden();
  bool has_many_facts() const;  // enough for a record of their own
  void flush_if_large();
  void on_durable();
  void release_waiting();
  void note_subscriptions_changed();
  void resume_held();
  void snapshot_if_due();

  const MqttServerParts parts_;
  const MqttServerOptions options_;
  BrokerState state_;
  std::unique_ptr<CommitLog> log_;
  std::unique_ptr<net::TcpListener> listener_;
  std::list<std::unique_ptr<MqttConnection>> connections_;
  std::map<SourceId, std::unique_ptr<Gathering>> gatherings_;
  std::vector<std::shared_ptr<ReplyGroup>> waiting_for_flush_;
  std::vector<MqttConnection*> held_back_;
  std::vector<MqttConnection*> waiting_;          // have answers that wait to be durable
  std::vector<MqttConnection*> waiting_to_send_;  // have messages that do
  struct Unwritten {
    std::string record;
    std::uint64_t step = 0;  // that it ends; 0: more of the step follows
  };
  std::vector<MqttConnection*> with_more_to_send_;
  std::deque<Unwritten> unwritten_;  // records that found no room in the log
  struct Step {
    std::uint64_t number = 0;
    log::Position end;
  };
  std::deque<Step> steps_;            // in the log, not durable
  std::uint64_t durable_record_ = 0;  // all steps up to this one are
  struct Held {
    std::uint64_t number = 0;
    std::uint64_t record = 0;
  };
  std::deque<Held> held_;          // to hand over when their record is durable
  std::vector<Held> held_failed_;  // tried again in the next second
  net::Task on_subscriptions_changed_;
  MappingScratch scratch_;
  RouteCache routes_;
  Route own_route_;                // of the message of the brain itself that was asked for last
  PlainPublish plain_;             // scratch for one message
  std::vector<std::byte> packet_;  // scratch for one packet
  Timestamp now_;                  // of this turn
  std::uint64_t generation_ = 0;   // of the users, when sessions were last looked through
  std::optional<BrokerState::Place> reviewed_;  // up to here, while they are
  std::atomic<bool> progress_posted_ = false;
  bool end_of_turn_posted_ = false;
  bool work_posted_ = false;
  bool room_awaited_ = false;
  bool is_stalled_ = false;        // the broker's log cannot be written: the disk is full
  bool is_intake_closed_ = false;  // that of the engine, as of this turn
  bool is_draining_ = false;
  std::uint64_t next_assigned_id_ = 0;
  std::uint64_t next_batch_ = 1;
  MqttServerCounts counts_;
  std::optional<std::pair<log::Position, LogFold::Sections>> waiting_snapshot_;
  net::Timer second_;
};

}  // namespace ficus::connect
