#include <gtest/gtest.h>

#include <string>

#include "twin/random_city.h"
#include "twin/twin.h"
#include "twin/twin_capture.h"

namespace ficus::twin {
namespace {

std::string encoded(const Twin& twin) {
  std::string out;
  twin.encode(out);
  return out;
}

void fill(Twin& twin, RandomCity& city, int steps, std::size_t rows_max) {
  AppliedRows rows;
  for (int step = 0; step < steps; ++step) {
    ASSERT_TRUE(twin.apply(city.batch(1000 + step, city.random().below(rows_max) + 1), {}, rows));
  }
}

void expect_same(const Twin& a, const Schema& schema_a, const Twin& b, const Schema& schema_b) {
  ASSERT_EQ(a.entity_count(), b.entity_count());
  for (std::uint32_t i = 0; i < a.entity_count(); ++i) {
    const EntityView one = a.entity(EntityId(i));
    const EntityView other = b.entity(EntityId(i));
    ASSERT_EQ(one.id, other.id);
    ASSERT_EQ(schema_a.type_name(one.type), schema_b.type_name(other.type));
    ASSERT_EQ(one.attributes.size(), other.attributes.size());
    for (const AttributeView& view : one.attributes) {
      const auto attribute =
          schema_b.find_attribute(other.type, schema_a.attribute_name(one.type, view.attribute));
      ASSERT_TRUE(attribute);
      const AttributeView* same = other.find(*attribute);
      ASSERT_NE(same, nullptr);
      ASSERT_EQ(same->value, view.value);
      ASSERT_EQ(same->observed_at, view.observed_at);
    }
  }
}

TEST(Snapshot, RoundTripsIntoAnotherSchema) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Schema schema;
    RandomCity city(schema, seed);
    Twin twin(schema, {.duplicate_window_rows = 700});
    fill(twin, city, 40, 60);
    const std::string bytes = encoded(twin);

    // Numbers of types and attributes differ here; names count.
    Schema other_schema;
    const TypeId vessel = *other_schema.intern_type("Vessel");
    ASSERT_TRUE(other_schema.intern_attribute(vessel, "note", ValueKind::json));
    ASSERT_TRUE(other_schema.intern_attribute(vessel, "unused", ValueKind::json));
    Twin other(other_schema, {.duplicate_window_rows = 700});
    const Status status = other.decode(bytes);
    ASSERT_TRUE(status) << status.error().message;
    expect_same(twin, schema, other, other_schema);
    EXPECT_EQ(encoded(other), bytes);

    // Both go on alike: late, duplicates and the location index too.
    Twin same(schema, {.duplicate_window_rows = 700});
    ASSERT_TRUE(same.decode(bytes));
    AppliedRows rows;
    AppliedRows same_rows;
    for (int step = 0; step < 30; ++step) {
      const ObservationBatch batch = city.batch(1030 + step, 50);
      ASSERT_TRUE(twin.apply(batch, {}, rows));
      ASSERT_TRUE(same.apply(batch, {}, same_rows));
      ASSERT_EQ(rows.outcome, same_rows.outcome);
      ASSERT_EQ(rows.entity, same_rows.entity);
      ASSERT_TRUE(twin.apply(batch, {}, rows));
      ASSERT_TRUE(same.apply(batch, {}, same_rows));
      ASSERT_EQ(same_rows.duplicate_count, batch.row_count());
    }
    EXPECT_EQ(encoded(same), encoded(twin));
    EntityQuery q;
    q.geo = GeoFilter{NearPoint{{119.3, 26.1}, 0, 5000}, std::nullopt};
    q.limit = 1000;
    EXPECT_EQ(same.query(q)->entities, twin.query(q)->entities);
    EXPECT_FALSE(same.query(q)->entities.empty());
  }
}

TEST(Snapshot, OfNothing) {
  Schema schema;
  Twin twin(schema, {});
  const std::string bytes = encoded(twin);
  Twin other(schema, {});
  ASSERT_TRUE(other.decode(bytes));
  EXPECT_EQ(other.entity_count(), 0U);
  EXPECT_EQ(encoded(other), bytes);
}

TEST(Snapshot, DoesNotTellThePathToTheState) {
  // Attributes that no entity of the type has, and the order of learning, leave no trace.
  Schema schema;
  const TypeId type = *schema.intern_type("B");
  const AttributeId a = *schema.intern_attribute(type, "a", ValueKind::number);
  ASSERT_TRUE(schema.intern_type("A"));
  Schema other_schema;
  ASSERT_TRUE(other_schema.intern_type("Z"));
  const TypeId other_type = *other_schema.intern_type("B");
  ASSERT_TRUE(other_schema.intern_attribute(other_type, "0x", ValueKind::number).error().code ==
              ErrorCode::invalid_input);
  ASSERT_TRUE(other_schema.intern_attribute(other_type, "x", ValueKind::text));
  const AttributeId other_a = *other_schema.intern_attribute(other_type, "a", ValueKind::number);
  Twin one(schema, {});
  Twin two(other_schema, {});
  AppliedRows rows;
  ObservationBatch batch(type);
  batch.begin_row("urn:1", {5});
  batch.set_number(a, 7);
  batch.finish();
  ObservationBatch same(other_type);
  same.begin_row("urn:1", {5});
  same.set_number(other_a, 7);
  same.finish();
  ASSERT_TRUE(one.apply(batch, {}, rows));
  ASSERT_TRUE(two.apply(same, {}, rows));
  EXPECT_EQ(encoded(one), encoded(two));
}

