#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "bench/instructions/stages.h"
#include "codec/mqtt/encoder.h"
#include "connect/ingest/source_set.h"
#include "connect/mqtt/broker_state.h"
#include "connect/mqtt/plain_publish.h"
#include "connect/mqtt/route_cache.h"

namespace ficus::instructions {
namespace {

using connect::BrokerState;
using connect::QueuedMessage;
using connect::Session;
using mqtt::ProtocolVersion;

constexpr std::size_t kSubscribers = 8;  // every other one of 5.0
constexpr Timestamp kNow = Timestamp::from_seconds(1'790'000'000);

// A client that takes and acknowledges everything at once.
class Subscriber final : public connect::SessionOutlet {
 public:
  Subscriber(BrokerState& state, Session& session, ProtocolVersion version)
      : state_(state), session_(session), version_(version) {
    session.connection = this;
  }

  void send_now(const connect::MessagePtr&, bool, const mqtt::SubscriptionIdBuffer&) override {
    FICUS_CHECK(false);  // not in these stages
  }
  void send_plain(connect::PlainPublish& message) override { copy(message.packet(version_)); }
  bool takes_now() const override { return true; }
  void send_queued() override {
    while (session_.has_waiting()) {
      QueuedMessage& next = session_.queue[session_.in_flight];
      packet_.clear();
      const connect::Sending sending{
          .version = version_, .qos = next.qos, .packet_id = next.packet_id()};
      FICUS_CHECK(next.message->append_to(sending, kNow, packet_));
      copy(packet_);
      next.was_sent = true;
      ++session_.in_flight;
      FICUS_CHECK(state_.acknowledge(session_, next.packet_id()));
    }
  }
  std::size_t messages() const { return messages_; }

 private:
  // Into what the loop writes at the end of its turn.
  void copy(std::span<const std::byte> packet) {
    FICUS_CHECK(!packet.empty());
    if (output_.size() > (std::size_t{1} << 16)) output_.clear();
    output_.insert(output_.end(), packet.begin(), packet.end());
    ++messages_;
  }

  BrokerState& state_;
  Session& session_;
  const ProtocolVersion version_;
  std::vector<std::byte> packet_;
  std::vector<std::byte> output_;
  std::size_t messages_ = 0;
};

class Broker {
 public:
  Broker() {
    for (std::size_t i = 0; i < kSubscribers; ++i) {
      const std::string id = fmt::format("client-{}", i);
      Session& session = *state_.open({.client_id = id}, kNow).value().session;
      const auto version = i % 2 == 0 ? ProtocolVersion::v5 : ProtocolVersion::v3_1_1;
      subscribers_.push_back(std::make_unique<Subscriber>(state_, session, version));
      subscribe(session, "plain/#", mqtt::Qos::at_most_once);
      subscribe(session, "sure/#", mqtt::Qos::at_least_once);
    }
    for (std::size_t i = 0; i < kVehicles; ++i) {
      plain_topics_.push_back(fmt::format("plain/vehicle/v{:07}", i));
      sure_topics_.push_back(fmt::format("sure/vehicle/v{:07}", i));
    }
  }

  void run() {
    measure("fan_out_qos0", [this](int) { pass_on(); });
    measure("fan_out_qos1", [this](int) { queue(); });
    for (const auto& subscriber : subscribers_) {
      FICUS_CHECK(subscriber->messages() == 2 * kRounds * kMessages);
    }
  }

 private:
  void subscribe(Session& session, std::string_view filter, mqtt::Qos qos) {
    bool is_new = false;
    connect::SubscriptionOptions options;
    options.qos = qos;
    FICUS_CHECK(state_.subscribe(session, filter, options, is_new).has_value() && is_new);
  }

  static mqtt::Publish publish_of(const std::string& topic, mqtt::Qos qos) {
    static const std::string payload(165, 'x');
    return {.qos = qos,
            .topic = topic,
            .packet_id = qos == mqtt::Qos::at_most_once ? mqtt::PacketId::none : mqtt::PacketId{1},
            .payload = mqtt::Bytes(std::as_bytes(std::span(payload)))};
  }

  void pass_on() {
    for (std::size_t i = 0; i < kMessages; ++i) {
      const std::string& topic = plain_topics_[i * 37 % kVehicles];
      const mqtt::Publish publish = publish_of(topic, mqtt::Qos::at_most_once);
      const connect::Route& route = routes_.find(topic);
      FICUS_CHECK(route.is_plain && route.sessions.size() == kSubscribers);
      packet_.clear();
      (void)mqtt::encode_publish(publish, ProtocolVersion::v5, SIZE_MAX, packet_);
      plain_.begin(publish, packet_, ProtocolVersion::v5);
      for (Session* const session : route.sessions) session->connection->send_plain(plain_);
    }
  }

  void queue() {
    for (std::size_t i = 0; i < kMessages; ++i) {
      const std::string& topic = sure_topics_[i * 37 % kVehicles];
      const auto message =
          connect::Message::create(publish_of(topic, mqtt::Qos::at_least_once), kNow);
      state_.publish(message, nullptr, kNow);
    }
  }

  BrokerState state_{connect::BrokerLimits{}};
  connect::SourceSet sources_;
  connect::RouteCache routes_{state_.tree(), sources_};
  connect::PlainPublish plain_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::vector<std::string> plain_topics_;
  std::vector<std::string> sure_topics_;
  std::vector<std::byte> packet_;
};

}  // namespace

void run_broker_stages() { std::make_unique<Broker>()->run(); }

}  // namespace ficus::instructions
