// Rules that are found by their constants say what they would say if each looked at every row.
#include "rules/rule_index.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "rules/rule_book.h"
#include "rules/testing/fake_twin.h"

namespace ficus::rules {
namespace {

using testing::FakeTwin;
using testing::Reading;

constexpr int kEntities = 40;

class RuleIndexTest : public ::testing::Test {
 protected:
  RuleIndexTest() : twin_(schema_) {
    type_ = *schema_.intern_type("Probe");
    x_ = *schema_.intern_attribute(type_, "x", ValueKind::number);
    y_ = *schema_.intern_attribute(type_, "y", ValueKind::number);
    name_ = *schema_.intern_attribute(type_, "name", ValueKind::text);
  }

  static std::string rule(int number, const std::string& where) {
    return fmt::format(
        "CREATE RULE r{:05} AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE {};\n", number,
        where);
  }
  RuleBook compile(const std::string& text) {
    auto book = RuleBook::compile(text, "r.sql", schema_, zones_);
    EXPECT_TRUE(book) << book.error().message;
    return *std::move(book);
  }
  static Reading probe(int entity, std::int64_t second) {
    return {"Probe", fmt::format("urn:{}", entity), Timestamp::from_seconds(second), {}};
  }
  // The same rows as the twin is given them, before it knows what else it knows.
  ObservationBatch batch_of(std::span<const Reading> readings) const {
    ObservationBatch batch(type_);
    for (const Reading& reading : readings) {
      batch.begin_row(reading.id, reading.observed_at);
      for (const auto& [attribute, value] : reading.values) {
        batch.set(*schema_.find_attribute(type_, attribute), value);
      }
    }
    batch.finish();
    return batch;
  }

