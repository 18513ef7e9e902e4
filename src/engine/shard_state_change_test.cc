#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "engine/shard_state.h"

namespace ficus {
namespace {

constexpr const char* kOverspeed =
    "CREATE RULE overspeed AS INSERT INTO Alert (severity) SELECT 'high' FROM Vehicle "
    "WHERE speed > 60;";
constexpr const char* kOverspeedLower =
    "CREATE RULE overspeed AS INSERT INTO Alert (severity) SELECT 'high' FROM Vehicle "
    "WHERE speed > 40;";
constexpr const char* kOverspeedHigher =
    "CREATE RULE overspeed AS INSERT INTO Alert (severity) SELECT 'high' FROM Vehicle "
    "WHERE speed > 90;";
constexpr const char* kOverspeedOfJams =
    "CREATE RULE overspeed AS INSERT INTO Alert (severity) SELECT 'high' FROM Jam WHERE level > 3;";
constexpr const char* kLong =
    "CREATE RULE long AS INSERT INTO Alert (severity) SELECT 'low' FROM Vehicle "
    "WHERE held(speed > 30, INTERVAL '20 seconds');";
constexpr const char* kSilent =
    "CREATE RULE silent AS INSERT INTO Alert (severity) SELECT 'low' FROM Vehicle "
    "WHERE absent(INTERVAL '1 minute');";
constexpr const char* kSlow =
    "CREATE RULE slow AS INSERT INTO Jam (level) SELECT speed FROM Vehicle WHERE speed < 5;";
constexpr const char* kInZone =
    "CREATE RULE zoned AS INSERT INTO Alert (severity) SELECT 'low' FROM Vehicle "
    "WHERE within(location, zone('centre'));";

Timestamp at(std::int64_t second) { return Timestamp::from_seconds(1'790'000'000 + second); }

std::string car(int number) { return fmt::format("urn:ngsi-ld:Vehicle:{}", number); }

struct Record {
  std::string bytes;
  Timestamp time;
};

// The state of a shard with a log that is a list in memory.
class City {
 public:
  explicit City(const std::string& rules, std::size_t step_edges = 4096, double east = 120) {
    vehicle_ = *schema_.intern_type("Vehicle");
    speed_ = *schema_.intern_attribute(vehicle_, "speed", ValueKind::number);
    location_ = *schema_.intern_attribute(vehicle_, "location", ValueKind::point);
    const TypeId jam = *schema_.intern_type("Jam");
    EXPECT_TRUE(schema_.intern_attribute(jam, "level", ValueKind::number));
    const AlertAttributes alert = *AlertAttributes::declare(schema_);
    EXPECT_TRUE(ConfigurationAttributes::declare(schema_));
    options_.step_edges_max = step_edges;
    options_.keeps_configuration_entity = true;
    state_ = std::make_unique<ShardState>(schema_, book(rules, east), alert, options_);
  }

  // `east` is where the zone ends.
  rules::RuleBook book(const std::string& text, double east = 120) {
    auto zones = std::make_shared<ZoneSet>();
    EXPECT_TRUE(zones->add("centre", "", box(119, east)));
    EXPECT_TRUE(zones->add("far", "", box(10, 11)));
    const rules::RuleFile file{"rules.sql", text};
    auto set = rules::RuleSet::compile({&file, 1}, schema_, std::move(zones));
    EXPECT_TRUE(set) << set.error().message;
    return {*std::move(set), schema_};
  }

  void keep(Step step) {
    EXPECT_TRUE(step.status) << step.status.error().message;
    if (!step.record.empty()) log.push_back({std::move(step.record), step.time});
  }
  void change(const std::string& rules, Timestamp now, double east = 120) {
    rules::RuleBook next = book(rules, east);
    keep(state_->change({"operator:Lin", {{"rules.sql", hash_of(rules)}}}, std::move(next), now));
    advance(now);
  }
  static std::uint64_t hash_of(const std::string& rules) { return std::hash<std::string>()(rules); }
  void hear(const std::string& id, double speed, Timestamp now, double longitude = 119.5) {
    SourceBatch batch;
    batch.received_at = now;
    ObservationBatch& rows = batch.observations.emplace_back(vehicle_);
    rows.begin_row(id, now);
    rows.set_number(speed_, speed);
    rows.set_point(location_, {longitude, 26});
    rows.finish();
    keep(state_->hear("gps", std::move(batch), now));
  }
  void advance(Timestamp now) {
    keep(state_->advance(now));
    for (auto due = state_->next_deadline(); due && *due <= now; due = state_->next_deadline()) {
      keep(state_->advance(now));
    }
  }
  void replay(const std::vector<Record>& records) {
    for (const Record& record : records) {
      const auto step = state_->replay(record.bytes, record.time);
      ASSERT_TRUE(step) << step.error().message;
    }
  }

  // "overspeed 1 raised", by rule and vehicle; the newest alert of each.
  std::map<std::string, std::string> alerts() const {
    std::map<std::string, std::string> list;
    const TypeId alert = *schema_.find_type("Alert");
    const auto text = [&](EntityId entity, const char* name) {
      const Value value = state_->twin().value(entity, *schema_.find_attribute(alert, name));
      return value.is_none() ? std::string() : std::string(value.as_text());
    };
    for (std::uint32_t i = 0; i < state_->twin().entity_count(); ++i) {
      const EntityId entity(i);
      if (state_->twin().type_of(entity) != alert) continue;
      const std::string source = text(entity, "alertSource");
      list[text(entity, "rule") + " " + source.substr(source.rfind(':') + 1)] =
          text(entity, "status") +
          (text(entity, "clearedBecause") == "rule_removed" ? ", rule removed" : "");
    }
    return list;
  }
  std::string encoded() const {
    std::string all;
    for (const auto& [name, bytes] : state_->encode()) all += name + bytes;
    return all;
  }
  ShardState& state() { return *state_; }
  const Schema& schema() const { return schema_; }

  std::vector<Record> log;

 private:
  static MultiPolygon box(double west, double east) {
    return {{{{{west, 20}, {east, 20}, {east, 30}, {west, 30}, {west, 20}}, {}}}};
  }

  ShardStateOptions options_;
  Schema schema_;
  TypeId vehicle_;
  AttributeId speed_, location_;
  std::unique_ptr<ShardState> state_;
};

using Alerts = std::map<std::string, std::string>;

TEST(ShardStateChange, ARuleThatDidNotChangeKeepsWhatItKnows) {
  City city(kLong);
  city.change(kLong, at(0));
  city.hear(car(1), 35, at(1));
  city.change(std::string(kOverspeed) + "-- a comment\n" + kLong, at(10));
  city.hear(car(1), 35, at(21));  // for 20 s, 11 of them under the rule as it was before
  EXPECT_EQ(city.alerts(), (Alerts{{"long 1", "raised"}}));
}

TEST(ShardStateChange, AChangedRuleStartsAfreshAndClearsWhatItWouldNotRaise) {
  City city(kOverspeed);
  city.change(kOverspeed, at(0));
  city.hear(car(1), 70, at(1));
  city.hear(car(2), 100, at(1));
  city.change(kOverspeedHigher, at(2));
  EXPECT_EQ(city.alerts(), (Alerts{{"overspeed 1", "raised"}, {"overspeed 2", "raised"}}));
  city.hear(car(1), 70, at(3));
  city.hear(car(2), 100, at(3));
  EXPECT_EQ(city.alerts(), (Alerts{{"overspeed 1", "cleared"}, {"overspeed 2", "raised"}}));
  city.change(kOverspeedLower, at(4));
  city.hear(car(1), 50, at(5));
  city.hear(car(3), 50, at(5));
  EXPECT_EQ(
      city.alerts(),
      (Alerts{{"overspeed 1", "raised"}, {"overspeed 2", "raised"}, {"overspeed 3", "raised"}}));
}

TEST(ShardStateChange, TheAlertsOfARuleThatIsGoneAreCleared) {
  City city(kOverspeed);
  city.change(kOverspeed, at(0));
  city.hear(car(1), 70, at(1));
  city.hear(car(2), 70, at(1));
  city.change(kSlow, at(2));
  EXPECT_EQ(city.alerts(), (Alerts{{"overspeed 1", "cleared, rule removed"},
                                   {"overspeed 2", "cleared, rule removed"}}));
  // It comes back: the condition that still holds raises the same alerts again.
  city.change(kOverspeed, at(3));
  city.hear(car(1), 70, at(4));
  EXPECT_EQ(city.alerts().at("overspeed 1").substr(0, 6), "raised");
  // Of this name, but about something else: nobody watches the vehicle any more.
  city.change(kOverspeedOfJams, at(5));
  EXPECT_EQ(city.alerts().at("overspeed 1"), "cleared, rule removed");
}

TEST(ShardStateChange, ANewAbsenceWaitsForEverybodyWhoIsKnown) {
  City city("");
  city.hear(car(1), 20, at(0));
  city.change(kSilent, at(100));
  city.advance(at(159));
  EXPECT_EQ(city.alerts(), Alerts{});
  city.advance(at(160));
  EXPECT_EQ(city.alerts(), (Alerts{{"silent 1", "raised"}}));
}

TEST(ShardStateChange, AZoneDrawnAnewIsAChangeOfTheRulesThatNameIt) {
  City city(std::string(kInZone) + kLong);
  city.change(std::string(kInZone) + kLong, at(0));
  city.hear(car(1), 35, at(1), 119.9);
  EXPECT_EQ(city.alerts(), (Alerts{{"zoned 1", "raised"}}));
  city.change(std::string(kInZone) + kLong, at(2), 119.8);
  city.hear(car(1), 35, at(21), 119.9);
  EXPECT_EQ(city.alerts(), (Alerts{{"long 1", "raised"}, {"zoned 1", "cleared"}}));
}

TEST(ShardStateChange, TheLogSaysWhatHolds) {
  City city(kOverspeed);
  const Configuration configuration{"start", {{"rules.sql", 5}}};
  EXPECT_FALSE(city.state().is_in_force(configuration));
  city.keep(city.state().change(configuration, city.book(kOverspeed), at(0)));
  EXPECT_TRUE(city.state().is_in_force(configuration));
  EXPECT_FALSE(city.state().is_in_force({"start", {{"rules.sql", 6}}}));
  const auto entity = city.state().twin().find(kConfigurationId);
  ASSERT_TRUE(entity);
  City again(kOverspeed);
  again.replay(city.log);
  EXPECT_TRUE(again.state().is_in_force(configuration));
  City other(kOverspeedLower);  // the file has changed since
  other.replay(city.log);
  EXPECT_FALSE(other.state().is_in_force(configuration));
}

// Whatever rules held in between: who has only the newest ones and the log knows what the living
// state knows, to the byte, and says the same from there on.
TEST(ShardStateChange, AReplayWithTheNewestRulesGivesTheLiveState) {
  const std::string sets[] = {
      std::string(kOverspeed) + kLong + kSilent + kSlow,
      std::string(kLong) + kOverspeedLower + kSilent,
      std::string(kSilent) + kSlow + kInZone,
      "",
      std::string(kOverspeedOfJams) + kSlow + kLong,
      std::string(kOverspeedHigher) + kInZone,
  };
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    std::string rules = sets[0];
    double east = 120;
    City live(rules, seed % 2 == 0 ? 1 : 4096);
    live.change(rules, at(0));
    std::int64_t now = 0;
    const auto step = [&](City& city, std::int64_t second) {
      const double dice = random.unit();
      if (dice < 0.1) return city.advance(at(second));
      const double speeds[] = {0, 3, 35, 50, 70, 100};
      city.hear(car(static_cast<int>(random.below(8))), speeds[random.below(6)], at(second),
                119 + random.unit());
    };
    for (int i = 0; i < 150; ++i) {
      now += static_cast<std::int64_t>(random.below(12));
      if (random.chance(0.06)) {
        rules = sets[random.below(std::size(sets))];
        east = random.chance(0.5) ? 120 : 119.5;
        live.change(rules, at(now), east);
      } else {
        step(live, now);
      }
    }
    City replayed(rules, seed % 2 == 0 ? 1 : 4096, east);
    replayed.replay(live.log);
    ASSERT_EQ(replayed.encoded() == live.encoded(), true) << "seed " << seed;
    EXPECT_EQ(replayed.alerts(), live.alerts());
    live.log.clear();
    for (int i = 0; i < 8; ++i) {
      for (City* const city : {&live, &replayed}) {
        city->hear(car(i), i % 2 == 0 ? 70 : 2, at(now + 30 + i), 119.4);
        city->advance(at(now + 30 + i));
      }
    }
    ASSERT_EQ(replayed.log.size(), live.log.size());
    for (std::size_t i = 0; i < live.log.size(); ++i) {
      EXPECT_EQ(replayed.log[i].bytes, live.log[i].bytes) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace ficus
