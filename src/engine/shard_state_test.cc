#include "engine/shard_state.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace ficus {
namespace {

constexpr const char* kRules = R"sql(
CREATE RULE overspeed AS INSERT INTO Alert (severity, assignedTo)
  SELECT 'high', 'police' FROM Vehicle WHERE speed > 60;
CREATE RULE silent AS INSERT INTO Alert (severity)
  SELECT 'low' FROM Vehicle WHERE absent(INTERVAL '1 minute');
CREATE RULE slow AS INSERT INTO Jam (level) SELECT speed FROM Vehicle WHERE speed < 5;
CREATE RULE standing AS INSERT INTO Alert (severity) SELECT 'medium' FROM Jam WHERE level < 1;
)sql";

Timestamp at(std::int64_t second) { return Timestamp::from_seconds(1'790'000'000 + second); }

AlertCommand command(std::string id, AlertEvent event = AlertEvent::operator_acknowledge) {
  return {.alert_id = std::move(id),
          .event = event,
          .by = "Lin",
          .department = "fire",
          .only_of_department = {}};
}

struct Record {
  std::string bytes;
  Timestamp time;
};

// A shard's state with a schema of its own, as after a start of the process.
class Brain {
 public:
  explicit Brain(const twin::TwinLimits& limits = {}, std::size_t step_edges_max = 4096) {
    vehicle_ = *schema_.intern_type("Vehicle");
    speed_ = *schema_.intern_attribute(vehicle_, "speed", ValueKind::number);
    location_ = *schema_.intern_attribute(vehicle_, "location", ValueKind::point);
    alert_ = *AlertAttributes::declare(schema_);
    auto rules = rules::RuleBook::compile(kRules, "rules.sql", schema_, zones_);
    EXPECT_TRUE(rules) << rules.error().message;
    state_.emplace(schema_, *std::move(rules), alert_,
                   ShardStateOptions{.twin = limits,
                                     .reopen_within = Micros::from_seconds(60),
                                     .step_edges_max = step_edges_max});
  }

  struct Row {
    std::string id;
    Timestamp observed_at;
    std::optional<double> speed;
  };
  SourceBatch batch(const std::vector<Row>& rows, Timestamp now) {
    SourceBatch batch;
    batch.received_at = now;
    ObservationBatch observations(vehicle_);
    for (const Row& row : rows) {
      observations.begin_row(row.id, row.observed_at);
      observations.set_point(location_, {119.3, 26.1});
      if (row.speed) observations.set_number(speed_, *row.speed);
    }
    observations.finish();
    batch.observations.push_back(std::move(observations));
    return batch;
  }
  Step hear(const std::vector<Row>& rows, Timestamp now) {
    return state_->hear("gps", batch(rows, now), now);
  }
  Step hear(const std::string& id, std::optional<double> speed, Timestamp now) {
    return hear({{id, now, speed}}, now);
  }

  // The ids of all alerts with their states, oldest first.
  std::vector<std::string> alerts() {
    std::vector<std::string> list;
    for (std::uint32_t i = 0; i < state_->twin().entity_count(); ++i) {
      if (state_->twin().type_of(EntityId(i)) != alert_.type) continue;
      list.push_back(fmt::format("{} {}", state_->twin().id_of(EntityId(i)),
                                 state_->twin().value(EntityId(i), alert_.status).as_text()));
    }
    return list;
  }
  Value of_alert(std::string_view id, AttributeId attribute) {
    return state_->twin().value(*state_->twin().find_entity(id), attribute);
  }
  std::string encoded() {
    std::string all;
    for (const auto& [name, bytes] : state_->encode()) all += name + bytes;
    return all;
  }
  void replay(const Record& record) {
    const auto step = state_->replay(record.bytes, record.time);
    ASSERT_TRUE(step) << step.error().message;
  }
  void restore(const ShardState::Sections& sections) { ASSERT_TRUE(state_->decode(sections)); }

  ShardState& state() { return *state_; }
  const AlertAttributes& alert() const { return alert_; }
  const SourceBooks& books() { return state_->books().all().at("gps"); }

 private:
  Schema schema_;
  ZoneSet zones_;
  TypeId vehicle_;
  AttributeId speed_, location_;
  AlertAttributes alert_;
  std::optional<ShardState> state_;
};

const std::string kCar = "urn:ngsi-ld:Vehicle:car";

std::string only_alert(Brain& brain) {
  const std::vector<std::string> alerts = brain.alerts();
  EXPECT_EQ(alerts.size(), 1U);
  return alerts.empty() ? "" : alerts[0].substr(0, alerts[0].find(' '));
}

TEST(ShardState, CountsEveryRowOnce) {
  Brain brain;
  const Step step = brain.hear({{kCar, at(10), 20}, {kCar, at(5), 30}, {kCar, at(10), 20}}, at(11));
  ASSERT_EQ(step.settled.size(), 1U);
  EXPECT_EQ(step.settled[0].outcomes,
            (std::vector{twin::RowOutcome::applied, twin::RowOutcome::late,
                         twin::RowOutcome::duplicate}));
  EXPECT_EQ(step.time, at(11));
  SourceBatch rest;
  rest.received_at = at(12);
  rest.quarantined.push_back({"k", "bad", "bytes"});
  rest.refused.push_back({"overloaded", 3});
  const Step second = brain.state().hear("gps", std::move(rest), at(12));
  EXPECT_EQ(second.quarantined.size(), 1U);
  const SourceBooks& books = brain.books();
  EXPECT_EQ(books.received, 7U);
  EXPECT_EQ(books.applied, 1U);
  EXPECT_EQ(books.late, 1U);
  EXPECT_EQ(books.duplicate, 1U);
  EXPECT_EQ(books.refused_by.at("overloaded"), 3U);
  EXPECT_TRUE(books.balanced());
}

TEST(ShardState, OpensAnAlertClearsAndReopensIt) {
  Brain brain;
  brain.hear(kCar, 70, at(0));
  const std::string id = only_alert(brain);
  EXPECT_TRUE(id.starts_with("urn:ngsi-ld:Alert:overspeed:Vehicle:car:")) << id;
  EXPECT_EQ(brain.of_alert(id, brain.alert().severity).as_text(), "high");
  EXPECT_EQ(brain.of_alert(id, brain.alert().rule).as_text(), "overspeed");
  EXPECT_EQ(brain.of_alert(id, brain.alert().alert_source).as_text(), kCar);
  EXPECT_EQ(brain.of_alert(id, brain.alert().location).kind(), ValueKind::point);
  brain.hear(kCar, 75, at(1));  // still: no other alert
  EXPECT_EQ(brain.alerts(), std::vector{id + " raised"});
  brain.hear(kCar, 20, at(2));
  EXPECT_EQ(brain.alerts(), std::vector{id + " cleared"});
  EXPECT_EQ(brain.of_alert(id, brain.alert().cleared_at).as_time(), at(2));
  brain.hear(kCar, 80, at(50));  // soon: the same alert
  EXPECT_EQ(brain.alerts(), std::vector{id + " raised"});
  brain.hear(kCar, 20, at(51));
  brain.hear(kCar, 50, at(100));
  brain.hear(kCar, 80, at(112));  // 61 s after it was cleared: another one
  EXPECT_EQ(brain.alerts().size(), 2U);
}

TEST(ShardState, AnOperatorTakesAnAlertThroughItsLife) {
  Brain brain;
  brain.hear(kCar, 70, at(0));
  const std::string id = only_alert(brain);
  const auto operate = [&](AlertEvent event, std::int64_t second) {
    return brain.state().operate(command(id, event), at(second));
  };
  const Step acknowledged = operate(AlertEvent::operator_acknowledge, 1);
  ASSERT_EQ(acknowledged.settled.size(), 1U);
  EXPECT_EQ(acknowledged.settled[0].origin, "operator:Lin");
  EXPECT_TRUE(acknowledged.settled[0].derived);
  EXPECT_EQ(brain.of_alert(id, brain.alert().acknowledged_by).as_text(), "Lin");
  const Step twice = operate(AlertEvent::operator_acknowledge, 2);
  ASSERT_FALSE(twice.status);
  EXPECT_EQ(twice.status.error().code, ErrorCode::conflict);
  EXPECT_TRUE(twice.record.empty());
  EXPECT_TRUE(operate(AlertEvent::operator_assign, 3).status);
  EXPECT_EQ(brain.of_alert(id, brain.alert().assigned_to).as_text(), "fire");
  EXPECT_EQ(brain.alerts(), std::vector{id + " assigned"});
  EXPECT_TRUE(operate(AlertEvent::operator_close, 4).status);
  EXPECT_EQ(brain.alerts(), std::vector{id + " closed"});
  brain.hear(kCar, 20, at(5));
  EXPECT_EQ(brain.alerts(), std::vector{id + " closed"});
  brain.hear(kCar, 70, at(6));
  EXPECT_EQ(brain.alerts().size(), 2U);
  const Step unknown = brain.state().operate(command("urn:x"), at(7));
  EXPECT_EQ(unknown.status.error().code, ErrorCode::not_found);
  const Step no_alert = brain.state().operate(command(kCar), at(8));
  EXPECT_EQ(no_alert.status.error().code, ErrorCode::not_found);
}

// A step of an operator is never late, even if the alert has a time ahead of our clock.
TEST(ShardState, AnOperatorIsHeardThoughTheClockWentBack) {
  Brain brain;
  brain.hear(kCar, 70, at(100));
  const std::string id = only_alert(brain);
  EXPECT_TRUE(brain.state().operate(command(id, AlertEvent::operator_close), at(50)).status);
  EXPECT_EQ(brain.alerts(), std::vector{id + " closed"});
}

TEST(ShardState, AClosedAlertStaysClosedThoughItsMomentComesAgain) {
  Brain brain;
  brain.hear({{kCar, at(0), 70}}, at(1));
  const std::string id = only_alert(brain);
  brain.state().operate(command(id, AlertEvent::operator_close), at(2));
  brain.hear({{kCar, at(0), 20}}, at(3));  // at the same time another value: the last wins
  brain.hear({{kCar, at(0), 71}}, at(4));
  EXPECT_EQ(brain.alerts(), (std::vector{id + " closed", id + ":2 raised"}));
}

// Somebody wrote to the alert with an absurd time: its life goes on.
TEST(ShardState, AnAlertAtTheEndOfTimeIsClearedAllTheSame) {
  Brain brain;
  brain.hear(kCar, 70, at(1));
  const std::string id = only_alert(brain);
  SourceBatch batch;
  batch.received_at = at(2);
  ObservationBatch& rows = batch.observations.emplace_back(brain.alert().type);
  rows.begin_row(id, Timestamp{INT64_MAX});
  rows.set_text(brain.alert().description, ValueKind::text, "from the future");
  rows.finish();
  EXPECT_TRUE(brain.state().hear("other", std::move(batch), at(2)).status);
  brain.hear(kCar, 10, at(3));
  EXPECT_EQ(brain.alerts(), std::vector{id + " cleared"});
}

TEST(ShardState, SilenceRaisesAnAlertAndSpeechClearsIt) {
  Brain brain;
  brain.hear(kCar, 20, at(0));
  EXPECT_TRUE(brain.state().advance(at(59)).record.empty());
  const Step step = brain.state().advance(at(60));
  ASSERT_EQ(step.settled.size(), 1U);
  EXPECT_EQ(step.settled[0].origin, "rule:silent");
  const std::string id = only_alert(brain);
  EXPECT_TRUE(brain.state().advance(at(300)).record.empty());
  brain.hear(kCar, 20, at(301));
  EXPECT_EQ(brain.alerts(), std::vector{id + " cleared"});
}

// A silence that ended the moment before an operator spoke is part of the operator's step.
TEST(ShardState, TimePassesAlsoWhenAnOperatorSpeaks) {
  Brain brain;
  brain.hear(kCar, 70, at(0));
  const std::string id = only_alert(brain);
  const Step step = brain.state().operate(command(id, AlertEvent::operator_acknowledge), at(61));
  ASSERT_TRUE(step.status);
  EXPECT_EQ(step.settled.size(), 2U);
  EXPECT_EQ(brain.alerts().size(), 2U);
  const Step refused = brain.state().operate(command("urn:x"), at(62));
  EXPECT_FALSE(refused.status);
  Brain again;
  Brain heard;  // the same beginning
  again.replay({heard.hear(kCar, 70, at(0)).record, at(0)});
  again.replay({step.record, step.time});
  EXPECT_EQ(again.encoded(), brain.encoded());
}

TEST(ShardState, ARuleListensToWhatAnotherWrites) {
  Brain brain;
  const Step step = brain.hear(kCar, 0, at(0));
  ASSERT_EQ(step.settled.size(), 3U);  // the car, the jam, the alert
  EXPECT_EQ(step.settled[1].origin, "rule:slow");
  EXPECT_EQ(step.settled[1].rows->ids()[0], "urn:ngsi-ld:Jam:slow:Vehicle:car");
  EXPECT_EQ(step.settled[2].origin, "rule:standing");
}

TEST(ShardState, AFullTwinRefusesNewEntitiesAndCountsThem) {
  Brain brain({.entities_max = 1});
  const Step step = brain.hear({{kCar, at(0), 20}, {"urn:ngsi-ld:Vehicle:b", at(0), 20}}, at(0));
  ASSERT_FALSE(step.status);
  EXPECT_EQ(step.status.error().code, ErrorCode::overloaded);
  ASSERT_EQ(step.settled.size(), 1U);
  EXPECT_EQ(step.settled[0].rows->row_count(), 1U);
  EXPECT_EQ(brain.books().refused_by.at("twin_full"), 1U);
  EXPECT_TRUE(brain.books().balanced());
  Brain again({.entities_max = 1});
  again.replay({step.record, step.time});
  EXPECT_EQ(again.encoded(), brain.encoded());
}

TEST(ShardState, AnUnusableIdIsNotAFullTwin) {
  Brain brain({.entities_max = 1, .id_bytes_max = 30});
  const Step step = brain.hear({{kCar, at(0), 20},
                                {std::string(31, 'x'), at(0), 20},
                                {"urn:ngsi-ld:Vehicle:b", at(0), 20},
                                {"", at(0), 20}},
                               at(0));
  ASSERT_FALSE(step.status);
  EXPECT_EQ(brain.books().refused_by.at("unusable_id"), 2U);
  EXPECT_EQ(brain.books().refused_by.at("twin_full"), 1U);
  EXPECT_EQ(brain.books().applied, 1U);
  EXPECT_TRUE(brain.books().balanced());
}

TEST(ShardState, ALoweredLimitStillReplaysAndRefusesNewEntities) {
  Brain brain;
  const Step first = brain.hear(kCar, 20, at(0));
  const Step second = brain.hear("urn:ngsi-ld:Vehicle:b", 20, at(1));
  Brain lowered({.entities_max = 1});
  lowered.replay({first.record, first.time});
  lowered.replay({second.record, second.time});
  EXPECT_EQ(lowered.state().twin().entity_count(), brain.state().twin().entity_count());
  EXPECT_TRUE(lowered.hear(kCar, 30, at(2)).status);  // known ones still pass
  const Step refused = lowered.hear("urn:ngsi-ld:Vehicle:c", 20, at(3));
  ASSERT_FALSE(refused.status);
  EXPECT_EQ(refused.status.error().code, ErrorCode::overloaded);
  EXPECT_EQ(lowered.books().refused_by.at("twin_full"), 1U);
}

TEST(ShardState, RefusesDamagedRecordsAndSnapshots) {
  Brain brain;
  const Step step = brain.hear(kCar, 70, at(0));
  for (std::size_t length = 0; length < step.record.size(); length += 7) {
    Brain again;
    (void)again.state().replay(std::string_view(step.record).substr(0, length), at(0));
  }
  Brain again;
  EXPECT_FALSE(again.state().decode({{"strange", ""}}));
  EXPECT_FALSE(again.state().decode({{"books", "x"}}));
  EXPECT_FALSE(again.state().decode({{"configuration", ""}}));
}

// A random life: late, repeated and new rows, operators, silence, full twins.
class Life {
 public:
  // Every other one with steps that tell one silence, so that more are due most of the time.
  Life(std::uint64_t seed, const twin::TwinLimits& limits)
      : random_(seed), brain_(limits, step_edges_max(seed)) {}
  static std::size_t step_edges_max(std::uint64_t seed) { return seed % 2 == 0 ? 4096 : 1; }

  Step step() {
    now_ = now_ + Micros::from_seconds(static_cast<std::int64_t>(random_.below(25))) +
           Micros{static_cast<std::int64_t>(random_.below(1000))};
    const double dice = random_.unit();
    if (dice < 0.15) return brain_.state().advance(now_);
    if (dice < 0.35) return operate();
    std::vector<Brain::Row> rows;
    for (std::uint64_t left = 1 + random_.below(4); left > 0; --left) {
      if (!past_.empty() && random_.chance(0.2)) {
        rows.push_back(past_[random_.below(past_.size())]);
        continue;
      }
      static constexpr double kSpeeds[] = {0, 3, 50, 70};
      const Micros ago = Micros::from_seconds(static_cast<std::int64_t>(random_.below(30)));
      rows.push_back({.id = fmt::format("urn:ngsi-ld:Vehicle:{}", random_.below(6)),
                      .observed_at = now_ - ago,
                      .speed = kSpeeds[random_.below(4)]});
      if (random_.chance(0.1)) rows.back().speed.reset();
      past_.push_back(rows.back());
    }
    SourceBatch batch = brain_.batch(rows, now_);
    if (random_.chance(0.2)) batch.quarantined.push_back({"k", "r", "b"});
    if (random_.chance(0.1)) batch.refused.push_back({"overloaded", 2});
    return brain_.state().hear("gps", std::move(batch), now_);
  }

  Brain& brain() { return brain_; }
  Random& random() { return random_; }

 private:
  Step operate() {
    const std::vector<std::string> alerts = brain_.alerts();
    static constexpr AlertEvent kEvents[] = {
        AlertEvent::operator_acknowledge, AlertEvent::operator_assign, AlertEvent::operator_close};
    AlertCommand step = command("urn:none", kEvents[random_.below(3)]);
    if (!alerts.empty()) {
      step.alert_id = alerts[random_.below(alerts.size())];
      step.alert_id.resize(step.alert_id.find(' '));
    }
    return brain_.state().operate(step, now_);
  }

  Random random_;
  Brain brain_;
  Timestamp now_ = at(0);
  std::vector<Brain::Row> past_;
};

// The state is a fold over its log: live, replayed from the beginning, and replayed behind any
// snapshot, it is the same to the byte, and goes on the same.
TEST(ShardState, ReplayGivesTheLiveState) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const twin::TwinLimits limits{.entities_max = seed % 3 == 0 ? 12U : 1000U,
                                  .duplicate_window_rows = 64};
    Life life(seed, limits);
    Brain replayed(limits);
    auto restored = std::make_unique<Brain>(limits);
    for (int i = 0; i < 200; ++i) {
      const Step step = life.step();
      if (!step.record.empty()) {
        replayed.replay({step.record, step.time});
        restored->replay({step.record, step.time});
      }
      if (i % 10 == 0) {
        const std::string live = life.brain().encoded();
        ASSERT_EQ(replayed.encoded() == live, true) << "seed " << seed << ", step " << i;
        ASSERT_EQ(restored->encoded() == live, true) << "seed " << seed << ", step " << i;
      }
      if (life.random().chance(0.05)) {
        restored = std::make_unique<Brain>(limits);
        restored->restore(life.brain().state().encode());
      }
    }
    EXPECT_TRUE(life.brain().books().balanced());
    EXPECT_EQ(restored->state().books().all(), life.brain().state().books().all());
    EXPECT_EQ(restored->alerts(), life.brain().alerts());
  }
}

