#include "codec/fact/fact.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace ficus::fact {
namespace {

ObservationBatch vehicle_rows(Schema& schema) {
  const TypeId type = schema.intern_type("Vehicle").value();
  const auto attribute = [&](const char* name, ValueKind kind) {
    return schema.intern_attribute(type, name, kind).value();
  };
  const AttributeId speed = attribute("speed", ValueKind::number);
  const AttributeId location = attribute("location", ValueKind::point);
  const AttributeId status = attribute("status", ValueKind::text);
  const AttributeId due = attribute("due", ValueKind::time);
  const AttributeId doors = attribute("doorsOpen", ValueKind::boolean);
  ObservationBatch rows(type);
  for (int i = 0; i < 20; ++i) {
    rows.begin_row("urn:ngsi-ld:Vehicle:" + std::to_string(i), {1000 + i});
    rows.set_number(speed, i * 1.5);
    if (i % 3 == 0) rows.set_point(location, {119.3, 26.08});
    if (i % 4 == 0) rows.set_text(status, ValueKind::text, "行驶");
    if (i % 5 == 0) rows.set_time(due, {i});
    if (i % 6 == 0) rows.set_boolean(doors, true);
  }
  rows.finish();
  return rows;
}

std::string example_step(Schema& schema) {
  SourceBatch batch;
  batch.received_at = {77};
  batch.observations.push_back(vehicle_rows(schema));
  batch.quarantined.push_back({"topic/a", "expected a number", std::string("\0\xff", 2)});
  batch.refused.push_back({"overloaded", 12});
  std::string bytes;
  StepWriter writer(schema, bytes);
  writer.time_passed({-5});
  writer.heard("vehicles", batch);
  writer.derived("rule:overspeed", vehicle_rows(schema));
  writer.configuration_changed(
      {"operator:Lin", {{"rules", 7}, {"zones", ~0ULL}}, "state", {"slow", "silent"}});
  writer.ended_rules_cleared();
  return bytes;
}

TEST(Fact, RoundTripsIntoAnotherSchema) {
  Schema schema;
  const std::string bytes = example_step(schema);
  // Another process may know the attributes in another order: handles change, names do not.
  Schema other;
  const TypeId type = other.intern_type("Vehicle").value();
  ASSERT_TRUE(other.intern_attribute(type, "status", ValueKind::text));
  const auto facts = read_step(bytes, other);
  ASSERT_TRUE(facts) << facts.error().message;
  ASSERT_EQ(facts->size(), 5U);
  EXPECT_EQ(std::get<TimePassed>((*facts)[0]).until, Timestamp{-5});
  EXPECT_TRUE(std::holds_alternative<EndedRulesCleared>((*facts)[4]));
  const auto& change = std::get<ConfigurationChanged>((*facts)[3]);
  EXPECT_EQ(change.by, "operator:Lin");
  ASSERT_EQ(change.parts.size(), 2U);
  EXPECT_EQ(change.parts[1], (std::pair<std::string, std::uint64_t>("zones", ~0ULL)));
  EXPECT_EQ(change.rules_state, "state");
  EXPECT_EQ(change.ended_rules, (std::vector<std::string>{"slow", "silent"}));
  const Heard& heard = std::get<Heard>((*facts)[1]);
  EXPECT_EQ(heard.source, "vehicles");
  EXPECT_EQ(heard.batch.received_at, Timestamp{77});
  EXPECT_EQ(heard.batch.item_count(), 33U);
  EXPECT_EQ(heard.batch.quarantined[0].bytes, std::string("\0\xff", 2));
  std::string again;
  StepWriter writer(other, again);
  writer.time_passed({-5});
  writer.heard(heard.source, heard.batch);
  const Derived& derived = std::get<Derived>((*facts)[2]);
  writer.derived(derived.origin, derived.rows);
  writer.configuration_changed(change);
  writer.ended_rules_cleared();
  EXPECT_EQ(again, bytes);
}

TEST(Fact, EveryPrefixAndManyDamagesAreRefusedOrRead) {
  Schema schema;
  const std::string bytes = example_step(schema);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto facts = read_step(std::string_view(bytes).substr(0, length), schema);
    // Only a cut between two facts leaves something whole.
    if (facts) {
      ASSERT_LT(facts->size(), 5U) << length;
    }
  }
  Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = bytes;
    damaged[random.below(damaged.size())] = static_cast<char>(random.next());
    Schema fresh;
    (void)read_step(damaged, fresh);  // must neither crash nor read out of bounds
  }
}

TEST(Fact, AChangedKindIsNamed) {
  Schema schema;
  const std::string bytes = example_step(schema);
  Schema other;
  const TypeId type = other.intern_type("Vehicle").value();
  ASSERT_TRUE(other.intern_attribute(type, "speed", ValueKind::text));
  const auto facts = read_step(bytes, other);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().message, "Vehicle.speed is a text, not a number");
}

}  // namespace
}  // namespace ficus::fact
