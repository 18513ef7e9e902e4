#include "rules/rule_book.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "rules/testing/duck_oracle.h"
#include "rules/testing/fake_twin.h"

namespace ficus::rules {
namespace {

using testing::DuckOracle;
using testing::FakeTwin;
using testing::Reading;

class RuleBookTest : public ::testing::Test {
 protected:
  RuleBookTest() : twin_(schema_) {
    const TypeId type = *schema_.intern_type("Probe");
    EXPECT_TRUE(schema_.intern_attribute(type, "x", ValueKind::number));
    EXPECT_TRUE(schema_.intern_attribute(type, "name", ValueKind::text));
    EXPECT_TRUE(schema_.intern_type("Other"));
  }

  RuleBook compile(std::string_view text, const Clock* stopwatch = nullptr) {
    auto book = RuleBook::compile(text, "r.sql", schema_, zones_, {}, stopwatch);
    EXPECT_TRUE(book) << book.error().message;
    return *std::move(book);
  }

  static Reading probe(const std::string& id, std::int64_t second, std::optional<double> x) {
    Reading reading{"Probe", id, Timestamp::from_seconds(second), {}};
    if (x) reading.values.emplace_back("x", Value::number(*x));
    return reading;
  }

  std::vector<Emission> hear(RuleBook& book, const Reading& reading) {
    std::vector<Emission> out;
    book.advance(reading.observed_at, SIZE_MAX, twin_, out);
    twin_.observe({&reading, 1}, reading.observed_at, book, out);
    return out;
  }

