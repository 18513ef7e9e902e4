#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/principal.h"
#include "codec/mqtt/decode_error.h"
#include "codec/mqtt/packet.h"
#include "connect/mqtt/message.h"
#include "connect/mqtt/reply_queue.h"
#include "connect/mqtt/session.h"
#include "net/connection.h"

namespace ficus::connect {

class MqttServer;
struct Route;

// Where no client may publish: under our own topics and the server's ('$', 4.7.2).
inline bool is_reserved_topic(std::string_view topic) {
  return topic.starts_with("ficus/") || topic.starts_with('$');
}

// One client's connection: the state machine of its packets (MQTT 5.0, 4; 3.1.1, 4). Owned by the
// server, which it calls for everything that outlives it. Its parts: mqtt_connect.cc (CONNECT and
// who may), mqtt_publish.cc (messages from the client), mqtt_subscribe.cc, and mqtt_connection.cc
// (bytes, messages to the client, the end).
class MqttConnection final : public net::ConnectionHandler, public SessionOutlet {
 public:
  // Why the connection must end, and in words for a 5.0 client.
  struct Failure {
    mqtt::ReasonCode reason = mqtt::ReasonCode::unspecified_error;
    std::string_view text = {};
  };

  MqttConnection(MqttServer& server, std::unique_ptr<net::Connection> link, Micros now);
  ~MqttConnection();

  void start() { link_->start(*this); }

  // Answers whose promises are durable leave.
  void release(log::Position durable);
  void hold_back() { link_->pause_reading(); }
  void go_on();
  // It takes too little of what we send, or its answers wait for the device: to be read no further.
  bool is_behind() const;
  // Ends the connection: a 5.0 client is told why.
  void end(Failure failure);
  // Nothing heard for one and a half times the keep-alive (3.1.2.10), or no CONNECT in time.
  bool is_overdue(Micros now, Micros connect_timeout) const;
  bool has_replies() const { return replies_.size() > 0; }
  // Null if it has not logged in yet, or nobody has to.
  const access::Principal* principal() const { return principal_.get(); }
  bool is_connected() const { return session_ != nullptr; }
  // REQUIRES: is_connected().
  const std::string& client_id() const { return session_->client_id(); }
  // The server stops: wills wait for its next start (3.1.2.5).
  void say_goodbye();

  std::size_t on_bytes(std::span<const std::byte> bytes) override;
  void on_writable() override;
  void on_closed(const Error& reason) override;

  void send_now(const MessagePtr& message, bool retain,
                const mqtt::SubscriptionIdBuffer& subscription_ids) override;
  void send_plain(PlainPublish& message) override;
  bool takes_now() const override { return is_ready_ && !link_->is_congested(); }
  void send_queued() override;

  // The server's own: where it stands in its list, and whether in those of who has to send.
  std::list<std::unique_ptr<MqttConnection>>::iterator place;
  bool waits_to_send = false;
  bool has_more_to_send = false;

 private:
  using Outcome = std::optional<Failure>;  // nothing: it was fine

  Outcome handle(const mqtt::Packet& packet);
  Outcome handle_answer(const mqtt::Packet& packet);  // PUBACK, PUBREC, PUBCOMP
  Outcome on_disconnect(const mqtt::Disconnect& disconnect);
  void on_decode_error(mqtt::DecodeError error, std::span<const std::byte> rest);

  // CONNECT
  Outcome on_connect(const mqtt::Connect& connect);
  void log_in(const mqtt::Connect& connect);
  void on_logged_in(Result<access::PrincipalPtr> principal);
  void accept_connect(const mqtt::Connect& connect);
  Outcome find_fault(const mqtt::Connect& connect, std::string_view client_id) const;
  void refuse_connect(Failure failure);
  void take_over(std::string_view client_id);
  void set_will(const mqtt::Will& will);
  void answer_connect(const mqtt::Connect& connect, bool was_present, bool is_assigned);

  // PUBLISH and PUBREL
  Outcome on_publish(const mqtt::Publish& publish);
  Outcome find_topic(const mqtt::Publish& publish, std::string_view& topic);
  Failure find_fault(const mqtt::Publish& publish);  // success: none
  Failure accept(const mqtt::Publish& publish, const std::shared_ptr<ReplyGroup>& group);
  Failure accept_kept(const mqtt::Publish& publish, const Route& route,
                      const std::shared_ptr<ReplyGroup>& group);
  void acknowledge(const mqtt::Publish& publish, Failure outcome);
  void on_pubrel(const mqtt::Pubrel& pubrel);
  void refuse_publishes(ReplyGroup& group);

  Outcome on_subscribe(const mqtt::Subscribe& subscribe);
  Outcome on_unsubscribe(const mqtt::Unsubscribe& unsubscribe);
  mqtt::ReasonCode subscribe_one(const mqtt::Subscription& wish, mqtt::SubscriptionId id);

  static Micros session_expiry(std::uint32_t seconds);
  static Micros session_expiry_of(const mqtt::Connect& connect);

  void finish_turn();  // what was answered waits for what it promises
  void reply(const mqtt::Packet& packet);
  void send(const mqtt::Packet& packet);
  std::optional<std::string_view> reason_string(std::string_view text) const;
  void leave_session();
  void send_waiting();
  void count_dropped();  // a message at QoS 0

  MqttServer& server_;
  std::unique_ptr<net::Connection> link_;
  mqtt::ProtocolVersion version_ = mqtt::ProtocolVersion::v3_1_1;
  Session* session_ = nullptr;         // null before CONNECT and after the end
  access::PrincipalPtr principal_;     // null: everybody may do everything
  mqtt::Bytes received_;               // the packet being handled, as it came
  std::vector<std::byte> connecting_;  // the CONNECT while its password is being checked
  std::shared_ptr<char> alive_;        // for answers that come later
  std::vector<std::string> aliases_;   // topics by alias (3.3.2.3.4)
  ReplyQueue replies_;
  Micros last_heard_;
  Micros keep_alive_;
  std::uint64_t batch_ = 0;     // that has the PUBLISH being handled; 0: none
  std::size_t unanswered_ = 0;  // of the client's send quota (4.9)
  std::size_t receive_maximum_ = 65'535;
  std::size_t packet_bytes_max_ = SIZE_MAX;  // that the client takes
  bool wants_problem_information_ = true;
  bool is_logging_in_ = false;
  bool is_ready_ = false;  // the CONNACK has left
  bool is_ending_ = false;
  bool was_denied_ = false;  // said once, in the audit and the log
};

}  // namespace ficus::connect