// What a restored state does next is what the live one does: also which alerts it knows as open.
TEST(ShardState, ARestoredStateGoesOnTheSame) {
  for (std::uint64_t seed = 100; seed < 112; ++seed) {
    Life live(seed, {});
    for (int i = 0; i < 120; ++i) {
      (void)live.step();
    }
    Brain restored({}, Life::step_edges_max(seed));
    restored.restore(live.brain().state().encode());
    for (int car = 0; car < 6; ++car) {
      for (const double speed : {70.0, 10.0, 70.0}) {
        const std::string id = fmt::format("urn:ngsi-ld:Vehicle:{}", car);
        const Timestamp now = at(100'000 + car * 10 + static_cast<int>(speed));
        EXPECT_EQ(live.brain().hear(id, speed, now).record, restored.hear(id, speed, now).record);
      }
    }
    EXPECT_EQ(live.brain().alerts(), restored.alerts());
  }
}

// Steps, silences and alerts between the shares leave no trace in it.
TEST(ShardState, ACaptureIsTheStateAtItsBegin) {
  for (std::uint64_t seed = 200; seed < 220; ++seed) {
    Life life(seed, {});
    for (int round = 0; round < 12; ++round) {
      for (int i = 0; i < 10; ++i) (void)life.step();
      ShardState& state = life.brain().state();
      const ShardState::Sections wanted = state.encode();
      state.begin_capture();
      for (int i = 0; !state.is_captured(); ++i) {
        if (life.random().chance(0.8)) (void)life.step();
        if (i >= 20) state.capture(1);
      }
      const std::string after = life.brain().encoded();
      ASSERT_TRUE(state.take_capture()->sections() == wanted) << "seed " << seed;
      ASSERT_TRUE(life.brain().encoded() == after) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace ficus