  Schema schema_;
  ZoneSet zones_;
  FakeTwin twin_;
  TypeId type_;
  AttributeId x_;
  AttributeId y_;
  AttributeId name_;
};

std::string random_condition(Random& random, int depth);
// Without held, which must not stand inside of itself.
std::string random_plain(Random& random) {
  std::string condition;
  do condition = random_condition(random, 1);
  while (condition.contains("held") || condition.contains("absent"));
  return condition;
}

// Conditions as people write them, and some that nobody should.
std::string random_condition(Random& random, int depth) {
  const auto number = [&] { return std::to_string(static_cast<int>(random.below(12)) - 2); };
  const auto column = [&] { return random.chance(0.7) ? "x" : "y"; };
  const auto name = [&] { return fmt::format("'n{}'", random.below(9)); };
  switch (random.below(depth > 0 ? 15 : 11)) {
    case 0:
      return fmt::format("{} > {}", column(), number());
    case 1:
      return fmt::format("{} <= {}", number(), column());
    case 2:
      return fmt::format("{} < {}", column(), number());
    case 3:
      return fmt::format("{} = {}", column(), number());
    case 4:
      return fmt::format("name = {}", name());
    case 5:
      return fmt::format("'urn:{}' = id", random.below(kEntities));
    case 6:
      return fmt::format("id IN ('urn:{}', 'urn:{}')", random.below(kEntities),
                         random.below(kEntities));
    case 7:
      return fmt::format("{} IN ({}, {}, {}, NULL)", column(), number(), number(), number());
    case 8:
      return fmt::format("{}{} BETWEEN {} AND {}", column(), random.chance(0.3) ? " NOT" : "",
                         number(), number());
    case 9:
      return fmt::format("name {} {}", random.chance(0.5) ? "<>" : ">", name());
    case 10:
      if (random.chance(0.5)) {
        return fmt::format("held({}, INTERVAL '{} seconds')", random_plain(random),
                           random.below(4));
      }
      return random.chance(0.5) ? "absent(INTERVAL '5 seconds')" : "x IS NULL";
    case 11:
      return fmt::format("({} OR {})", random_condition(random, depth - 1),
                         random_condition(random, depth - 1));
    case 12:
      return fmt::format("NOT ({})", random_condition(random, depth - 1));
    default:
      return fmt::format("({} AND {})", random_condition(random, depth - 1),
                         random_condition(random, depth - 1));
  }
}

Value random_number(Random& random) {
  switch (random.below(20)) {
    case 0:
      return Value::number(std::nan(""));
    case 1:
      return Value::number(-0.0);
    case 2:
      return Value::number(std::numeric_limits<double>::infinity());
    default:
      return Value::number(static_cast<double>(random.below(13)) - 2);
  }
}

std::vector<Reading> random_readings(Random& random, std::int64_t second) {
  std::vector<Reading> readings;
  const std::size_t count = 1 + random.below(random.chance(0.3) ? 300 : 12);
  for (std::size_t i = 0; i < count; ++i) {
    Reading reading{"Probe",
                    fmt::format("urn:{}", random.below(kEntities)),
                    Timestamp::from_seconds(second - static_cast<int>(random.below(3))),
                    {}};
    if (random.chance(0.8)) reading.values.emplace_back("x", random_number(random));
    if (random.chance(0.5)) reading.values.emplace_back("y", random_number(random));
    if (random.chance(0.6)) {
      reading.values.emplace_back("name", Value::text(fmt::format("n{}", random.below(9))));
    }
    readings.push_back(std::move(reading));
  }
  return readings;
}

// Without the values: NaN is not equal to itself.
std::vector<std::string> told(std::span<const Emission> emissions) {
  std::vector<std::string> lines;
  for (const Emission& emission : emissions) {
    lines.push_back(fmt::format("r{} {} {} at {}, {} values", emission.rule.index(),
                                emission.entity_id, emission.met ? "met" : "ended",
                                emission.observed_at.micros, emission.values.size()));
  }
  return lines;
}

std::string first_difference(std::span<const Emission> a, std::span<const Emission> b) {
  const std::vector<std::string> left = told(a);
  const std::vector<std::string> right = told(b);
  const auto [x, y] = std::ranges::mismatch(left, right);
  if (x == left.end() && y == right.end()) return {};
  return fmt::format("'{}' instead of '{}'", x == left.end() ? "nothing" : *x,
                     y == right.end() ? "nothing" : *y);
}

// What is met has to be known to be met.
RuleBook restarted(const RuleBook& book) {
  std::string state;
  book.encode(state);
  RuleBook next = book.fresh();
  EXPECT_TRUE(next.decode(state));
  next.continue_figures(book);
  return next;
}

void expect_same_figures(const RuleBook& found, const RuleBook& simple) {
  for (std::uint32_t i = 0; i < found.rule_count(); ++i) {
    const RuleFigures a = found.figures(RuleId(i));
    const RuleFigures b = simple.figures(RuleId(i));
    EXPECT_EQ(a.rows_seen, b.rows_seen);
    EXPECT_EQ(a.rows_met, b.rows_met);
    EXPECT_EQ(a.raised, b.raised);
    EXPECT_EQ(a.ended, b.ended);
    EXPECT_EQ(a.entities_met, b.entities_met);
  }
}

// The second book's conditions have a part that changes nothing but might fail, so that no rule has
// a guard.
TEST_F(RuleIndexTest, SaysTheSameAsRulesThatLookAtEveryRow) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::string text;
    std::string simple_text;
    const int count = 1 + static_cast<int>(random.below(80));
    for (int i = 0; i < count; ++i) {
      const std::string where = random_condition(random, 2);
      text += rule(i, where);
      simple_text += rule(i, "(" + where + ") AND (id || '') IS NOT NULL");
    }
    RuleBook found = compile(text);
    RuleBook simple = compile(simple_text);
    FakeTwin twin(schema_);
    FakeTwin other_twin(schema_);
    for (std::int64_t second = 1; second < 25; ++second) {
      const std::vector<Reading> readings = random_readings(random, second);
      const Timestamp now = Timestamp::from_seconds(second);
      std::vector<Emission> out;
      std::vector<Emission> expected;
      found.advance(now, SIZE_MAX, twin, out);
      simple.advance(now, SIZE_MAX, other_twin, expected);
      ASSERT_EQ(first_difference(out, expected), "") << text;
      const std::size_t before = out.size();
      const std::size_t edges_max = found.edges_max(batch_of(readings));
      twin.observe(readings, now, found, out);
      other_twin.observe(readings, now, simple, expected);
      ASSERT_EQ(first_difference(out, expected), "") << text;
      ASSERT_LE(out.size() - before, edges_max);
      if (!random.chance(0.1)) continue;
      found = restarted(found);
      simple = restarted(simple);
    }
    expect_same_figures(found, simple);
  }
}

