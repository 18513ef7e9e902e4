#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "codec/mqtt/packet.h"
#include "model.h"
#include "sim_network.h"

namespace ficus::sim {

// What a client wants to publish, and which entry of the model it is.
struct Publication {
  enum class What : std::uint8_t { reading, nonsense, message, retained };
  What what = What::reading;
  std::uint64_t number = 0;
  std::string topic;
  std::string payload;
  int qos = 0;
  bool retain = false;
};

// An MQTT client that keeps all the rules and forgets nothing, whatever becomes of its connection:
// a session that outlives connections, a window of messages in flight, QoS 2 in both directions.
class Peer {
 public:
  struct Options {
    std::string id;
    mqtt::ProtocolVersion version = mqtt::ProtocolVersion::v5;
    std::string filter = {};  // to subscribe to; empty: nothing
    int filter_qos = 0;
    bool is_dead = false;   // subscribes, then never takes anything again
    bool is_fresh = false;  // a session without a past, that ends with the connection
  };
  Peer(Options options, Model& model, Report& report)
      : options_(std::move(options)), model_(model), report_(report) {}

  const std::string& id() const { return options_.id; }
  void publish(Publication publication) { outbox_.push_back(std::move(publication)); }
  std::size_t waiting() const { return outbox_.size() + in_flight_.size(); }
  // Nothing is owed to it or by it.
  bool is_idle() const;
  bool is_connected() const { return wire_ != nullptr; }
  bool is_dead() const { return options_.is_dead; }
  bool is_subscribed() const { return is_subscribed_; }

  void connect(std::shared_ptr<Wire> wire);
  void on_disconnected();
  Wire* wire() { return wire_.get(); }
  // Reads what has arrived and sends what may be sent. `now` for messages.
  void act(Micros now, Random& random);

 private:
  struct InFlight {
    Publication publication;
    std::uint64_t order = 0;
    bool is_taken = false;  // PUBREC has come
  };
  void send(const mqtt::Packet& packet);
  void send_publish(const InFlight& flight, std::uint16_t id, bool dup);
  void hear(const mqtt::Packet& packet, Micros now);
  void on_connack(const mqtt::Connack& connack, Micros now);
  void on_publish(const mqtt::Publish& publish, Micros now);
  void note_heard(const mqtt::Publish& publish, Micros now);
  void on_answer(std::uint16_t id, mqtt::ReasonCode reason, int qos, Micros now);
  void note_acknowledged(const Publication& publication);
  void note_sent(const Publication& publication);
  void fail(Micros now, const std::string& text);

  const Options options_;
  Model& model_;
  Report& report_;
  std::shared_ptr<Wire> wire_;
  bool is_accepted_ = false;    // CONNACK has come
  bool has_session_ = false;    // the broker has acknowledged one
  bool is_subscribed_ = false;  // and a subscription
  bool is_subscribing_ = false;
  std::deque<Publication> outbox_;
  std::map<std::uint16_t, InFlight> in_flight_;
  std::uint64_t next_order_ = 1;
  std::uint16_t next_id_ = 1;
  std::set<std::uint16_t> taken_;  // QoS 2 messages to us, not released
  std::vector<std::byte> scratch_;
};

}  // namespace ficus::sim
