#include "connect/mqtt/broker_state.h"

#include <gtest/gtest.h>

#include <set>

#include "connect/mqtt/broker_state_testing.h"

namespace ficus::connect {
namespace {

using mqtt::Qos;

Result<BrokerState::Opened> reopen(BrokerState& state, std::string_view id) {
  return state.open({.client_id = id, .expiry = kHour}, kNow);
}

TEST(BrokerState, KeepsASessionAndItsMessagesForAClientThatIsAway) {
  BrokerState state({});
  Session& session = open(state, "client-1");
  subscribe(state, session, "a/+");
  state.go_offline(session, {});
  state.publish(message("a/1", "x"), nullptr, kNow);
  state.publish(message("a/1", "0", Qos::at_most_once), nullptr, kNow);  // of QoS 0: not kept
  state.publish(message("b/1", "y"), nullptr, kNow);
  const auto back = reopen(state, "client-1");
  EXPECT_TRUE(back->was_present);
  FakeClient client(state);
  client.connect(*back->session);
  client.send_queued();
  EXPECT_EQ(client.got, std::vector<std::string>{"x"});
  const mqtt::PacketId id = back->session->queue[0].packet_id();
  EXPECT_TRUE(state.acknowledge(*back->session, id));
  EXPECT_FALSE(state.acknowledge(*back->session, id));
  EXPECT_EQ(back->session->queue.size(), 0U);
  EXPECT_EQ(back->session->queued_bytes, 0U);
}

// A client that writes its number down when it gets something.
class Listener final : public SessionOutlet {
 public:
  Listener(int number, std::vector<int>& order) : number_(number), order_(order) {}
  void send_now(const MessagePtr&, bool, const mqtt::SubscriptionIdBuffer&) override {
    order_.push_back(number_);
  }
  void send_plain(PlainPublish&) override {}
  bool takes_now() const override { return true; }
  void send_queued() override { order_.push_back(number_); }