TEST_F(RuleIndexTest, CountsOnlyRulesWhoseConstantsFit) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += rule(3 * i, fmt::format("x > {} AND name = 'n'", 100 + i));
    text += rule(3 * i + 1, fmt::format("id = 'urn:{}' AND x > 10", i));
    text += rule(3 * i + 2, fmt::format("name = 'n{}' AND y < 5", i));
  }
  const RuleBook book = compile(text);
  Reading reading = probe(7, 1);
  reading.values = {{"x", Value::number(9)}, {"y", Value::number(9)}, {"name", Value::text("n")}};
  EXPECT_EQ(book.edges_max(batch_of({&reading, 1})), 0U);
  reading.values[0].second = Value::number(99);  // urn:7; what it raises may end
  EXPECT_EQ(book.edges_max(batch_of({&reading, 1})), 2U);
  reading.values[0].second = Value::number(104.5);  // 100 to 104
  EXPECT_EQ(book.edges_max(batch_of({&reading, 1})), 12U);
  reading.values[1].second = Value::number(1);
  reading.values[2].second = Value::text("n3");
  EXPECT_EQ(book.edges_max(batch_of({&reading, 1})), 4U);  // that of n3 and that of urn:7
  reading.values.clear();                                  // x, y and name may be anything
  EXPECT_EQ(book.edges_max(batch_of({&reading, 1})), 3000U);
}

TEST_F(RuleIndexTest, ARuleThatIsMetEndsOnARowThatItsConstantRulesOut) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += rule(i, fmt::format("x > {}", 10 * i));
  RuleBook book = compile(text);
  std::vector<Emission> out;
  Reading reading = probe(1, 1);
  reading.values = {{"x", Value::number(25)}};
  twin_.observe({&reading, 1}, reading.observed_at, book, out);
  EXPECT_EQ(out.size(), 3U);  // 0, 10, 20
  out.clear();
  reading = probe(1, 2);
  reading.values = {{"x", Value::number(-5)}};
  EXPECT_EQ(book.edges_max(batch_of({&reading, 1})), 3U);
  twin_.observe({&reading, 1}, reading.observed_at, book, out);
  ASSERT_EQ(out.size(), 3U);
  for (const Emission& emission : out) EXPECT_FALSE(emission.met);
  EXPECT_EQ(book.edges_max(batch_of({&reading, 1})), 0U);
}

TEST_F(RuleIndexTest, WhatIsToBeHeldIsLookedUpToo) {
  std::string text;
  for (int i = 0; i < 10; ++i) {
    text += rule(i, fmt::format("y > 0 AND held(x > {}, INTERVAL '1 second')", 10 * i));
  }
  RuleBook book = compile(text);
  Reading reading = probe(1, 1);
  reading.values = {{"x", Value::number(-1)}, {"y", Value::number(1)}};
  EXPECT_EQ(book.edges_max(batch_of({&reading, 1})), 0U);
  reading.values[0].second = Value::number(15);
  EXPECT_EQ(book.edges_max(batch_of({&reading, 1})), 4U);
}

TEST_F(RuleIndexTest, RulesThatMayFailOrRememberTwoThingsSeeAllRows) {
  std::string text;
  for (int i = 0; i < 10; ++i) {
    text += rule(2 * i, fmt::format("id = 'urn:{}' AND held(x > 1, INTERVAL '1 second') AND "
                                    "held(y > 1, INTERVAL '1 second')",
                                    i));
    text += rule(2 * i + 1, fmt::format("id = 'urn:{}' AND sqrt(x) > 1", i));
  }
  RuleBook book = compile(text);
  Reading reading = probe(100, 1);
  reading.values = {{"x", Value::number(-1)}};
  EXPECT_EQ(book.edges_max(batch_of({&reading, 1})), 20U);
}

}  // namespace
}  // namespace ficus::rules
