#include "twin/twin.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace ficus::twin {
namespace {

struct TwinTest : ::testing::Test {
  Schema schema;
  TypeId vehicle = *schema.intern_type("Vehicle");
  AttributeId speed = *schema.intern_attribute(vehicle, "speed", ValueKind::number);
  AttributeId name = *schema.intern_attribute(vehicle, "name", ValueKind::text);
  AttributeId location = *schema.intern_attribute(vehicle, "location", ValueKind::point);
  AppliedRows rows;

  ObservationBatch reading(std::string_view id, std::int64_t at, double v) {
    ObservationBatch batch(vehicle);
    batch.begin_row(id, {at});
    batch.set_number(speed, v);
    batch.finish();
    return batch;
  }
  RowOutcome apply(Twin& twin, const ObservationBatch& batch,
                   std::span<const AttributeId> wanted = {}) {
    const Status status = twin.apply(batch, wanted, rows);
    EXPECT_TRUE(status) << status.error().message;
    return rows.outcome.back();
  }
  Value present(const Twin& twin, std::string_view id, AttributeId attribute) {
    return twin.value(*twin.find_entity(id), attribute);
  }
};

TEST_F(TwinTest, NewerWinsAndOlderIsLate) {
  Twin twin(schema, {});
  EXPECT_EQ(apply(twin, reading("urn:a", 100, 1)), RowOutcome::applied);
  EXPECT_EQ(rows.is_new_entity[0], 1);
  EXPECT_EQ(apply(twin, reading("urn:a", 90, 2)), RowOutcome::late);
  EXPECT_EQ(rows.is_new_entity[0], 0);
  EXPECT_EQ(present(twin, "urn:a", speed), Value::number(1));
  EXPECT_EQ(apply(twin, reading("urn:a", 110, 3)), RowOutcome::applied);
  EXPECT_EQ(present(twin, "urn:a", speed), Value::number(3));
  EXPECT_EQ(rows.applied_count, 1U);
  EXPECT_EQ(rows.late_count, 0U);
}

TEST_F(TwinTest, AtTheSameTimeTheLastWins) {
  Twin twin(schema, {});
  apply(twin, reading("urn:a", 100, 1));
  EXPECT_EQ(apply(twin, reading("urn:a", 100, 2)), RowOutcome::applied);
  EXPECT_EQ(present(twin, "urn:a", speed), Value::number(2));
  EXPECT_EQ(apply(twin, reading("urn:a", 100, 2)), RowOutcome::duplicate);
  EXPECT_EQ(apply(twin, reading("urn:a", 100, 1)), RowOutcome::duplicate);
  EXPECT_EQ(present(twin, "urn:a", speed), Value::number(2));
}

TEST_F(TwinTest, LatenessIsByAttribute) {
  Twin twin(schema, {});
  apply(twin, reading("urn:a", 100, 1));
  ObservationBatch older(vehicle);
  older.begin_row("urn:a", {50});
  older.set_number(speed, 9);
  older.set_text(name, ValueKind::text, "bus 7");
  older.finish();
  EXPECT_EQ(apply(twin, older), RowOutcome::applied);
  EXPECT_EQ(present(twin, "urn:a", speed), Value::number(1));
  EXPECT_EQ(present(twin, "urn:a", name), Value::text("bus 7"));
  const EntityView view = *twin.find("urn:a");
  ASSERT_EQ(view.attributes.size(), 2U);
  EXPECT_EQ(view.find(speed)->observed_at, Timestamp{100});
  EXPECT_EQ(view.find(name)->observed_at, Timestamp{50});
  EXPECT_EQ(view.find(location), nullptr);
  EXPECT_EQ(twin.newest_observed_at(*twin.find_entity("urn:a")), Timestamp{100});
}

TEST_F(TwinTest, DuplicatesAreKnownWhateverTheOrderOfColumns) {
  Twin twin(schema, {});
  ObservationBatch one(vehicle);
  one.begin_row("urn:a", {5});
  one.set_number(speed, 9);
  one.set_text(name, ValueKind::text, "x");
  one.finish();
  ObservationBatch other(vehicle);
  other.begin_row("urn:a", {5});
  other.set_text(name, ValueKind::text, "x");
  other.set_number(speed, 9);
  other.finish();
  apply(twin, one);
  EXPECT_EQ(apply(twin, other), RowOutcome::duplicate);
  // A part of it is no duplicate, but brings nothing new.
  EXPECT_EQ(apply(twin, reading("urn:a", 5, 9)), RowOutcome::late);
  // Twice in one batch.
  ObservationBatch twice(vehicle);
  for (int i = 0; i < 2; ++i) {
    twice.begin_row("urn:b", {7});
    twice.set_number(speed, 1);
  }
  twice.finish();
  apply(twin, twice);
  EXPECT_EQ(rows.outcome, (std::vector{RowOutcome::applied, RowOutcome::duplicate}));
  EXPECT_EQ(rows.entity[0], rows.entity[1]);
  EXPECT_EQ(rows.is_new_entity, (std::vector<std::uint8_t>{1, 0}));
  EXPECT_EQ(rows.duplicate_count, 1U);
}

TEST_F(TwinTest, DuplicatesAreForgottenAfterTheWindow) {
  Twin twin(schema, {.duplicate_window_rows = 10});
  apply(twin, reading("urn:a", 1, 1));
  for (int i = 0; i < 9; ++i) apply(twin, reading("urn:b", 100 + i, i));
  EXPECT_EQ(apply(twin, reading("urn:a", 1, 1)), RowOutcome::duplicate);
  for (int i = 0; i < 30; ++i) apply(twin, reading("urn:b", 200 + i, i));
  EXPECT_EQ(apply(twin, reading("urn:a", 1, 1)), RowOutcome::late);
}

TEST_F(TwinTest, PresentValuesAreThoseAfterEachRow) {
  Twin twin(schema, {});
  ObservationBatch batch(vehicle);
  batch.begin_row("urn:a", {10});
  batch.set_number(speed, 1);
  batch.begin_row("urn:a", {20});
  batch.set_text(name, ValueKind::text, "n");
  batch.begin_row("urn:b", {20});
  batch.begin_row("urn:a", {15});
  batch.set_number(speed, 2);
  batch.begin_row("urn:a", {12});
  batch.set_number(speed, 3);
  batch.finish();
  const AttributeId wanted[] = {name, speed, location};
  apply(twin, batch, wanted);
  EXPECT_EQ(rows.outcome,
            (std::vector{RowOutcome::applied, RowOutcome::applied, RowOutcome::applied,
                         RowOutcome::applied, RowOutcome::late}));
  ASSERT_EQ(rows.present.size(), 3U);
  const Column& names = rows.present[0];
  const Column& speeds = rows.present[1];
  EXPECT_EQ(names.valid, (std::vector<std::uint8_t>{0, 1, 0, 1, 1}));
  EXPECT_EQ(speeds.valid, (std::vector<std::uint8_t>{1, 1, 0, 1, 1}));
  EXPECT_EQ(speeds.numbers, (std::vector<double>{1, 1, 0, 2, 2}));
  EXPECT_EQ(rows.present[2].valid, std::vector<std::uint8_t>(5, 0));
  EXPECT_EQ(rows.present[2].kind, ValueKind::point);
  EXPECT_EQ(rows.present[2].attribute, location);
  // An entity of which nothing but its existence is known.
  EXPECT_TRUE(twin.find("urn:b")->attributes.empty());
  EXPECT_EQ(twin.newest_observed_at(rows.entity[2]), Timestamp::min());
}

TEST_F(TwinTest, TheSameIdWithTwoTypesIsTwoEntities) {
  Twin twin(schema, {});
  const TypeId station = *schema.intern_type("Station");
  const AttributeId level = *schema.intern_attribute(station, "level", ValueKind::number);
  apply(twin, reading("urn:a", 1, 1));
  ObservationBatch batch(station);
  batch.begin_row("urn:a", {1});
  batch.set_number(level, 1);
  batch.finish();
  EXPECT_EQ(apply(twin, batch), RowOutcome::applied);
  EXPECT_EQ(twin.entity_count(), 2U);
  EXPECT_EQ(twin.entity_count(vehicle), 1U);
  EXPECT_EQ(twin.find("urn:a")->type, vehicle);  // the oldest
  const EntityId other = *twin.find_entity("urn:a", station);
  EXPECT_EQ(twin.type_of(other), station);
  EXPECT_EQ(twin.id_of(other), "urn:a");
  EXPECT_EQ(twin.entity(other).id, "urn:a");
}

TEST_F(TwinTest, AttributesMayBeLearnedWhileRunning) {
  Twin twin(schema, {});
  apply(twin, reading("urn:a", 1, 1));
  const AttributeId fuel = *schema.intern_attribute(vehicle, "fuel", ValueKind::number);
  EXPECT_TRUE(present(twin, "urn:a", fuel).is_none());
  ObservationBatch batch(vehicle);
  batch.begin_row("urn:a", {2});
  batch.set_number(fuel, 40);
  batch.finish();
  const AttributeId wanted[] = {speed, fuel};
  EXPECT_EQ(apply(twin, batch, wanted), RowOutcome::applied);
  EXPECT_EQ(rows.present[1].numbers, std::vector<double>{40});
  EXPECT_EQ(rows.present[0].numbers, std::vector<double>{1});
}

TEST_F(TwinTest, OddValuesAreTaken) {
  Twin twin(schema, {});
  EXPECT_EQ(apply(twin, reading("urn:a", INT64_MIN, 1)), RowOutcome::applied);
  EXPECT_EQ(present(twin, "urn:a", speed), Value::number(1));
  EXPECT_EQ(apply(twin, reading("urn:a", INT64_MAX, std::numeric_limits<double>::quiet_NaN())),
            RowOutcome::applied);
  ObservationBatch batch(vehicle);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const GeoPoint p : {GeoPoint{infinity, -infinity}, GeoPoint{std::nan(""), 0}, GeoPoint{}}) {
    batch.begin_row("urn:a", {static_cast<std::int64_t>(batch.row_count())});
    batch.set_point(location, p);
  }
  batch.finish();
  apply(twin, batch);
  EXPECT_EQ(rows.applied_count, 3U);
  ObservationBatch empty(vehicle);
  empty.finish();
  EXPECT_TRUE(twin.apply(empty, {}, rows));
  EXPECT_TRUE(rows.outcome.empty());
}

