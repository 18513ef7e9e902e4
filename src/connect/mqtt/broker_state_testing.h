#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "connect/mqtt/broker_state.h"

// For tests of the broker's state: clients without a socket, and all that must not be forgotten as
// text.

namespace ficus::connect {

inline constexpr Micros kHour = Micros::from_hours(1);
inline constexpr Timestamp kNow = Timestamp::from_seconds(1'000'000);
inline constexpr SubscriptionOptions kQos1{.qos = mqtt::Qos::at_least_once};
inline constexpr SubscriptionOptions kQos2{.qos = mqtt::Qos::exactly_once};

inline MessagePtr message(std::string_view topic, std::string_view payload,
                          mqtt::Qos qos = mqtt::Qos::at_least_once, bool retain = false,
                          std::optional<std::uint32_t> expiry_s = {}) {
  mqtt::Publish publish{
      .qos = qos,
      .retain = retain,
      .topic = topic,
      .packet_id = qos == mqtt::Qos::at_most_once ? mqtt::PacketId::none : mqtt::PacketId{1},
      .payload = mqtt::Bytes(std::as_bytes(std::span(payload)))};
  publish.properties.message_expiry_interval_s = expiry_s;
  return Message::create(publish, kNow);
}

inline std::string payload_of(const Message& m) {
  const mqtt::Bytes payload = m.publish().payload;
  return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

// A client with a receive maximum and a packet size it takes, without a socket. A PUBREL that it is
// sent again reads "PUBREL".
class FakeClient final : public SessionOutlet {
 public:
  explicit FakeClient(BrokerState& state, std::size_t receive_maximum = 65'535)
      : state_(state), receive_maximum_(receive_maximum) {}

  void connect(Session& session) {
    session_ = &session;
    session.connection = this;
  }
  void send_now(const MessagePtr& m, bool, const mqtt::SubscriptionIdBuffer& ids) override {
    got.push_back(payload_of(*m));
    ids_got = ids;
  }
  void send_plain(PlainPublish&) override { ADD_FAILURE() << "not by way of the state"; }
  bool takes_now() const override { return true; }
  void send_queued() override {
    do {
      send_waiting();
    } while (state_.fetch_retained(*session_, kNow));
  }
  void send_waiting() {
    while (session_->has_waiting()) {
      QueuedMessage& next = session_->queue[session_->in_flight];
      if (next.message == nullptr) {
        got.emplace_back("PUBREL");
        ++session_->in_flight;
        continue;
      }
      const std::string payload = payload_of(*next.message);
      if (payload.size() > payload_bytes_max || next.qos == mqtt::Qos::at_most_once) {
        if (payload.size() <= payload_bytes_max) got.push_back(payload);
        state_.drop_next(*session_);
        continue;
      }
      if (session_->in_flight >= receive_maximum_) return;
      got.push_back(payload);
      ids_got = next.subscription_ids;
      next.was_sent = true;
      ++session_->in_flight;
    }
  }

  std::vector<std::string> got;
  mqtt::SubscriptionIdBuffer ids_got;  // of the last message
  std::size_t payload_bytes_max = 100;

 private:
  BrokerState& state_;
  const std::size_t receive_maximum_;
  Session* session_ = nullptr;
};

inline Session& open(BrokerState& state, std::string_view id, bool clean = false,
                     Micros expiry = kHour) {
  return *state.open({.client_id = id, .clean_start = clean, .expiry = expiry}, kNow)->session;
}

inline void subscribe(BrokerState& state, Session& session, std::string_view filter,
                      SubscriptionOptions options = kQos1) {
  bool is_new = false;
  ASSERT_TRUE(state.subscribe(session, filter, options, is_new));
}

// As if the log had these records.
inline Status replay(BrokerState& state, const std::vector<std::string>& records) {
  for (const std::string& record : records) FICUS_TRY_VOID(state.replay(record, {}, {}));
  return {};
}

// All that must not be forgotten, in an order of its own.
inline std::string durable_part(BrokerState& state) {
  std::string text;
  for (const auto& [topic, m] : state.retained().all()) {
    text +=
        fmt::format("retained {} = {} until {}\n", topic, payload_of(*m), m->expires_at().micros);
  }
  for (int i = 0; i < 10; ++i) {
    const Session* const session = state.find(fmt::format("client-{}", i));
    if (session == nullptr || !session->is_persistent()) continue;
    text += fmt::format("{} of {} expires after {}\n", session->client_id(), session->owner,
                        session->expiry.count);
    for (const auto& [filter, options] : session->subscriptions) {
      text += fmt::format("  {} at {}, {} {} {}\n", filter, static_cast<int>(options.qos),
                          options.no_local, options.retain_as_published,
                          static_cast<std::uint32_t>(options.id));
    }
    for (const RetainedWish& wish : session->retained_wishes) {
      text += fmt::format("  wants {} behind '{}' at {}\n", wish.filter, wish.after,
                          static_cast<int>(wish.options.qos));
    }
    for (const mqtt::PacketId id : session->received()) {
      text += fmt::format("  received {}\n", static_cast<int>(id));
    }
    for (const QueuedMessage& queued : session->queue) {
      if (!queued.is_logged) continue;
      if (queued.message == nullptr) {
        text += fmt::format("  #{} taken\n", queued.number);
        continue;
      }
      text += fmt::format("  #{} {} = {} {} at {}, {} ids, group '{}'\n", queued.number,
                          queued.message->topic(), payload_of(*queued.message), queued.retain,
                          static_cast<int>(queued.qos), queued.subscription_ids.view().size(),
                          queued.group == nullptr ? "" : queued.group->name());
    }
  }
  for (const auto& [number, held] : state.held()) {
    text += fmt::format("held #{} {} since {}\n", number, payload_of(*held.message),
                        held.received_at.micros);
  }
  text += fmt::format("{} wills\n", state.will_count());
  return text;
}

}  // namespace ficus::connect