  Schema schema_;
  ZoneSet zones_;
  FakeTwin twin_;
};

constexpr const char* kHigh =
    "CREATE RULE high COMMENT 'too high' AS\nINSERT INTO Alert (level, who, kind) SELECT x, id, "
    "'k'\n"
    "FROM Probe WHERE x > 10";

TEST_F(RuleBookTest, SaysWhatARuleIs) {
  const RuleBook book = compile(std::string("-- first\n") + kHigh + ";");
  ASSERT_EQ(book.rule_count(), 1u);
  const RuleInfo& info = book.info(RuleId(0));
  EXPECT_EQ(info.name, "high");
  EXPECT_EQ(info.comment, "too high");
  EXPECT_EQ(info.text, kHigh);
  EXPECT_EQ(info.file, "r.sql");
  EXPECT_EQ(info.line, 2u);
  EXPECT_EQ(schema_.type_name(info.from), "Probe");
  EXPECT_EQ(schema_.type_name(info.into), "Alert");
  EXPECT_EQ(info.into_attributes.size(), 3u);
  ASSERT_EQ(info.constants.size(), 1u);
  EXPECT_EQ(info.constants[0].second, Value::text("k"));
  EXPECT_FALSE(info.uses_absent);
  EXPECT_EQ(schema_.attribute_kind(info.into, info.into_attributes[0]), ValueKind::number);
  EXPECT_EQ(schema_.attribute_kind(info.into, info.into_attributes[1]), ValueKind::text);
}

TEST_F(RuleBookTest, WantsWhatItsRulesRead) {
  const RuleBook book = compile(
      "CREATE RULE a AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE name = 'a';"
      "CREATE RULE b AS INSERT INTO Alert (v) SELECT 1 FROM Probe WHERE x > 1 AND name = 'b';");
  const TypeId probe = *schema_.find_type("Probe");
  EXPECT_EQ(book.wanted(probe).size(), 2u);
  EXPECT_TRUE(book.has_rules(probe));
  EXPECT_FALSE(book.has_rules(*schema_.find_type("Other")));
  EXPECT_TRUE(book.wanted(*schema_.find_type("Other")).empty());
  const TypeId later = *schema_.intern_type("Later");
  EXPECT_FALSE(book.has_rules(later));
  EXPECT_TRUE(book.wanted(later).empty());
}

TEST_F(RuleBookTest, TwoFilesAreOneBook) {
  const RuleFile files[] = {{"a.sql", kHigh},
                            {"b.sql",
                             "CREATE RULE high AS INSERT INTO Alert (level) "
                             "SELECT 1 FROM Probe WHERE true"}};
  const auto zones = std::make_shared<const ZoneSet>();
  const auto clash = RuleSet::compile(files, schema_, zones);
  ASSERT_FALSE(clash);
  EXPECT_EQ(clash.error().message,
            "b.sql:1:13: there is a rule 'high' already, at a.sql:1:13: expected another name");
  const RuleFile good[] = {files[0],
                           {"b.sql",
                            "CREATE RULE low AS INSERT INTO Alert (level) SELECT 1 FROM "
                            "Probe WHERE x < 0"}};
  const auto set = RuleSet::compile(good, schema_, zones);
  ASSERT_TRUE(set);
  EXPECT_EQ((*set)->info(RuleId(1)).file, "b.sql");
}

TEST_F(RuleBookTest, CountsWhatItDoes) {
  ManualClock clock{Timestamp{}};
  RuleBook book = compile(
      "CREATE RULE root AS INSERT INTO Alert (v) SELECT 1 FROM Probe WHERE\n  x = 1 OR sqrt(x) > 2",
      &clock);
  for (const double x : {9.0, 9.0, 1.0, 0.0, -1.0, -2.0}) hear(book, probe("p", 1, x));
  hear(book, probe("q", 1, 100));
  const RuleFigures figures = book.figures(RuleId(0));
  EXPECT_EQ(figures.rows_seen, 7u);
  EXPECT_EQ(figures.rows_met, 4u);
  EXPECT_EQ(figures.raised, 2u);
  EXPECT_EQ(figures.ended, 1u);
  EXPECT_EQ(figures.failures, 2u);
  EXPECT_EQ(figures.entities_met, 1u);
  EXPECT_GT(figures.state_bytes, 0u);
  EXPECT_GT(book.state_bytes(), figures.state_bytes);
  ASSERT_TRUE(figures.last_failure);
  EXPECT_EQ(figures.last_failure->message,
            "r.sql:2:12: cannot take the square root of a negative number");
  EXPECT_EQ(figures.last_failure->entity_id, "p");
  EXPECT_EQ(figures.last_failure->observed_at, Timestamp::from_seconds(1));
}

TEST_F(RuleBookTest, RowsThatDoNotCountAreNotLookedAt) {
  RuleBook book = compile(kHigh);
  const TypeId type = *schema_.find_type("Probe");
  TextColumn ids;
  std::vector<Column> present = {Column(book.wanted(type)[0], ValueKind::number)};
  for (const double x : {20.0, 30.0}) {
    ids.push_back("p");
    present[0].push_number(x);
  }
  const Timestamp times[] = {Timestamp{5}, Timestamp{6}};
  const EntityId entities[] = {EntityId(0), EntityId(0)};
  const std::uint32_t second[] = {1};
  std::vector<Emission> out;
  book.observe({type, &ids, times, entities, present, {}}, Timestamp{9}, out);
  EXPECT_TRUE(out.empty());
  book.observe({type, &ids, times, entities, present, second}, Timestamp{9}, out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].observed_at, Timestamp{6});
  EXPECT_EQ(out[0].values[0].second, Value::number(30));
}

TEST_F(RuleBookTest, AnUnusualClockDoesNoHarm) {
  RuleBook book = compile(
      "CREATE RULE gone AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '10 s');"
      "CREATE RULE long AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE held(x > 0, INTERVAL "
      "'10 s')");
  EXPECT_EQ(book.next_deadline(), std::nullopt);
  std::vector<Emission> out;
  const auto arrive = [&](Timestamp observed_at, Timestamp received_at) {
    Reading reading = probe("p", 0, 1);
    reading.observed_at = observed_at;
    twin_.observe({&reading, 1}, received_at, book, out);
  };
  arrive(Timestamp{INT64_MIN + 1}, Timestamp::from_seconds(100));
  // The wall clock jumps back: arrivals keep their order.
  arrive(Timestamp{0}, Timestamp::from_seconds(50));
  EXPECT_EQ(out.size(), 1u);  // long: held for 292 000 years
  EXPECT_EQ(book.next_deadline(), Timestamp::from_seconds(110));
  arrive(Timestamp{INT64_MAX}, Timestamp{INT64_MAX});
  EXPECT_EQ(book.next_deadline(), std::nullopt);  // beyond the end of time
  book.advance(Timestamp{INT64_MAX}, SIZE_MAX, twin_, out);
  EXPECT_EQ(out.size(), 1u);
}

// However far time goes at once, it is told in parts that are bounded; put together, they are what
// it would have told at once.
TEST_F(RuleBookTest, TimePassesInParts) {
  const std::string text =
      "CREATE RULE a AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '10 s');"
      "CREATE RULE b AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '10 s') "
      "AND x > 5;"
      "CREATE RULE c AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '12 s')";
  RuleBook whole = compile(text);
  RuleBook parts = compile(text);
  std::vector<Emission> out;
  std::vector<Reading> readings;
  for (int i = 0; i < 1000; ++i) readings.push_back(probe(fmt::format("e{}", i), 1, i % 10));
  // A thousand are heard in one moment, which is then the moment of 64 only.
  twin_.observe(readings, Timestamp::from_seconds(1), whole, out);
  twin_.observe(readings, Timestamp::from_seconds(1), parts, out);
  const Timestamp until = Timestamp::from_seconds(60);
  EXPECT_EQ(whole.advance(until, SIZE_MAX, twin_, out), until);
  EXPECT_EQ(out.size(), 2400u);
  EXPECT_EQ(whole.is_due(*schema_.find_type("Probe"), until), false);
  std::vector<Emission> told;
  int calls = 0;
  for (Timestamp reached = Timestamp::min(); reached < until; ++calls) {
    const std::size_t before = told.size();
    const Timestamp next = parts.advance(until, 100, twin_, told);
    EXPECT_GT(next, reached);
    EXPECT_LE(told.size() - before, 100u + 2 * 64u);
    reached = next;
  }
  EXPECT_GT(calls, 10);
  const auto order = [](const Emission& a, const Emission& b) {
    return std::tuple(a.observed_at, a.rule.index(), a.entity_id) <
           std::tuple(b.observed_at, b.rule.index(), b.entity_id);
  };
  std::ranges::sort(out, order);
  std::ranges::sort(told, order);
  EXPECT_EQ(out == told, true);
}

TEST_F(RuleBookTest, AnEntityMayComeBeforeItsTurn) {
  RuleBook book = compile(
      "CREATE RULE a AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '10 s');"
      "CREATE RULE b AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '12 s')");
  std::vector<Emission> out;
  for (int i = 0; i < 5; ++i) hear(book, probe(fmt::format("e{}", i), i, 1));
  const TypeId type = *schema_.find_type("Probe");
  const EntityId named[] = {EntityId(3), EntityId(3), EntityId(77)};
  EXPECT_FALSE(book.is_due(type, Timestamp::from_seconds(9)));
  EXPECT_TRUE(book.is_due(type, Timestamp::from_seconds(14)));
  book.expire(type, named, Timestamp::from_seconds(14), twin_, out);
  ASSERT_EQ(out.size(), 1u);  // of b it is not due yet
  EXPECT_EQ(out[0].observed_at, Timestamp::from_seconds(13));
  book.expire(type, named, Timestamp::from_seconds(14), twin_, out);
  EXPECT_EQ(out.size(), 1u);
  std::string bytes;
  book.encode(bytes);  // with one that is absent though others were silent before it
  RuleBook again = compile(
      "CREATE RULE a AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '10 s');"
      "CREATE RULE b AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '12 s')");
  ASSERT_TRUE(again.decode(bytes));
  out.clear();
  again.advance(Timestamp::from_seconds(100), SIZE_MAX, twin_, out);
  EXPECT_EQ(out.size(), 9u);
}

// The clock was years ahead for a while, or goes back by an hour: silence is noticed all the same.
TEST_F(RuleBookTest, AClockThatIsSetBackDoesNotHideSilence) {
  for (const std::int64_t ahead : {3600L, 10L * 365 * 86'400}) {
    RuleBook book = compile(
        "CREATE RULE a AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '10 s')");
    std::vector<Emission> out;
    int observed = 0;  // the sensor's clock is right
    const std::string id = fmt::format("p{}", ahead);
    const auto arrive = [&](std::int64_t second) {
      const Reading reading = probe(id, ++observed, 1);
      book.advance(Timestamp::from_seconds(second), SIZE_MAX, twin_, out);
      twin_.observe({&reading, 1}, Timestamp::from_seconds(second), book, out);
    };
    arrive(ahead);
    arrive(ahead + 1);
    arrive(100);
    EXPECT_EQ(book.next_deadline(), Timestamp::from_seconds(110));
    book.advance(Timestamp::from_seconds(110), SIZE_MAX, twin_, out);
    EXPECT_EQ(out.size(), 1u);
  }
}

TEST_F(RuleBookTest, WhatCannotBeComputedFailsItsRowOnly) {
  RuleBook book = compile(
      "CREATE RULE texts AS INSERT INTO Alert (v) SELECT 1 FROM Probe WHERE length(name || name) > "
      "9;"
      "CREATE RULE times AS INSERT INTO Alert (v) SELECT 1 FROM Probe WHERE observedAt + INTERVAL "
      "'1 day' "
      "> TIMESTAMP '1970-01-01';"
      "CREATE RULE minus AS INSERT INTO Alert (v) SELECT 1 FROM Probe WHERE observedAt - TIMESTAMP "
      "'1969-01-01' > INTERVAL '1 s';"
      "CREATE RULE whole AS INSERT INTO Alert (v) SELECT 1 FROM Probe WHERE length(name) * "
      "90071992547409 > "
      "0;"
      "CREATE RULE place AS INSERT INTO Alert (v) SELECT 1 FROM Probe WHERE distance(point(x, 0), "
      "point(0, 0)) < 1;");
  std::vector<Reading> readings;
  for (int i = 0; i < 120; ++i) {
    readings.push_back(probe(fmt::format("p{}", i), i, i));
    readings.back().values.emplace_back("name", Value::text(std::string(100'000, 'x')));
  }
  readings.push_back(probe("small", 1, 0));
  readings.back().values.emplace_back("name", Value::text("abcde"));
  readings.push_back(probe("late", 1, 181));
  readings.back().observed_at = Timestamp{INT64_MAX};
  std::vector<Emission> out;
  twin_.observe(readings, Timestamp{1}, book, out);
  const RuleFigures texts = book.figures(RuleId(0));
  EXPECT_GT(texts.failures, 20u);  // 24 MB of texts
  EXPECT_GT(texts.raised, 60u);
  EXPECT_EQ(texts.failures + texts.raised, 121u);
  EXPECT_TRUE(texts.last_failure->message.ends_with("exceed 16 MiB"));
  EXPECT_EQ(book.figures(RuleId(1)).failures, 1u);
  EXPECT_TRUE(book.figures(RuleId(1)).last_failure->message.ends_with("the time is out of range"));
  EXPECT_EQ(book.figures(RuleId(2)).failures, 1u);
  EXPECT_EQ(book.figures(RuleId(3)).failures, 120u);
  EXPECT_EQ(book.figures(RuleId(4)).failures, 1u);
  EXPECT_EQ(book.figures(RuleId(4)).raised, 2u);
  // The next batch has its room again.
  out.clear();
  Reading next = probe("p200", 500, 1);
  next.values.emplace_back("name", Value::text("abcde"));
  twin_.observe({&next, 1}, Timestamp{2}, book, out);
  EXPECT_EQ(book.figures(RuleId(0)).raised, texts.raised + 1);
}

TEST_F(RuleBookTest, AVeryLongConditionIsNotCutShort) {
  std::string where;
  for (int i = 0; i < 66'000; ++i) where += "x<>1 AND ";
  RuleBook book =
      compile("CREATE RULE r AS INSERT INTO Alert (v) SELECT 1 FROM Probe WHERE " + where + "x<9");
  EXPECT_TRUE(hear(book, probe("p", 1, 10)).empty());
  EXPECT_TRUE(hear(book, probe("p", 2, 1)).empty());
  EXPECT_EQ(hear(book, probe("p", 3, 5)).size(), 1u);
}

// held over random sequences, against window functions.
TEST_F(RuleBookTest, HeldIsWhatWindowFunctionsSay) {
  Random random(3);
  DuckOracle duck;
  duck.run("CREATE TABLE obs (seq INTEGER, entity VARCHAR, t BIGINT, x DOUBLE)");
  RuleBook book = compile(
      "CREATE RULE h AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE held(x > 5, INTERVAL '30 "
      "s')");
  std::vector<std::string> edges;
  std::map<std::string, std::int64_t> clocks;
  std::string inserts;
  constexpr int kRows = 4000;
  std::vector<Reading> batch;
  std::vector<int> sequence;
  for (int row = 0; row < kRows; ++row) {
    const std::string id = fmt::format("e{}", random.below(7));
    const std::int64_t t = clocks[id] += static_cast<std::int64_t>(random.below(20));
    const double x = random.chance(0.8) ? 6 : 5;
    inserts += fmt::format("{}({}, '{}', {}, {})", row == 0 ? "" : ",", row, id, t, x);
    batch.push_back(probe(id, t, x));
    sequence.push_back(row);
    if (batch.size() < 1 + random.below(40) && row + 1 < kRows) continue;
    std::vector<Emission> out;
    twin_.observe(batch, Timestamp::from_seconds(row), book, out);
    for (const Emission& emission : out) {
      edges.push_back(fmt::format("{} {} {}", emission.entity_id,
                                  emission.observed_at.micros / 1'000'000,
                                  emission.met ? "met" : "ended"));
    }
    batch.clear();
  }
  duck.run("INSERT INTO obs VALUES " + inserts);
  const auto expected = duck.column(
      "WITH c AS (SELECT *, x > 5 AS c FROM obs),"
      " g AS (SELECT *, sum(CASE WHEN c THEN 0 ELSE 1 END) OVER (PARTITION BY entity ORDER BY seq) "
      "AS run"
      "       FROM c),"
      " s AS (SELECT *, min(CASE WHEN c THEN t END) OVER (PARTITION BY entity, run ORDER BY seq) "
      "AS since"
      "       FROM g),"
      " m AS (SELECT *, coalesce(c AND t - since >= 30, false) AS met FROM s),"
      " l AS (SELECT *, lag(met, 1, false) OVER (PARTITION BY entity ORDER BY seq) AS before FROM "
      "m)"
      " SELECT entity || ' ' || t || CASE WHEN met THEN ' met' ELSE ' ended' END FROM l"
      " WHERE met <> before ORDER BY seq");
  ASSERT_TRUE(expected) << duck.error();
  ASSERT_GT(expected->size(), 100u);
  ASSERT_EQ(edges.size(), expected->size());
  for (std::size_t i = 0; i < edges.size(); ++i) EXPECT_EQ(edges[i], *(*expected)[i]) << i;
}

// absent over random arrivals, against a list that is searched anew every time; with snapshots
// taken and restored in between, which must not be seen from outside.
TEST_F(RuleBookTest, AbsentIsWhatAPlainListSays) {
  constexpr std::int64_t kInterval = 60;
  const std::string text =
      "CREATE RULE a AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '60 s')";
  Random random(11);
  RuleBook book = compile(text);
  std::map<std::string, std::int64_t> last;
  std::map<std::string, bool> absent;
  std::int64_t now = 0;
  for (int step = 0; step < 3000; ++step) {
    now += static_cast<std::int64_t>(random.below(8));
    std::vector<std::string> expected;
    std::map<std::pair<std::int64_t, std::string>, bool> due;
    for (const auto& [id, at] : last) {
      if (absent[id] || at + kInterval > now) continue;
      absent[id] = true;
      due[{at + kInterval, id}] = true;
    }
    for (const auto& [key, unused] : due)
      expected.push_back(fmt::format("{} {} met", key.second, key.first));
    std::vector<Emission> out;
    book.advance(Timestamp::from_seconds(now), SIZE_MAX, twin_, out);
    if (random.chance(0.7)) {
      const std::string id = fmt::format("e{}", random.below(random.chance(0.5) ? 3 : 40));
      if (absent[id]) expected.push_back(fmt::format("{} {} ended", id, now));
      absent[id] = false;
      last[id] = now;
      const Reading reading = probe(id, now, 1);
      twin_.observe({&reading, 1}, reading.observed_at, book, out);
    }
    std::vector<std::string> said;
    for (const Emission& emission : out) {
      said.push_back(fmt::format("{} {} {}", emission.entity_id,
                                 emission.observed_at.micros / 1'000'000,
                                 emission.met ? "met" : "ended"));
    }
    // Of the same moment any order is right.
    std::sort(said.begin(), said.end());
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(said, expected) << "step " << step;
    if (!random.chance(0.02)) continue;
    std::string bytes;
    book.encode(bytes);
    RuleBook again = compile(text);
    ASSERT_TRUE(again.decode(bytes));
    book = std::move(again);
  }
}

// ---- snapshots

class SnapshotTest : public RuleBookTest {
 protected:
  static constexpr const char* kRules =
      "CREATE RULE a AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '60 s');"
      "CREATE RULE b AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE held(x > 5, INTERVAL '5 "
      "s') OR "
      "held(x < 0, INTERVAL '9 s');"
      "CREATE RULE c AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE x > 8;";

  std::string snapshot() {
    RuleBook book = compile(kRules);
    for (int i = 0; i < 12; ++i) hear(book, probe(fmt::format("e{}", i % 4), i * 7, i - 2.0));
    std::string bytes;
    book.encode(bytes);
    return bytes;
  }
};

TEST_F(SnapshotTest, RoundTripsToTheSameBytes) {
  const std::string bytes = snapshot();
  RuleBook book = compile(kRules);
  const auto report = book.decode(bytes);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->restored, 3u);
  EXPECT_TRUE(report->dropped.empty());
  std::string again;
  book.encode(again);
  EXPECT_EQ(again, bytes);
}

TEST_F(SnapshotTest, AnEmptyBookRoundTrips) {
  const RuleBook empty = compile("");
  std::string bytes;
  empty.encode(bytes);
  RuleBook book = compile(kRules);
  const auto report = book.decode(bytes);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->restored, 0u);
}

TEST_F(SnapshotTest, EveryPrefixIsCorrupt) {
  const std::string bytes = snapshot();
  RuleBook book = compile(kRules);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto report = book.decode(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(report) << size;
    EXPECT_EQ(report.error().code, ErrorCode::corrupt);
  }
  EXPECT_FALSE(book.decode(bytes + "x"));
  // A refused snapshot leaves nothing behind.
  EXPECT_TRUE(book.decode(bytes));
  std::string again;
  book.encode(again);
  EXPECT_EQ(again, bytes);
}

TEST_F(SnapshotTest, DamagedBytesAreRefusedOrHarmless) {
  const std::string bytes = snapshot();
  Random random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = bytes;
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      damaged[random.below(damaged.size())] = static_cast<char>(random.next());
    }
    RuleBook book = compile(kRules);
    if (!book.decode(damaged)) continue;
    // What was accepted must be usable.
    std::vector<Emission> out;
    FakeTwin twin(schema_);
    std::vector<Reading> readings;
    for (int e = 0; e < 4; ++e) readings.push_back(probe(fmt::format("e{}", e), 1000, 9));
    twin.observe(readings, Timestamp{INT64_MAX}, book, out);
    std::string again;
    book.encode(again);
  }
}

TEST_F(SnapshotTest, StateOfChangedAndRemovedRulesIsReported) {
  const std::string bytes = snapshot();
  RuleBook book = compile(
      "CREATE RULE c AS INSERT INTO Alert (v) SELECT x + 1 FROM Probe WHERE x > 8;"
      "CREATE RULE a AS INSERT INTO Alert (v)\n /* same */ SELECT x FROM Probe WHERE "
      "absent(INTERVAL '60 s')");
  const auto report = book.decode(bytes);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->restored, 1u);
  ASSERT_EQ(report->dropped.size(), 2u);
  EXPECT_EQ(report->dropped[0], "b: is gone, was met for 0 entities");
  EXPECT_EQ(report->dropped[1], "c: has changed, was met for 1 entities");
}

TEST_F(SnapshotTest, TooManyEntitiesAreCorrupt) {
  const std::string bytes = snapshot();
  auto book = RuleBook::compile(kRules, "r.sql", schema_, zones_, {.entities_max = 3});
  ASSERT_TRUE(book);
  const auto report = book->decode(bytes);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message,
            "the snapshot of the rules cannot be read: the list of entities is damaged");
}

}  // namespace
}  // namespace ficus::rules
