#include <gtest/gtest.h>

#include "base/random.h"
#include "connect/mqtt/broker_state.h"
#include "connect/mqtt/broker_state_testing.h"

namespace ficus::connect {
namespace {

using mqtt::Qos;

// What the log and a snapshot make of it.
std::string restored(const BrokerState& state, const BrokerLimits& limits) {
  BrokerState again(limits);
  EXPECT_TRUE(again.restore(state.encode()));
  return durable_part(again);
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
      if (random_.chance(0.2)) {
        state_.expire(now_);
        return;
      }
      return publish(nullptr);
    }
    switch (random_.below(11)) {
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
      case 5:
        return receive(*session);
      case 6:
        if (random_.chance(0.5)) return state_.remove_will(id);
        return state_.set_will(*session, message("b", "will"), random_expiry());
      case 7:
        if (const auto due = state_.take_due_will(now_))
          state_.publish(due->message, nullptr, now_);
        return;
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
  Qos random_qos() { return static_cast<Qos>(random_.below(3)); }
  std::string random_filter() {
    static constexpr const char* kFilters[] = {"a/b", "a/#",          "+/b",       "#",
                                               "b",   "$share/g/+/b", "$share/g/#"};
    return kFilters[random_.below(7)];
  }
  void connect(const std::string& id) {
    const auto opened = state_.open({.client_id = id,
                                     .owner = random_.chance(0.5) ? "li" : "",
                                     .clean_start = random_.chance(0.2),
                                     .expiry = random_expiry()},
                                    now_);
    ASSERT_TRUE(opened);
    auto& client = clients_.emplace_back(std::make_unique<FakeClient>(state_, 3));
    client->payload_bytes_max = random_.chance(0.3) ? 4 : 100;
    client->connect(*opened->session);
    client->send_queued();
  }
  void random_subscribe(Session& session) {
    const std::string filter = random_filter();
    const bool is_shared = filter.starts_with("$share");
    const auto id = static_cast<std::uint32_t>(random_.below(3));
    const SubscriptionOptions options{.qos = random_qos(),
                                      .no_local = !is_shared && random_.chance(0.2),
                                      .retain_as_published = random_.chance(0.3),
                                      .id = mqtt::SubscriptionId{id}};
    bool is_new = false;
    ASSERT_TRUE(state_.subscribe(session, filter, options, is_new));
    if (is_new && !is_shared) state_.send_retained(session, filter, options, now_);
  }
  void acknowledge(Session& session) {
    if (session.in_flight == 0) return;
    const auto& queued = session.queue[random_.below(session.in_flight)];
    if (queued.qos == Qos::at_least_once || random_.chance(0.1)) {
      const bool is_taken = queued.message == nullptr;  // then it is a PUBCOMP that is owed
      ASSERT_NE(state_.acknowledge(session, queued.packet_id()), is_taken);
    } else if (queued.message != nullptr) {
      ASSERT_TRUE(state_.take(session, queued.packet_id()));
    } else {
      ASSERT_TRUE(state_.complete(session, queued.packet_id()));
    }
    session.connection->send_queued();
  }
  void receive(Session& session) {
    const auto id = static_cast<mqtt::PacketId>(static_cast<std::uint16_t>(1 + random_.below(4)));
    if (random_.chance(0.4)) {
      state_.release(session, id);
    } else if (state_.receive(session, id)) {
      const std::uint64_t held = state_.hold(message("m", "held", Qos::exactly_once), now_);
      if (random_.chance(0.7)) state_.handed_over(held - random_.below(2));
    }
  }
  void publish(Session* origin) {
    static constexpr const char* kTopics[] = {"a/b", "a", "b", "c/b"};
    const std::string payload = random_.chance(0.1) ? "" : fmt::format("{}", random_.below(99'999));
    std::optional<std::uint32_t> expiry_s;
    if (random_.chance(0.3)) expiry_s = static_cast<std::uint32_t>(random_.below(3000));
    state_.publish(
        message(kTopics[random_.below(4)], payload, random_qos(), random_.chance(0.3), expiry_s),
        origin, now_);
  }

  Random random_;
  Timestamp now_ = kNow;
  BrokerState state_;
  std::vector<std::unique_ptr<FakeClient>> clients_;
};

// Live, replayed from the log, restored from a snapshot, and restored and then replayed: the same.
TEST(BrokerReplay, ReplayAndSnapshotGiveTheLiveState) {
  const BrokerLimits limits{.session_messages_max = 6, .retained = {.count_max = 3}};
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Life life(seed, limits);
    BrokerState replayed(limits);
    auto snapshot = std::make_unique<BrokerState>(limits);
    for (int step = 0; step < 150; ++step) {
      life.step();
      if (life.random().chance(0.3)) continue;  // several steps in one record
      const std::vector<std::string> facts = life.state().take_facts();
      ASSERT_TRUE(replay(replayed, facts));
      ASSERT_TRUE(replay(*snapshot, facts));
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
