#include "connect/mqtt/broker_state.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace ficus::connect {
namespace {

using mqtt::Qos;

constexpr Micros kHour = Micros::from_hours(1);
constexpr SubscriptionOptions kQos1{.qos = Qos::at_least_once};

MessagePtr message(std::string_view topic, std::string_view payload, Qos qos = Qos::at_least_once,
                   bool retain = false) {
  return Message::create(
      {.qos = qos,
       .retain = retain,
       .topic = topic,
       .packet_id = qos == Qos::at_most_once ? mqtt::PacketId::none : mqtt::PacketId{1},
       .payload = mqtt::Bytes(std::as_bytes(std::span(payload)))});
}

std::string payload_of(const Message& m) {
  const mqtt::Bytes payload = m.publish().payload;
  return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

// A client with a receive maximum and a packet size it takes, without a socket.
class FakeClient final : public SessionOutlet {
 public:
  explicit FakeClient(BrokerState& state, std::size_t receive_maximum = 65'535)
      : state_(state), receive_maximum_(receive_maximum) {}

  void connect(Session& session) {
    session_ = &session;
    session.connection = this;
  }
  void send_now(const MessagePtr& m, bool) override { got.push_back(payload_of(*m)); }
  void send_queued() override {
    while (session_->in_flight < session_->queue.size()) {
      QueuedMessage& next = session_->queue[session_->in_flight];
      const std::string payload = payload_of(*next.message);
      if (payload.size() > payload_bytes_max || next.qos == Qos::at_most_once) {
        if (payload.size() <= payload_bytes_max) got.push_back(payload);
        state_.drop_next(*session_);
        continue;
      }
      if (session_->in_flight >= receive_maximum_) return;
      if (next.packet_id == mqtt::PacketId::none) next.packet_id = session_->next_packet_id();
      got.push_back(payload);
      ++session_->in_flight;
    }
  }

  std::vector<std::string> got;
  std::size_t payload_bytes_max = 100;

 private:
  BrokerState& state_;
  const std::size_t receive_maximum_;
  Session* session_ = nullptr;
};

Session& open(BrokerState& state, std::string_view id, bool clean = false, Micros expiry = kHour) {
  return *state.open(id, clean, expiry)->session;
}

void subscribe(BrokerState& state, Session& session, std::string_view filter,
               SubscriptionOptions options = kQos1) {
  bool is_new = false;
  ASSERT_TRUE(state.subscribe(session, filter, options, is_new));
}

// All that must not be forgotten, in an order of its own.
std::string durable_part(BrokerState& state) {
  std::string text;
  for (const auto& [topic, m] : state.retained().all()) {
    text += fmt::format("retained {} = {}\n", topic, payload_of(*m));
  }
  for (int i = 0; i < 10; ++i) {
    const Session* const session = state.find(fmt::format("client-{}", i));
    if (session == nullptr || !session->is_persistent()) continue;
    text += fmt::format("{} expires after {}\n", session->client_id(), session->expiry.count);
    for (const auto& [filter, options] : session->subscriptions) {
      text += fmt::format("  {} at {}, {} {}\n", filter, static_cast<int>(options.qos),
                          options.no_local, options.retain_as_published);
    }
    for (const QueuedMessage& queued : session->queue) {
      if (!queued.is_logged) continue;
      text += fmt::format("  #{} {} = {} {}\n", queued.number, queued.message->topic(),
                          payload_of(*queued.message), queued.retain);
    }
  }
  return text;
}

// What the log and a snapshot make of it.
std::string restored(const BrokerState& state, const BrokerLimits& limits) {
  BrokerState again(limits);
  EXPECT_TRUE(again.restore(state.encode()));
  return durable_part(again);
}

TEST(BrokerState, KeepsASessionAndItsMessagesForAClientThatIsAway) {
  BrokerState state({});
  Session& session = open(state, "client-1");
  subscribe(state, session, "a/+");
  state.go_offline(session, {});
  state.publish(message("a/1", "x"), nullptr);
  state.publish(message("a/1", "0", Qos::at_most_once), nullptr);  // of QoS 0: not kept
  state.publish(message("b/1", "y"), nullptr);
  const auto back = state.open("client-1", false, kHour);
  EXPECT_TRUE(back->was_present);
  FakeClient client(state);
  client.connect(*back->session);
  client.send_queued();
  EXPECT_EQ(client.got, std::vector<std::string>{"x"});
  EXPECT_TRUE(state.acknowledge(*back->session, mqtt::PacketId{1}));
  EXPECT_FALSE(state.acknowledge(*back->session, mqtt::PacketId{1}));
  EXPECT_EQ(back->session->queue.size(), 0U);
  EXPECT_EQ(back->session->queued_bytes, 0U);
}

TEST(BrokerState, SendsAgainWithTheSameIdentifierWhatWasNotAcknowledged) {
  BrokerState state({});
  FakeClient client(state, 2);
  Session& session = open(state, "client-1");
  client.connect(session);
  subscribe(state, session, "#");
  for (const char* payload : {"1", "2", "3"}) state.publish(message("t", payload), nullptr);
  EXPECT_EQ(client.got, (std::vector<std::string>{"1", "2"}));  // its receive maximum
  state.go_offline(session, {});
  const mqtt::PacketId first = session.queue[0].packet_id;
  FakeClient again(state, 2);
  again.connect(*state.open("client-1", false, kHour)->session);
  again.send_queued();
  EXPECT_EQ(again.got, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(session.queue[0].packet_id, first);
  EXPECT_TRUE(state.acknowledge(session, session.queue[1].packet_id));  // out of order
  again.send_queued();
  EXPECT_EQ(again.got.back(), "3");
  EXPECT_EQ(session.in_flight, 2U);
}

TEST(BrokerState, CleanStartEndsTheEarlierSession) {
  BrokerState state({});
  Session& session = open(state, "client-1");
  subscribe(state, session, "a");
  state.go_offline(session, {});
  const auto opened = state.open("client-1", true, Micros{});
  EXPECT_FALSE(opened->was_present);
  EXPECT_TRUE(opened->session->subscriptions.empty());
  EXPECT_FALSE(state.has_subscriber("a"));
  state.go_offline(*opened->session, {});  // no expiry: ends with its connection
  EXPECT_EQ(state.session_count(), 0U);
}

TEST(BrokerState, SessionsExpire) {
  BrokerState state({});
  state.go_offline(open(state, "client-1", false, Micros::from_seconds(10)), {1'000'000});
  Session& connected = open(state, "client-2", false, Micros::from_seconds(10));
  FakeClient client(state);
  client.connect(connected);
  (void)state.take_facts();
  state.expire({11'000'000});
  EXPECT_EQ(state.session_count(), 2U);
  EXPECT_FALSE(state.has_facts());
  state.expire({11'000'001});
  EXPECT_EQ(state.find("client-1"), nullptr);
  EXPECT_NE(state.find("client-2"), nullptr);
  EXPECT_TRUE(state.has_facts());
}

TEST(BrokerState, OverlappingFiltersGiveOneMessageAtTheHighestQos) {
  BrokerState state({});
  FakeClient client(state);
  Session& session = open(state, "client-1");
  client.connect(session);
  subscribe(state, session, "a/#", {});
  subscribe(state, session, "a/b");
  subscribe(state, session, "+/b", {});
  state.publish(message("a/b", "x"), nullptr);
  EXPECT_EQ(client.got, std::vector<std::string>{"x"});
  EXPECT_EQ(session.in_flight, 1U);
}

TEST(BrokerState, NoLocalAndRetainAsPublished) {
  BrokerState state({});
  Session& one = open(state, "client-1");
  Session& two = open(state, "client-2");
  subscribe(state, one, "a", {.qos = Qos::at_least_once, .no_local = true});
  subscribe(state, two, "a", {.qos = Qos::at_least_once, .retain_as_published = true});
  state.publish(message("a", "x", Qos::at_least_once, true), &one);
  EXPECT_TRUE(one.queue.empty());
  ASSERT_EQ(two.queue.size(), 1U);
  EXPECT_TRUE(two.queue[0].retain);
}

TEST(BrokerState, RetainedMessagesComeWithASubscription) {
  BrokerState state({.retained_messages_max = 2});
  state.publish(message("a/1", "x", Qos::at_least_once, true), nullptr);
  state.publish(message("a/2", "y", Qos::at_most_once, true), nullptr);
  state.publish(message("a/3", "z", Qos::at_least_once, true), nullptr);  // no room
  EXPECT_EQ(state.counts().retained_refused, 1U);
  FakeClient client(state);
  Session& session = open(state, "client-1");
  client.connect(session);
  state.send_retained(session, "a/#", kQos1);
  EXPECT_EQ(client.got, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(session.queue.size(), 1U);  // the one of QoS 1 waits for its acknowledgement
  EXPECT_TRUE(session.queue[0].retain);
}

TEST(BrokerState, QueuesAreBounded) {
  BrokerState state({.session_messages_max = 3, .session_bytes_max = 1000});
  Session& session = open(state, "client-1");
  subscribe(state, session, "#");
  for (int i = 0; i < 5; ++i) state.publish(message("t", "x"), nullptr);
  EXPECT_EQ(session.queue.size(), 3U);
  EXPECT_EQ(state.counts().messages_dropped, 2U);
  Session& other = open(state, "client-2");
  subscribe(state, other, "big");
  state.publish(message("big", std::string(2000, 'x')), nullptr);
  EXPECT_TRUE(other.queue.empty());
  EXPECT_EQ(other.dropped, 1U);
}

TEST(BrokerState, SessionsAndSubscriptionsAreBounded) {
  BrokerState state({.sessions_max = 1, .subscriptions_per_session_max = 1});
  Session& session = open(state, "client-1");
  const auto refused = state.open("client-2", true, kHour);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::overloaded);
  subscribe(state, session, "a");
  bool is_new = false;
  EXPECT_FALSE(state.subscribe(session, "b", {}, is_new));
  EXPECT_TRUE(state.subscribe(session, "a", {}, is_new));  // changes the one it has
  EXPECT_FALSE(is_new);
  EXPECT_TRUE(state.unsubscribe(session, "a"));
  EXPECT_FALSE(state.unsubscribe(session, "a"));
}

TEST(BrokerState, LeavesNoFactsOfWhatEndsWithTheConnection) {
  BrokerState state({});
  FakeClient client(state);
  Session& session = open(state, "client-1", true, Micros{});
  client.connect(session);
  subscribe(state, session, "#");
  state.publish(message("t", "x"), nullptr);
  EXPECT_TRUE(state.acknowledge(session, session.queue[0].packet_id));
  EXPECT_TRUE(state.unsubscribe(session, "#"));
  state.go_offline(session, {});
  EXPECT_FALSE(state.has_facts());
}

// A message too large for the client is dropped while it is delivered: the log must say first that
// it was queued, then that it is gone.
TEST(BrokerState, WhatAClientCannotTakeDoesNotComeBack) {
  BrokerState state({});
  FakeClient client(state);
  Session& session = open(state, "client-1");
  client.connect(session);
  client.payload_bytes_max = 3;
  subscribe(state, session, "#");
  state.publish(message("t", "too long"), nullptr);
  EXPECT_TRUE(session.queue.empty());
  BrokerState again({});
  ASSERT_TRUE(again.replay(state.take_facts(), {}, {}));
  EXPECT_TRUE(again.find("client-1")->queue.empty());
}

TEST(BrokerState, ExpiryMayChangeAtTheEndButNotFromZero) {
  BrokerState state({.session_expiry_max = Micros::from_seconds(100)});
  Session& session = open(state, "client-1");
  EXPECT_EQ(session.expiry, Micros::from_seconds(100));
  state.set_expiry(session, Micros::from_seconds(5));
  EXPECT_EQ(session.expiry, Micros::from_seconds(5));
  state.set_expiry(session, Micros{});
  state.set_expiry(session, Micros::from_seconds(5));
  EXPECT_FALSE(session.is_persistent());
  BrokerState again({});
  ASSERT_TRUE(again.replay(state.take_facts(), {}, {}));
  EXPECT_EQ(again.session_count(), 0U);
}

TEST(BrokerState, RefusesDamagedFacts) {
  BrokerState state({});
  Session& session = open(state, "client-1");
  subscribe(state, session, "a/#");
  state.publish(message("a/b", "x", Qos::at_least_once, true), nullptr);
  const std::string facts = state.take_facts();
  std::size_t accepted = 0;  // where a fact ends
  for (std::size_t length = 0; length < facts.size(); ++length) {
    BrokerState again({});
    const Status replayed = again.replay(facts.substr(0, length), {}, {});
    if (replayed) {
      ++accepted;
    } else {
      EXPECT_EQ(replayed.error().code, ErrorCode::corrupt);
    }
  }
  EXPECT_EQ(accepted, 4U);  // nothing, opened, subscribed, retained; queued is the whole
  BrokerState again({});
  EXPECT_FALSE(again.replay(std::string("\x63\0", 2), {}, {}));
  EXPECT_FALSE(again.restore({{"strange", ""}}));
}

// One random life of a broker with a few clients.
class Life {
 public:
  Life(std::uint64_t seed, const BrokerLimits& limits) : random_(seed), state_(limits) {}

  void step() {
    const std::string id = fmt::format("client-{}", random_.below(5));
    Session* session = state_.find(id);
    now_ = now_ + Micros::from_seconds(static_cast<std::int64_t>(random_.below(20)));
    if (session == nullptr || session->connection == nullptr) {
      if (random_.chance(0.5)) return connect(id);
      if (random_.chance(0.2)) return state_.expire(now_);
      return publish(nullptr);
    }
    switch (random_.below(8)) {
      case 0:
        if (random_.chance(0.3)) state_.set_expiry(*session, random_expiry());
        return state_.go_offline(*session, now_);
      case 1:
        return random_subscribe(*session);
      case 2:
        state_.unsubscribe(*session, random_filter());
        return;
      case 3:
      case 4:
        return acknowledge(*session);
      default:
        return publish(session);
    }
  }

  BrokerState& state() { return state_; }
  Random& random() { return random_; }

 private:
  Micros random_expiry() {
    return Micros::from_seconds(static_cast<std::int64_t>(random_.below(3)) * 50);
  }
  std::string random_filter() {
    static constexpr const char* kFilters[] = {"a/b", "a/#", "+/b", "#", "b"};
    return kFilters[random_.below(5)];
  }
  void connect(const std::string& id) {
    const auto opened = state_.open(id, random_.chance(0.2), random_expiry());
    ASSERT_TRUE(opened);
    auto& client = clients_.emplace_back(std::make_unique<FakeClient>(state_, 3));
    client->payload_bytes_max = random_.chance(0.3) ? 4 : 100;
    client->connect(*opened->session);
    client->send_queued();
  }
  void random_subscribe(Session& session) {
    const SubscriptionOptions options{.qos = random_.chance(0.7) ? Qos::at_least_once : Qos{},
                                      .no_local = random_.chance(0.2),
                                      .retain_as_published = random_.chance(0.3)};
    const std::string filter = random_filter();
    bool is_new = false;
    ASSERT_TRUE(state_.subscribe(session, filter, options, is_new));
    if (is_new) state_.send_retained(session, filter, options);
  }
  void acknowledge(Session& session) {
    if (session.in_flight == 0) return;
    const auto& queued = session.queue[random_.below(session.in_flight)];
    ASSERT_TRUE(state_.acknowledge(session, queued.packet_id));
    session.connection->send_queued();
  }
  void publish(Session* origin) {
    static constexpr const char* kTopics[] = {"a/b", "a", "b", "c/b"};
    const std::string payload = random_.chance(0.1) ? "" : fmt::format("{}", random_.below(99'999));
    state_.publish(message(kTopics[random_.below(4)], payload,
                           random_.chance(0.7) ? Qos::at_least_once : Qos{}, random_.chance(0.3)),
                   origin);
  }

  Random random_;
  Timestamp now_;
  BrokerState state_;
  std::vector<std::unique_ptr<FakeClient>> clients_;
};

// Live, replayed from the log, restored from a snapshot, and restored and then replayed: the same.
TEST(BrokerState, ReplayAndSnapshotGiveTheLiveState) {
  const BrokerLimits limits{.session_messages_max = 6, .retained_messages_max = 3};
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Life life(seed, limits);
    BrokerState replayed(limits);
    auto snapshot = std::make_unique<BrokerState>(limits);
    for (int step = 0; step < 150; ++step) {
      life.step();
      if (life.random().chance(0.3)) continue;  // several steps in one record
      const std::string facts = life.state().take_facts();
      ASSERT_TRUE(replayed.replay(facts, {}, {}));
      ASSERT_TRUE(snapshot->replay(facts, {}, {}));
      const std::string live = durable_part(life.state());
      ASSERT_EQ(durable_part(replayed), live) << "seed " << seed << ", step " << step;
      ASSERT_EQ(durable_part(*snapshot), live) << "seed " << seed << ", step " << step;
      ASSERT_EQ(restored(life.state(), limits), live) << "seed " << seed << ", step " << step;
      if (life.random().chance(0.1)) {
        snapshot = std::make_unique<BrokerState>(limits);
        ASSERT_TRUE(snapshot->restore(life.state().encode()));
      }
    }
  }
}

}  // namespace
}  // namespace ficus::connect