TEST(Snapshot, EveryPrefixIsRefused) {
  Schema schema;
  RandomCity city(schema, 9);
  Twin twin(schema, {});
  fill(twin, city, 3, 5);
  const std::string bytes = encoded(twin);
  Twin other(schema, {});
  fill(other, city, 1, 5);
  const std::string before = encoded(other);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const Status status = other.decode(std::string_view(bytes).substr(0, length));
    ASSERT_FALSE(status) << length;
    ASSERT_EQ(status.error().code, ErrorCode::corrupt);
  }
  ASSERT_FALSE(other.decode(bytes + "x"));
  EXPECT_EQ(encoded(other), before);  // as it was
}

TEST(Snapshot, DamageIsRefusedOrReadsAsAnotherState) {
  Random random(5);
  Schema schema;
  RandomCity city(schema, 10);
  Twin twin(schema, {});
  fill(twin, city, 6, 20);
  const std::string bytes = encoded(twin);
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = bytes;
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      // Half of the damage goes to the structure at the front.
      const std::size_t at = random.below(
          random.chance(0.5) ? std::min<std::size_t>(400, bytes.size()) : bytes.size());
      damaged[at] = static_cast<char>(random.next());
    }
    Schema fresh;
    Twin other(fresh, {});
    const Status status = other.decode(damaged);
    if (status) {
      ASSERT_EQ(encoded(other), damaged);
    } else {
      ASSERT_EQ(status.error().code, ErrorCode::corrupt) << status.error().message;
    }
  }
}

TEST(Snapshot, AnotherKindInTheSchemaIsAConflict) {
  Schema schema;
  RandomCity city(schema, 11);
  Twin twin(schema, {});
  fill(twin, city, 10, 20);
  Schema other_schema;
  const TypeId vehicle = *other_schema.intern_type("Vehicle");
  ASSERT_TRUE(other_schema.intern_attribute(vehicle, "speed", ValueKind::text));
  Twin other(other_schema, {});
  const Status status = other.decode(encoded(twin));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::conflict);
  Schema small({.types_max = 1});
  Twin third(small, {});
  EXPECT_EQ(third.decode(encoded(twin)).error().code, ErrorCode::overloaded);
}

// Whatever is written between the shares: known and new entities, attributes, types, and rows that
// turn the generations of the duplicate filter.
TEST(Snapshot, TakenInSharesIsTheStateAtItsBegin) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Schema schema;
    RandomCity city(schema, seed);
    Twin twin(schema, {.duplicate_window_rows = 500});
    AppliedRows rows;
    for (int round = 0; round < 6; ++round) {
      for (int step = 0; step < round * 20; ++step) {
        ASSERT_TRUE(twin.apply(city.batch(1000 + step, 60, 2000), {}, rows));
      }
      const std::string wanted = encoded(twin);
      TwinCapture capture(twin);
      twin.set_capture(&capture);
      for (int step = 0; step < 40 || !capture.is_complete(); ++step) {
        ASSERT_TRUE(twin.apply(city.batch(1100 + step, 30, 2000), {}, rows));
        if (step > 10) capture.work(1 + city.random().below(1500));
      }
      twin.set_capture(nullptr);
      std::string taken;
      ASSERT_TRUE(capture.write([&](std::string_view bytes) -> Status {
        taken.append(bytes);
        return {};
      }));
      ASSERT_TRUE(taken == wanted) << "seed " << seed << ", round " << round;
    }
  }
}

// Texts beyond what the capture takes memory in; and it takes little more than the bytes it gives.
TEST(Snapshot, TakesTextsOfAnySizeInLittleMoreThanItsBytes) {
  Schema schema;
  const TypeId type = *schema.intern_type("Notice");
  const AttributeId text = *schema.intern_attribute(type, "text", ValueKind::text);
  Twin twin(schema, {.text_bytes_max = std::size_t{64} << 20, .duplicate_window_rows = 10});
  AppliedRows rows;
  const auto write = [&](char letter) {
    ObservationBatch batch(type);
    for (const std::size_t bytes : {3, 3'000'000, 0, 2'000'000, 70'000}) {
      batch.begin_row(std::to_string(bytes), Timestamp{letter});
      batch.set_text(text, ValueKind::text, std::string(bytes, letter));
    }
    batch.finish();
    ASSERT_TRUE(twin.apply(batch, {}, rows));
  };
  write('a');
  const std::string wanted = encoded(twin);
  TwinCapture capture(twin);
  twin.set_capture(&capture);
  write('b');
  capture.work(SIZE_MAX);
  twin.set_capture(nullptr);
  std::string taken;
  ASSERT_TRUE(capture.write([&](std::string_view bytes) -> Status {
    taken.append(bytes);
    return {};
  }));
  EXPECT_TRUE(taken == wanted);
  EXPECT_LE(capture.memory_bytes(), taken.size() + 3 * kLargePageBytes);
}

TEST(Snapshot, EndsWhereItCannotBeWritten) {
  Schema schema;
  RandomCity city(schema, 3);
  Twin twin(schema, {});
  fill(twin, city, 20, 30);
  TwinCapture capture(twin);
  capture.work(SIZE_MAX);
  std::size_t pieces = 0;
  ASSERT_TRUE(capture.write([&](std::string_view) -> Status {
    ++pieces;
    return {};
  }));
  for (std::size_t failing = 0; failing < pieces; ++failing) {
    std::size_t at = 0;
    const Status written = capture.write([&](std::string_view) -> Status {
      if (at++ == failing) return fail(ErrorCode::disk_full, "full");
      return {};
    });
    ASSERT_FALSE(written);
    ASSERT_EQ(at, failing + 1);
  }
}

}  // namespace
}  // namespace ficus::twin
