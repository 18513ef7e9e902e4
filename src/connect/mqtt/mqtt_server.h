#pragma once

#include <atomic>
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
#include "connect/mqtt/reply_queue.h"
#include "engine/commit_log.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "net/tcp.h"

namespace ficus::connect {

class MqttConnection;

struct MqttServerOptions {
  net::Address address;
  std::size_t connections_max = 10'000;
  std::size_t packet_bytes_max =
      std::size_t{1} << 20;  // announced to 5.0 clients; a longer one ends the connection
  std::size_t session_messages_max = 10'000;
  std::size_t session_bytes_max = std::size_t{16} << 20;
  std::size_t retained_messages_max = 1'000'000;
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
};

struct MqttServerCounts {
  std::uint64_t connections = 0;
  std::uint64_t sessions = 0;
  std::uint64_t retained_messages = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;  // over connections_max, or the CONNECT was not accepted
  std::uint64_t protocol_errors = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_dropped = 0;
};

// The broker: MQTT 3.1.1 and 5.0 over TCP, QoS 0 and 1, retained messages, wills, persistent
// sessions. Messages on a topic of a source are mapped and go into the engine; every message goes
// to the clients that subscribed.
//
// A PUBACK, SUBACK or CONNACK leaves when all that it promises is durable: the observations in the
// engine's log, retained and queued messages, sessions and subscriptions in the broker's own
// (<data>/log/broker).
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

  const net::Address& address() const { return listener_->address(); }

  // A message of the brain itself: QoS 1, not retained.
  void publish(std::string_view topic, std::string_view payload);
  bool has_subscriber(std::string_view topic) const { return state_.has_subscriber(topic); }
  bool has_subscriber_under(std::string_view levels) const {
    return state_.tree().has_any_under(levels);
  }

  // Called whenever a client has subscribed, unsubscribed, or gone.
  void on_subscriptions_changed(net::Task task) { on_subscriptions_changed_ = std::move(task); }

  // Accepts and reads no more.
  void drain();
  // Tells the clients that the server shuts down (5.0) and closes. After drain().
  void say_goodbye();
  // Makes the sessions durable and closes the log. After the loop has ended.
  Status close();
  MqttServerCounts counts() const;

 private:
  friend class MqttConnection;

  // Items of one source, of all connections in this turn.
  struct Gathering {
    explicit Gathering(SourceId source) : builder(source) {}
    SourceBatchBuilder builder;
    std::vector<std::shared_ptr<ReplyGroup>> waiting;
  };

  MqttServer(const MqttServerParts& parts, const MqttServerOptions& options);
  Status open_log(const CommitLogOptions& log_options);
  void accept(std::unique_ptr<net::Connection> tcp);
  void remove(MqttConnection& connection);

  // --- used by connections
  // Maps the message if it belongs to a source; `group` then waits for it.
  void ingest(const mqtt::Publish& publish, const std::shared_ptr<ReplyGroup>& group);
  // The state may have written facts: the group waits until they are durable.
  void wait_for_facts(const std::shared_ptr<ReplyGroup>& group);
  bool must_hold_back() const;
  void hold_back(MqttConnection& connection);

  void end_turn_later();
  void end_turn();
  void hand_over(Gathering& gathering);
  void flush();
  void flush_if_large();
  void on_durable();
  void release_waiting();
  void note_subscriptions_changed();
  void resume_held();
  void on_second();
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
  std::vector<MqttConnection*> waiting_;  // have answers that wait to be durable
  net::Task on_subscriptions_changed_;
  MappingScratch scratch_;
  std::vector<std::string_view> placeholders_;
  std::vector<std::byte> packet_;  // scratch for one packet
  std::atomic<bool> progress_posted_ = false;
  bool end_of_turn_posted_ = false;
  bool room_awaited_ = false;
  bool is_stalled_ = false;  // the broker's log cannot be written
  bool is_draining_ = false;
  std::uint64_t next_assigned_id_ = 0;
  MqttServerCounts counts_;
  std::optional<std::pair<log::Position, LogFold::Sections>> waiting_snapshot_;
  net::Timer second_;
};

}  // namespace ficus::connect