TEST_F(TwinTest, AFullTwinRefusesTheWholeBatchAndStaysAsItWas) {
  Twin twin(schema, {.entities_max = 3});
  apply(twin, reading("urn:a", 1, 1));
  apply(twin, reading("urn:b", 1, 1));
  ObservationBatch batch(vehicle);
  for (const char* id : {"urn:a", "urn:c", "urn:c", "urn:d", "urn:b"}) {
    batch.begin_row(id, {10 + static_cast<std::int64_t>(batch.row_count())});
    batch.set_number(speed, 5);
  }
  batch.finish();
  std::string before;
  twin.encode(before);
  const Status refused = twin.apply(batch, {}, rows);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::overloaded);
  EXPECT_EQ(refused.error().message,
            "the twin is full (3 entities): cannot add 'urn:c', raise twin.entities_max");
  std::string after;
  twin.encode(after);
  EXPECT_EQ(before, after);

  std::vector<std::uint32_t> chosen;
  twin.acceptable_rows(batch, chosen);
  EXPECT_EQ(chosen, (std::vector<std::uint32_t>{0, 1, 2, 4}));
  EXPECT_TRUE(twin.apply(batch.select(chosen), {}, rows));
  EXPECT_EQ(rows.applied_count, 4U);
  EXPECT_EQ(twin.entity_count(), 3U);
  EXPECT_TRUE(twin.apply(reading("urn:c", 99, 1), {}, rows));  // known ones still pass
  EXPECT_FALSE(twin.apply(reading("urn:d", 99, 1), {}, rows));
}