 private:
  const int number_;
  std::vector<int>& order_;
};

// Not in that of addresses, which is another one in each run: memory that was used before comes
// back in any order.
TEST(BrokerState, DeliversInTheOrderInWhichSessionsBegan) {
  BrokerState state({});
  for (const int step : {7, 3, 5}) {
    for (int i = 0; i < 40; ++i) open(state, fmt::format("earlier-{}", i * step % 40));
    for (int i = 0; i < 40; ++i) {
      Session* const session = state.find(fmt::format("earlier-{}", i));
      if (session != nullptr) state.end(*session, kNow);
    }
  }
  std::vector<int> got;
  std::vector<int> expected;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<Session*> sessions;
  for (int i = 0; i < 40; ++i) {
    listeners.push_back(std::make_unique<Listener>(i, got));
    sessions.push_back(&open(state, fmt::format("client-{}", i)));
    sessions.back()->connection = listeners.back().get();
    expected.push_back(i);
  }
  for (int i = 39; i >= 0; --i) subscribe(state, *sessions[static_cast<std::size_t>(i)], "a/+");
  for (int i = 0; i < 40; i += 3) subscribe(state, *sessions[static_cast<std::size_t>(i)], "a/#");
  for (const Qos qos : {Qos::at_most_once, Qos::at_least_once}) {
    got.clear();
    state.publish(message("a/b", "x", qos), nullptr, kNow);
    EXPECT_EQ(got, expected);
  }
}

TEST(BrokerState, SendsAgainWithTheSameIdentifierWhatWasNotAcknowledged) {
  BrokerState state({});
  FakeClient client(state, 2);
  Session& session = open(state, "client-1");
  client.connect(session);
  subscribe(state, session, "#");
  for (const char* payload : {"1", "2", "3"}) state.publish(message("t", payload), nullptr, kNow);
  EXPECT_EQ(client.got, (std::vector<std::string>{"1", "2"}));  // its receive maximum
  state.go_offline(session, {});
  const mqtt::PacketId first = session.queue[0].packet_id();
  FakeClient again(state, 2);
  again.connect(*reopen(state, "client-1")->session);
  again.send_queued();
  EXPECT_EQ(again.got, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(session.queue[0].packet_id(), first);
  EXPECT_TRUE(state.acknowledge(session, session.queue[1].packet_id()));  // out of order
  again.send_queued();
  EXPECT_EQ(again.got.back(), "3");
  EXPECT_EQ(session.in_flight, 2U);
}

TEST(BrokerState, CleanStartEndsTheEarlierSession) {
  BrokerState state({});
  Session& session = open(state, "client-1");
  subscribe(state, session, "a");
  state.go_offline(session, {});
  const auto opened = state.open({.client_id = "client-1", .clean_start = true}, kNow);
  EXPECT_FALSE(opened->was_present);
  EXPECT_TRUE(opened->session->subscriptions.empty());
  EXPECT_FALSE(state.tree().matches_any("a"));
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
  state.publish(message("a/b", "x"), nullptr, kNow);
  EXPECT_EQ(client.got, std::vector<std::string>{"x"});
  EXPECT_EQ(session.in_flight, 1U);
}

TEST(BrokerState, NoLocalAndRetainAsPublished) {
  BrokerState state({});
  Session& one = open(state, "client-1");
  Session& two = open(state, "client-2");
  subscribe(state, one, "a", {.qos = Qos::at_least_once, .no_local = true});
  subscribe(state, two, "a", {.qos = Qos::at_least_once, .retain_as_published = true});
  state.publish(message("a", "x", Qos::at_least_once, true), &one, kNow);
  EXPECT_TRUE(one.queue.empty());
  ASSERT_EQ(two.queue.size(), 1U);
  EXPECT_TRUE(two.queue[0].retain);
}

TEST(BrokerState, RetainedMessagesComeWithASubscription) {
  BrokerState state({.retained = {.count_max = 2}});
  state.publish(message("a/1", "x", Qos::at_least_once, true), nullptr, kNow);
  state.publish(message("a/2", "y", Qos::at_most_once, true), nullptr, kNow);
  state.publish(message("a/3", "z", Qos::at_least_once, true), nullptr, kNow);  // no room
  EXPECT_EQ(state.counts().retained_refused, 1U);
  FakeClient client(state);
  Session& session = open(state, "client-1");
  client.connect(session);
  state.send_retained(session, "a/#", kQos1, kNow);
  EXPECT_EQ(client.got, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(session.queue.size(), 1U);  // the one of QoS 1 waits for its acknowledgement
  EXPECT_TRUE(session.queue[0].retain);
}

// However many sessions there are: what waits for all of them has an end, and each message counts
// once.
TEST(BrokerState, AllQueuesTogetherAreBounded) {
  constexpr std::size_t kLimit = 40'000;
  BrokerState state({.queued_bytes_max = kLimit});
  std::vector<Session*> sessions;
  for (int i = 0; i < 20; ++i) {
    sessions.push_back(&open(state, "client-" + std::to_string(i)));
    subscribe(state, *sessions.back(), "all");
    subscribe(state, *sessions.back(), "own/" + std::to_string(i));
  }
  state.publish(message("all", std::string(10'000, 'x')), nullptr, kNow);
  for (const Session* session : sessions) EXPECT_EQ(session->queue.size(), 1U);
  EXPECT_LT(state.queued_bytes(), 20'000U);
  for (int i = 0; i < 20; ++i) {
    state.publish(message("own/" + std::to_string(i), std::string(5'000, 'x')), nullptr, kNow);
    EXPECT_LE(state.queued_bytes(), kLimit);
  }
  EXPECT_GE(state.counts().messages_dropped.of(DropCause::queues_full), 10U);
  EXPECT_EQ(sessions[0]->queue.size(), 2U);
  EXPECT_EQ(sessions[19]->queue.size(), 1U);

  // The state that is read again has the same figure, and what ends makes room.
  BrokerState again({.queued_bytes_max = kLimit});
  ASSERT_TRUE(again.restore(state.encode()));
  EXPECT_EQ(again.queued_bytes(), state.queued_bytes());
  for (int i = 0; i < 20; ++i) again.end(*again.find("client-" + std::to_string(i)), kNow);
  EXPECT_EQ(again.queued_bytes(), 0U);
}

TEST(BrokerState, QueuesAreBounded) {
  BrokerState state({.session_messages_max = 3, .session_bytes_max = 1000});
  Session& session = open(state, "client-1");
  subscribe(state, session, "#");
  for (int i = 0; i < 5; ++i) state.publish(message("t", "x"), nullptr, kNow);
  EXPECT_EQ(session.queue.size(), 3U);
  EXPECT_EQ(state.counts().messages_dropped.of(DropCause::queue_full), 2U);
  Session& other = open(state, "client-2");
  subscribe(state, other, "big");
  state.publish(message("big", std::string(2000, 'x')), nullptr, kNow);
  EXPECT_TRUE(other.queue.empty());
  EXPECT_EQ(other.dropped, 1U);
}

TEST(BrokerState, SessionsAndSubscriptionsAreBounded) {
  BrokerState state({.sessions_max = 1, .subscriptions_per_session_max = 1});
  Session& session = open(state, "client-1");
  const auto refused = state.open({.client_id = "client-2", .expiry = kHour}, kNow);
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
  state.publish(message("t", "x"), nullptr, kNow);
  EXPECT_TRUE(state.acknowledge(session, session.queue[0].packet_id()));
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
  state.publish(message("t", "too long"), nullptr, kNow);
  EXPECT_TRUE(session.queue.empty());
  BrokerState again({});
  ASSERT_TRUE(replay(again, state.take_facts()));
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
  ASSERT_TRUE(replay(again, state.take_facts()));
  EXPECT_EQ(again.session_count(), 0U);
}

TEST(BrokerState, RefusesDamagedFacts) {
  BrokerState state({});
  Session& session = open(state, "client-1");
  subscribe(state, session, "a/#");
  state.publish(message("a/b", "x", Qos::at_least_once, true), nullptr, kNow);
  const std::string facts = state.take_facts().front();
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
  EXPECT_EQ(accepted, 5U);  // nothing, no fact, opened, subscribed, retained; queued is the whole
  BrokerState again({});
  EXPECT_FALSE(again.replay(std::string("\x83\x03\x63\0", 4), {}, {}));
  EXPECT_FALSE(again.replay("\x83", {}, {}));
  EXPECT_FALSE(again.restore({{"messages", "\x83\x05"}}));
  EXPECT_FALSE(again.restore({{"broker", std::string("\x83\x15\x00", 3)}}));  // no such message
  EXPECT_FALSE(again.replay(std::string("\x01\0", 2), {}, {}));
  EXPECT_FALSE(again.restore({{"strange", ""}}));
}

// ---- QoS 2 to clients

TEST(BrokerState, TheStepsOfQos2SurviveACrash) {
  auto state = std::make_unique<BrokerState>(BrokerLimits{});
  FakeClient client(*state);
  Session& session = open(*state, "client-1");
  client.connect(session);
  subscribe(*state, session, "#", kQos2);
  for (const char* payload : {"1", "2", "3"}) {
    state->publish(message("t", payload, Qos::exactly_once), nullptr, kNow);
  }
  EXPECT_EQ(client.got, (std::vector<std::string>{"1", "2", "3"}));
  const mqtt::PacketId first = session.queue[0].packet_id();
  const mqtt::PacketId second = session.queue[1].packet_id();
  const mqtt::PacketId third = session.queue[2].packet_id();
  EXPECT_FALSE(state->complete(session, first));  // no PUBREC yet
  EXPECT_TRUE(state->take(session, first));
  EXPECT_TRUE(state->take(session, first));
  EXPECT_FALSE(state->acknowledge(session, first));
  EXPECT_TRUE(state->take(session, second));
  EXPECT_TRUE(state->complete(session, second));
  EXPECT_FALSE(state->complete(session, second));
  const std::vector<std::string> facts = state->take_facts();
  for (const bool by_snapshot : {false, true}) {
    BrokerState again({});
    if (by_snapshot) {
      ASSERT_TRUE(again.restore(state->encode()));
    } else {
      ASSERT_TRUE(replay(again, facts));
    }
    again.all_offline(kNow);
    Session& same = *reopen(again, "client-1")->session;
    FakeClient back(again);
    back.connect(same);
    back.send_queued();
    EXPECT_EQ(back.got, (std::vector<std::string>{"PUBREL", "3"}));
    ASSERT_EQ(same.queue.size(), 2U);
    EXPECT_EQ(same.queue[0].packet_id(), first);
    EXPECT_EQ(same.queue[1].packet_id(), third);
    EXPECT_TRUE(same.queue[1].was_sent);
    EXPECT_TRUE(again.complete(same, first));
  }
}

TEST(BrokerState, Qos2WaitsForItsRecord) {
  BrokerState state({});
  Session& session = open(state, "client-1");
  Session& passing = open(state, "client-2", true, Micros{});
  subscribe(state, session, "#", kQos2);
  subscribe(state, passing, "#", kQos2);
  (void)state.take_facts();
  state.publish(message("t", "1", Qos::exactly_once), nullptr, kNow);
  state.publish(message("t", "1"), nullptr, kNow);
  EXPECT_EQ(session.queue[0].record, state.record());
  EXPECT_EQ(session.queue[1].record, 0U);  // QoS 1 may come twice
  EXPECT_EQ(passing.queue[0].record, 0U);  // ends with its connection
}

TEST(BrokerState, IdentifiersAreNotSharedByTwoMessagesInFlight) {
  BrokerState state({.session_messages_max = 200'000, .session_bytes_max = 1 << 30});
  FakeClient client(state);
  Session& session = open(state, "client-1", true, Micros{});
  client.connect(session);
  subscribe(state, session, "#");
  for (int i = 0; i < 65'534; ++i) state.publish(message("t", "x"), nullptr, kNow);
  EXPECT_EQ(session.in_flight, 65'534U);
  const mqtt::PacketId first = session.queue.front().packet_id();
  for (std::size_t i = session.in_flight; i > 1; --i) {
    ASSERT_TRUE(state.acknowledge(session, session.queue.back().packet_id()));
  }
  state.publish(message("t", "x"), nullptr, kNow);
  EXPECT_NE(session.queue.back().packet_id(), first);
  session.in_flight = 1;
  state.publish(message("t", "x"), nullptr, kNow);
  session.in_flight = 2;
  EXPECT_FALSE(session.has_free_identifier());  // that of the first, still in flight
  EXPECT_TRUE(state.acknowledge(session, first));
  EXPECT_TRUE(session.has_free_identifier());
}

// ---- QoS 2 from clients

TEST(BrokerState, KnowsARepetitionAlsoAfterACrash) {
  BrokerState state({});
  Session& session = open(state, "client-1");
  EXPECT_TRUE(state.receive(session, mqtt::PacketId{7}));
  EXPECT_FALSE(state.receive(session, mqtt::PacketId{7}));
  EXPECT_TRUE(state.receive(session, mqtt::PacketId{3}));
  const std::uint64_t held = state.hold(message("m", "1", Qos::exactly_once), kNow);
  const std::uint64_t other = state.hold(message("m", "2", Qos::exactly_once), kNow);
  state.handed_over(held);
  state.handed_over(held);
  EXPECT_TRUE(state.release(session, mqtt::PacketId{3}));
  EXPECT_FALSE(state.release(session, mqtt::PacketId{3}));
  BrokerState again({});
  ASSERT_TRUE(replay(again, state.take_facts()));
  Session& same = *again.find("client-1");
  EXPECT_FALSE(again.receive(same, mqtt::PacketId{7}));
  EXPECT_TRUE(again.receive(same, mqtt::PacketId{3}));
  ASSERT_EQ(again.held().size(), 1U);
  EXPECT_EQ(again.held().begin()->second.received_at, kNow);
  EXPECT_GT(again.hold(message("m", "3"), kNow), other);
}

// ---- expiry, subscription identifiers

TEST(BrokerState, ExpiredMessagesAreNotSent) {
  BrokerState state({.session_messages_max = 2});
  Session& session = open(state, "client-1");
  subscribe(state, session, "#");
  const auto expiring = [&](const char* payload) {
    state.publish(message("t", payload, Qos::at_least_once, false, 10), nullptr, kNow);
  };
  expiring("1");
  expiring("2");
  expiring("3");  // full
  EXPECT_EQ(state.counts().messages_dropped.total(), 1U);
  const Timestamp later = kNow + Micros::from_seconds(10);
  state.publish(message("t", "4"), nullptr, later);  // the expired make room
  ASSERT_EQ(session.queue.size(), 1U);
  EXPECT_EQ(state.counts().messages_expired, 2U);
  EXPECT_EQ(payload_of(*session.queue[0].message), "4");
  // What was sent once is sent again ([MQTT-4.3.3-7]).
  expiring("5");
  session.queue[1].was_sent = true;
  session.queue.pop_front();
  state.drop_expired(session, later);
  EXPECT_EQ(session.queue.size(), 1U);
}

TEST(BrokerState, ExpiredRetainedMessagesAreNotSent) {
  BrokerState state({.retained = {.count_max = 2}});
  state.publish(message("a/1", "x", Qos::at_least_once, true, 10), nullptr, kNow);
  state.publish(message("a/2", "y", Qos::at_least_once, true), nullptr, kNow);
  const Timestamp later = kNow + Micros::from_seconds(10);
  Session& session = open(state, "client-1");
  state.send_retained(session, "a/#", kQos1, later);
  ASSERT_EQ(session.queue.size(), 1U);
  EXPECT_EQ(payload_of(*session.queue[0].message), "y");
  state.publish(message("a/3", "z", Qos::at_least_once, true), nullptr, later);
  EXPECT_EQ(state.counts().retained_refused, 0U);  // the expired one made room
  BrokerState again({});
  ASSERT_TRUE(replay(again, state.take_facts()));
  EXPECT_EQ(durable_part(again), durable_part(state));
}

TEST(BrokerState, TellsTheIdentifiersOfAllFittingSubscriptions) {
  BrokerState state({});
  FakeClient client(state);
  Session& session = open(state, "client-1");
  client.connect(session);
  subscribe(state, session, "a/#", {.id = mqtt::SubscriptionId{5}});
  subscribe(state, session, "a/b", {.qos = Qos::at_least_once, .id = mqtt::SubscriptionId{6}});
  subscribe(state, session, "+/b");
  state.publish(message("a/b", "x"), nullptr, kNow);
  EXPECT_EQ(client.ids_got.view().size(), 2U);
  state.publish(message("a/c", "x"), nullptr, kNow);
  EXPECT_EQ(client.ids_got.view().size(), 1U);
  EXPECT_EQ(*client.ids_got.view().begin(), mqtt::SubscriptionId{5});
  state.publish(message("c/b", "x"), nullptr, kNow);
  EXPECT_TRUE(client.ids_got.view().empty());
}

// ---- retained messages for new subscriptions

TEST(BrokerState, ASubscriptionThatIsRepeatedQueuesNothingTwice) {
  const BrokerLimits limits{.session_messages_max = 100};
  BrokerState state(limits);
  for (int i = 0; i < 2000; ++i) {
    state.publish(message(fmt::format("t/{}", i), "x", Qos::at_least_once, true), nullptr, kNow);
  }
  Session& session = open(state, "client-1");
  subscribe(state, session, "#", kQos2);
  for (int i = 0; i < 50; ++i) state.send_retained(session, "#", kQos2, kNow);
  EXPECT_LE(session.queue.size(), limits.session_messages_max);
  EXPECT_EQ(session.retained_wishes.size(), 1U);
  // By number and by bytes.
  BrokerState narrow({.session_bytes_max = 400});
  for (int i = 0; i < 20; ++i) {
    const std::string payload(100, 'x');
    narrow.publish(message(fmt::format("t/{}", i), payload, Qos::at_least_once, true), nullptr,
                   kNow);
  }
  Session& other = open(narrow, "client-1");
  for (int i = 0; i < 50; ++i) narrow.send_retained(other, "#", kQos2, kNow);
  EXPECT_LE(other.queued_bytes, 400U);
}

// All of them come in the end, whatever the queue's limit; also over a crash in the middle.
TEST(BrokerState, AllRetainedMessagesComeInTheEnd) {
  for (const bool by_snapshot : {false, true}) {
    const BrokerLimits limits{.session_messages_max = 100};
    BrokerState state(limits);
    for (int i = 0; i < 2000; ++i) {
      const std::string number = fmt::format("{}", i);
      state.publish(message("t/" + number, number, Qos::at_least_once, true), nullptr, kNow);
    }
    Session& session = open(state, "client-1");
    FakeClient client(state, 30);
    client.connect(session);
    subscribe(state, session, "#");
    state.send_retained(session, "#", kQos1, kNow);
    std::set<std::string> got;
    const auto take = [&](BrokerState& from, FakeClient& by, Session& of, std::size_t upto) {
      while (of.in_flight > 0 && got.size() < upto) {
        got.insert(by.got.begin(), by.got.end());
        by.got.clear();
        ASSERT_TRUE(from.acknowledge(of, of.queue.front().packet_id()));
        by.send_queued();
      }
    };
    take(state, client, session, 700);
    EXPECT_LT(got.size(), 800U);
    BrokerState again(limits);
    if (by_snapshot) {
      ASSERT_TRUE(again.restore(state.encode()));
    } else {
      ASSERT_TRUE(replay(again, state.take_facts()));
    }
    EXPECT_EQ(durable_part(again), durable_part(state));
    again.all_offline(kNow);
    Session& same = *reopen(again, "client-1")->session;
    FakeClient back(again, 30);
    back.connect(same);
    back.send_queued();
    take(again, back, same, 3000);
    EXPECT_EQ(got.size(), 2000U);
    EXPECT_TRUE(same.retained_wishes.empty());
  }
}

TEST(BrokerState, WhoUnsubscribesWaitsForNoRetainedMessages) {
  BrokerState state({.session_messages_max = 2});
  for (const char* topic : {"t/1", "t/2", "t/3", "t/4"}) {
    state.publish(message(topic, "x", Qos::at_least_once, true), nullptr, kNow);
  }
  Session& session = open(state, "client-1");
  subscribe(state, session, "#");
  state.send_retained(session, "#", kQos1, kNow);
  EXPECT_EQ(session.retained_wishes.size(), 1U);
  EXPECT_TRUE(state.unsubscribe(session, "#"));
  EXPECT_TRUE(session.retained_wishes.empty());
  BrokerState again({});
  ASSERT_TRUE(replay(again, state.take_facts()));
  EXPECT_EQ(durable_part(again), durable_part(state));
}

// ---- limits

TEST(BrokerState, FiltersOfASessionHaveALimitInBytes) {
  BrokerState state({.filter_bytes_per_session_max = 100});
  Session& session = open(state, "client-1");
  bool is_new = false;
  const std::string filter(60, 'x');
  EXPECT_TRUE(state.subscribe(session, filter, {}, is_new));
  EXPECT_TRUE(state.subscribe(session, filter, kQos1, is_new));  // the one it has
  EXPECT_EQ(session.filter_bytes, 60U);
  const auto refused = state.subscribe(session, std::string(41, 'y'), {}, is_new);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::overloaded);
  EXPECT_TRUE(state.unsubscribe(session, filter));
  EXPECT_TRUE(state.subscribe(session, std::string(41, 'y'), {}, is_new));
  BrokerState again({});
  ASSERT_TRUE(replay(again, state.take_facts()));
  EXPECT_EQ(again.find("client-1")->filter_bytes, 41U);
}

TEST(BrokerState, ASharedSubscriptionHasSoManyMembers) {
  BrokerState state({.group_members_max = 2});
  bool is_new = false;
  EXPECT_TRUE(state.subscribe(open(state, "client-1"), "$share/g/a", {}, is_new));
  Session& second = open(state, "client-2");
  EXPECT_TRUE(state.subscribe(second, "$share/g/a", {}, is_new));
  EXPECT_TRUE(state.subscribe(second, "$share/g/a", kQos1, is_new));
  Session& third = open(state, "client-3");
  EXPECT_FALSE(state.subscribe(third, "$share/g/a", {}, is_new));
  EXPECT_TRUE(state.unsubscribe(second, "$share/g/a"));
  EXPECT_TRUE(state.subscribe(third, "$share/g/a", {}, is_new));
}

// Ten thousand subscriptions with an identifier each make a short message long.
TEST(BrokerState, IdentifiersOfSubscriptionsCountInTheQueue) {
  BrokerState state({.session_bytes_max = 1000});
  Session& session = open(state, "client-1");
  std::string filter = "a";
  for (std::uint32_t i = 1; i <= 100; ++i) {
    subscribe(state, session, i % 2 == 0 ? filter + "/#" : filter,
              {.qos = Qos::at_least_once, .id = mqtt::SubscriptionId{i}});
    if (i % 2 == 0) filter += "/a";
  }
  for (int i = 0; i < 20; ++i) state.publish(message(filter.substr(0, 99), "x"), nullptr, kNow);
  EXPECT_LE(session.queue.size(), 4U);
  EXPECT_LE(session.queued_bytes, 1000U);
  EXPECT_GT(state.counts().messages_dropped.total(), 15U);
  while (!session.queue.empty()) state.drop_next(session);
  EXPECT_EQ(session.queued_bytes, 0U);
}

TEST(BrokerState, WillsHaveALimitInBytes) {
  const MessagePtr will = message("w", std::string(50, 'x'));
  BrokerState state({.wills_bytes_max = 2 * will->bytes().size()});
  for (const char* id : {"client-1", "client-2"}) {
    EXPECT_TRUE(state.has_room_for_will(id, *will));
    state.set_will(open(state, id), will, kHour);
  }
  EXPECT_FALSE(state.has_room_for_will("client-3", *will));
  EXPECT_TRUE(state.has_room_for_will("client-2", *will));  // in place of its own
  state.remove_will("client-1");
  EXPECT_TRUE(state.has_room_for_will("client-3", *will));
}

// ---- wills

TEST(BrokerState, AWillIsDueAfterItsDelayOrTheSession) {
  for (const bool ends_first : {false, true}) {
    BrokerState state({});
    Session& session = open(state, "client-1", false, Micros::from_seconds(ends_first ? 5 : 50));
    state.set_will(session, message("w", "gone"), Micros::from_seconds(20));
    EXPECT_FALSE(state.take_due_will(kNow + kHour));
    state.go_offline(session, kNow);
    const Timestamp due = kNow + Micros::from_seconds(ends_first ? 5 : 20);
    EXPECT_FALSE(state.take_due_will(due - Micros{1}));
    const auto will = state.take_due_will(due);
    ASSERT_TRUE(will);
    EXPECT_EQ(will->client_id, "client-1");
    EXPECT_EQ(payload_of(*will->message), "gone");
    EXPECT_FALSE(state.take_due_will(due));
  }
}

TEST(BrokerState, ResumingTakesTheWillBackAndACleanStartDoesNot) {
  for (const bool clean : {false, true}) {
    BrokerState state({});
    Session& session = open(state, "client-1");
    state.set_will(session, message("w", "gone"), Micros::from_seconds(20));
    state.go_offline(session, kNow);
    open(state, "client-1", clean);
    EXPECT_EQ(state.take_due_will(kNow).has_value(), clean);
    EXPECT_EQ(state.will_count(), 0U);
  }
}

TEST(BrokerState, WillsSurviveACrash) {
  BrokerState state({});
  state.set_will(open(state, "client-1"), message("w", "1"), Micros::from_seconds(20));
  state.set_will(open(state, "client-2", true, Micros{}), message("w", "2"),
                 Micros::from_seconds(20));
  Session& third = open(state, "client-3");
  state.set_will(third, message("w", "3"), Micros::from_seconds(20));
  state.go_offline(third, kNow - Micros::from_seconds(15));
  Session& fourth = open(state, "client-4");
  state.set_will(fourth, message("w", "4"), Micros{});
  state.remove_will("client-4");  // a proper DISCONNECT
  const std::vector<std::string> facts = state.take_facts();
  for (const bool by_snapshot : {false, true}) {
    BrokerState again({});
    if (by_snapshot) {
      ASSERT_TRUE(again.restore(state.encode()));
    } else {
      ASSERT_TRUE(replay(again, facts));
    }
    again.all_offline(kNow);
    EXPECT_EQ(again.will_count(), 3U);
    EXPECT_EQ(again.take_due_will(kNow)->client_id, "client-2");  // its session ended at once
    EXPECT_FALSE(again.take_due_will(kNow));
    EXPECT_EQ(again.take_due_will(kNow + Micros::from_seconds(5))->client_id, "client-3");
    EXPECT_FALSE(again.take_due_will(kNow + Micros::from_seconds(19)));
    EXPECT_EQ(again.take_due_will(kNow + Micros::from_seconds(20))->client_id, "client-1");
  }
}

TEST(BrokerState, KnowsSinceWhenAClientIsAwayAlsoAfterACrash) {
  BrokerState state({});
  state.go_offline(open(state, "client-1", false, Micros::from_seconds(100)), kNow);
  open(state, "client-2", false, Micros::from_seconds(100));
  BrokerState again({});
  ASSERT_TRUE(replay(again, state.take_facts()));
  again.all_offline(kNow + Micros::from_seconds(60));
  again.expire(kNow + Micros::from_seconds(101));
  EXPECT_EQ(again.find("client-1"), nullptr);
  EXPECT_NE(again.find("client-2"), nullptr);  // was connected until the crash
}

}  // namespace
}  // namespace ficus::connect