TEST_F(TwinTest, TextsAndIdsHaveLimits) {
  Twin twin(schema, {.text_bytes_max = 5000, .id_bytes_max = 10});
  ObservationBatch batch(vehicle);
  batch.begin_row("urn:a", {1});
  batch.set_text(name, ValueKind::text, std::string(4000, 'x'));
  batch.begin_row("urn:b", {1});
  batch.set_number(speed, 1);
  batch.begin_row("urn:c", {1});
  batch.set_text(name, ValueKind::text, std::string(2000, 'x'));
  batch.finish();
  const Status texts = twin.apply(batch, {}, rows);
  ASSERT_FALSE(texts);
  EXPECT_EQ(texts.error().code, ErrorCode::overloaded);
  EXPECT_TRUE(texts.error().message.contains("twin.text_bytes_max"));
  std::vector<std::uint32_t> chosen;
  twin.acceptable_rows(batch, chosen);
  EXPECT_EQ(chosen, std::vector<std::uint32_t>{1});
  EXPECT_TRUE(twin.apply(batch.select(chosen), {}, rows));

  const Status id = twin.apply(reading("urn:too:long", 1, 1), {}, rows);
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code, ErrorCode::invalid_input);
  EXPECT_TRUE(id.error().message.contains("twin.id_bytes_max"));
  EXPECT_FALSE(twin.apply(reading("", 1, 1), {}, rows));
  EXPECT_EQ(twin.entity_count(), 1U);
  twin.acceptable_rows(reading("", 1, 1), chosen);
  EXPECT_TRUE(chosen.empty());
}

TEST_F(TwinTest, ChangingTextsLeaveNothingBehind) {
  Twin twin(schema, {});
  std::size_t most = 0;
  for (int i = 0; i < 3000; ++i) {
    ObservationBatch batch(vehicle);
    batch.begin_row("urn:a", {i});
    batch.set_text(name, ValueKind::text, std::string(static_cast<std::size_t>(i % 300), 'x'));
    batch.finish();
    apply(twin, batch);
    most = std::max(most, twin.memory().text_bytes);
  }
  EXPECT_LT(most, 1000U);
  for (int i = 0; i < 2; ++i) {
    ObservationBatch batch(vehicle);
    batch.begin_row("urn:a", {5000 + i});
    batch.set_text(name, ValueKind::text, i == 0 ? std::string(1'000'000, 'x') : "short");
    batch.finish();
    apply(twin, batch);
  }
  EXPECT_EQ(twin.memory().text_bytes, 0U);  // one large text does not keep its memory
  EXPECT_GT(twin.memory().total(), 0U);
}

}  // namespace
}  // namespace ficus::twin
