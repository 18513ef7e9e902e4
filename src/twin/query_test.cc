// Queries against brute force over all entities, and their error paths.
#include "twin/query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "twin/random_city.h"
#include "twin/twin.h"
#include "twin/value_order.h"

namespace ficus::twin {
namespace {

constexpr AttributeId kSpeed{0};
constexpr AttributeId kLocation{2};
constexpr AttributeId kName{5};
constexpr AttributeId kTarget{8};

struct QueryTest : ::testing::Test {
  Schema schema;
  RandomCity city{schema, 77};
  Twin twin{schema, {}};

  QueryTest() {
    AppliedRows rows;
    for (int step = 0; step < 60; ++step) {
      EXPECT_TRUE(twin.apply(city.batch(1000 + step, 100, 400), {}, rows));
    }
  }

  bool meets(const EntityView& view, const AttributeFilter& filter) {
    const AttributeView* known = view.find(filter.attribute);
    if (known == nullptr) return false;
    if (filter.comparison == Comparison::exists) return true;
    if (filter.comparison == Comparison::contains) {
      return known->value.as_text().contains(filter.value.as_text());
    }
    return holds(filter.comparison, order_of(known->value, filter.value));
  }

  bool is_there(const EntityView& view, const GeoFilter& geo, double& metres) {
    const AttributeView* known = view.find(geo.attribute.value_or(kLocation));
    if (known == nullptr) return false;
    const GeoPoint p = known->value.as_point();
    if (const auto* near = std::get_if<NearPoint>(&geo.area)) {
      metres = distance_metres(near->center, p);
      return metres >= near->metres_min && metres <= near->metres_max;
    }
    if (const auto* box = std::get_if<BoundingBox>(&geo.area)) return box->contains(p);
    return contains(std::get<MultiPolygon>(geo.area), p);
  }

  struct Row {
    EntityView view;
    double metres = 0;
    std::uint32_t entity = 0;
  };

  // Every match, in order.
  std::vector<Row> brute_force(const EntityQuery& q) {
    std::vector<Row> rows;
    for (std::uint32_t i = 0; i < twin.entity_count(); ++i) {
      Row row{twin.entity(EntityId(i)), 0, i};
      const EntityView& view = row.view;
      if (q.type && view.type != *q.type) continue;
      if (!q.ids.empty() && std::ranges::count(q.ids, view.id) == 0) continue;
      if (!view.id.starts_with(q.id_prefix)) continue;
      if (!std::ranges::all_of(q.filters, [&](const auto& f) { return meets(view, f); })) continue;
      if (q.geo && !is_there(view, *q.geo, row.metres)) continue;
      rows.push_back(std::move(row));
    }
    if (q.order.by == OrderBy::creation) {
      if (q.order.descending) std::ranges::reverse(rows);
      return rows;
    }
    std::ranges::sort(rows, [&](const Row& a, const Row& b) {
      std::weak_ordering order = std::weak_ordering::equivalent;
      if (q.order.by == OrderBy::id) order = a.view.id <=> b.view.id;
      if (q.order.by == OrderBy::distance) order = order_of(a.metres, b.metres);
      if (q.order.by == OrderBy::attribute) {
        const AttributeView* one = a.view.find(q.order.attribute);
        const AttributeView* other = b.view.find(q.order.attribute);
        if ((one == nullptr) != (other == nullptr)) return other == nullptr;
        if (one != nullptr) order = order_of(one->value, other->value);
      }
      if (order != 0) return q.order.descending ? order > 0 : order < 0;
      return std::pair(a.view.id, a.entity) < std::pair(b.view.id, b.entity);
    });
    return rows;
  }

  GeoFilter random_geo() {
    Random& random = city.random();
    const GeoPoint p = city.point();
    const double size = random.between(0, 0.2);
    switch (random.below(3)) {
      case 0:
        return {NearPoint{p, random.chance(0.3) ? 2000.0 : 0.0,
                          random.chance(0.2) ? std::numeric_limits<double>::infinity()
                                             : 2000 + random.between(0, 20'000)},
                std::nullopt};
      case 1:
        return {BoundingBox{p.longitude, p.latitude, p.longitude + size, p.latitude + size},
                std::nullopt};
      default:
        return {
            MultiPolygon{
                {Polygon{{p, {p.longitude + 0.2, p.latitude}, {p.longitude, p.latitude + 0.2}, p},
                         {}},
                 to_polygon({119, 26, 119.1, 26.1})}},
            std::nullopt};
    }
  }

  EntityQuery random_query() {
    Random& random = city.random();
    EntityQuery q;
    if (random.chance(0.7)) q.type = city.types()[random.below(2)];
    if (random.chance(0.15)) {
      for (int i = 0; i < 30; ++i) {
        q.ids.push_back("urn:ngsi-ld:Thing:" + std::to_string(random.below(450)));
      }
    }
    if (random.chance(0.15)) q.id_prefix = "urn:ngsi-ld:Thing:1";
    if (random.chance(0.5)) q.geo = random_geo();
    if (q.type) {
      for (std::uint64_t n = random.below(3); n > 0; --n) q.filters.push_back(random_filter());
      if (q.geo && random.chance(0.3)) q.geo->attribute = kTarget;
    }
    switch (random.below(4)) {
      case 0:
        q.order.by = OrderBy::id;
        break;
      case 1:
        if (q.type) {
          q.order.by = OrderBy::attribute;
          do {
            q.order.attribute = AttributeId(static_cast<std::uint32_t>(random.below(8)));
          } while (q.order.attribute == kLocation);
        }
        break;
      case 2:
        if (q.geo && std::holds_alternative<NearPoint>(q.geo->area)) {
          q.order.by = OrderBy::distance;
        }
        break;
      default:
        break;
    }
    q.order.descending = random.chance(0.5);
    q.limit = random.below(40);
    q.offset = random.chance(0.5) ? 0 : random.below(60);
    q.count_total = random.chance(0.5);
    return q;
  }

  AttributeFilter random_filter() {
    Random& random = city.random();
    const std::size_t attribute = random.below(city.kinds().size());
    const ValueKind kind = city.kinds()[attribute];
    AttributeFilter filter{AttributeId(static_cast<std::uint32_t>(attribute)),
                           static_cast<Comparison>(random.below(7)), city.value(kind)};
    if (holds_text(kind) && random.chance(0.4)) {
      filter.comparison = Comparison::contains;
      filter.value = Value::text("aa");
    }
    if (kind == ValueKind::point && filter.comparison != Comparison::exists) {
      filter.comparison = Comparison::ne;
    }
    return filter;
  }

  std::string error_of(const EntityQuery& q) {
    const auto answer = twin.query(q);
    if (answer) return "";
    EXPECT_EQ(answer.error().code, ErrorCode::invalid_input);
    return answer.error().message;
  }
};

TEST_F(QueryTest, AnswersAsBruteForceDoes) {
  std::size_t answered = 0;
  for (int i = 0; i < 400; ++i) {
    const EntityQuery q = random_query();
    const auto answer = twin.query(q);
    ASSERT_TRUE(answer) << answer.error().message;
    const std::vector<Row> expected = brute_force(q);
    ASSERT_EQ(answer->total.has_value(), q.count_total);
    if (q.count_total) {
      ASSERT_EQ(*answer->total, expected.size());
    }
    const std::size_t begin = std::min(q.offset, expected.size());
    ASSERT_EQ(answer->entities.size(), std::min(q.limit, expected.size() - begin)) << i;
    const bool is_near = q.geo && std::holds_alternative<NearPoint>(q.geo->area);
    ASSERT_EQ(answer->metres.size(), is_near ? answer->entities.size() : 0);
    for (std::size_t k = 0; k < answer->entities.size(); ++k) {
      ASSERT_EQ(answer->entities[k], expected[begin + k].view) << "query " << i << " row " << k;
      if (is_near) {
        ASSERT_EQ(answer->metres[k], expected[begin + k].metres);
      }
    }
    answered += answer->entities.size();
  }
  EXPECT_GT(answered, 1500U);  // the test is about something
}

TEST_F(QueryTest, PagesFitTogetherOverShards) {
  // The same entities, dealt out to three twins by id.
  std::vector<std::unique_ptr<Twin>> shards;
  for (int i = 0; i < 3; ++i) shards.push_back(std::make_unique<Twin>(schema, TwinLimits{}));
  AppliedRows rows;
  for (std::uint32_t i = 0; i < twin.entity_count(); ++i) {
    const EntityView view = twin.entity(EntityId(i));
    for (const AttributeView& attribute : view.attributes) {
      ObservationBatch batch(view.type);
      batch.begin_row(view.id, attribute.observed_at);
      batch.set(attribute.attribute, attribute.value);
      batch.finish();
      ASSERT_TRUE(shards[view.id.back() % 3U]->apply(batch, {}, rows));
    }
  }
  for (int i = 0; i < 100; ++i) {
    EntityQuery q = random_query();
    const bool is_by_creation = q.order.by == OrderBy::creation;
    if (is_by_creation) q.count_total = true;
    const auto merged = [&] {
      std::vector<QueryAnswer> answers;
      for (const auto& shard : shards) answers.push_back(*shard->query(shard_part(q)));
      return merge_answers(q, std::move(answers));
    };
    const QueryAnswer expected = *twin.query(q);
    const QueryAnswer answer = merged();
    ASSERT_EQ(answer.total, expected.total);
    ASSERT_EQ(answer.entities.size(), expected.entities.size());
    ASSERT_EQ(answer.metres.size(), expected.metres.size());
    if (is_by_creation) continue;  // of each shard
    // The same id of two types may come in either order.
    for (std::size_t k = 0; k < answer.entities.size(); ++k) {
      ASSERT_EQ(answer.entities[k].id, expected.entities[k].id);
    }
    ASSERT_EQ(answer.metres, expected.metres);
  }
  // Page after page brings every entity once.
  EntityQuery q;
  q.limit = 37;
  std::vector<std::pair<std::string, TypeId>> seen;
  for (;; q.offset += q.limit) {
    std::vector<QueryAnswer> answers;
    for (const auto& shard : shards) answers.push_back(*shard->query(shard_part(q)));
    const QueryAnswer page = merge_answers(q, std::move(answers));
    for (const EntityView& view : page.entities) seen.emplace_back(view.id, view.type);
    if (page.entities.size() < q.limit) break;
  }
  std::ranges::sort(seen);
  EXPECT_TRUE(std::ranges::adjacent_find(seen) == seen.end());
  std::size_t count = 0;
  for (const auto& shard : shards) count += shard->entity_count();
  EXPECT_EQ(seen.size(), count);
}

TEST_F(QueryTest, FindsNeighboursAcrossTheAntimeridian) {
  AppliedRows rows;
  ObservationBatch batch(city.types()[0]);
  for (const auto& [id, longitude] :
       {std::pair("urn:west", -179.999), {"urn:east", 179.999}, {"urn:far", 179.9}}) {
    batch.begin_row(id, Timestamp::from_seconds(1));
    batch.set_point(kLocation, {longitude, 10});
  }
  batch.finish();
  ASSERT_TRUE(twin.apply(batch, {}, rows));
  EntityQuery q;
  q.geo = GeoFilter{NearPoint{{179.9995, 10}, 0, 1000}, std::nullopt};
  q.order.by = OrderBy::distance;
  const QueryAnswer answer = *twin.query(q);
  ASSERT_EQ(answer.entities.size(), 2U);
  EXPECT_EQ(answer.entities[0].id, "urn:east");
  EXPECT_EQ(answer.entities[1].id, "urn:west");
}

TEST_F(QueryTest, SaysWhatIsWrongWithAQuery) {
  EntityQuery q;
  q.limit = 100'001;
  EXPECT_TRUE(error_of(q).contains("twin.query_entities_max"));
  q.limit = 1;
  q.offset = std::numeric_limits<std::size_t>::max();
  EXPECT_TRUE(error_of(q).contains("twin.query_entities_max"));

  q = {};
  q.filters = {{kSpeed, Comparison::exists, {}}};
  EXPECT_EQ(error_of(q), "a filter by attribute needs an entity type");
  q.type = city.types()[0];
  EXPECT_EQ(error_of(q), "");
  q.filters = {{AttributeId(99), Comparison::exists, {}}};
  EXPECT_EQ(error_of(q), "a filter by attribute: Vehicle has no such attribute");
  q.filters = {{kSpeed, Comparison::eq, Value::text("x")}};
  EXPECT_EQ(error_of(q), "speed is a number, it cannot be compared with a text");
  q.filters = {{kSpeed, Comparison::contains, Value::number(1)}};
  EXPECT_EQ(error_of(q), "speed is a number, only a text can contain a text");
  q.filters = {{kLocation, Comparison::lt, Value::point({})}};
  EXPECT_EQ(error_of(q), "location is a point, which is neither less nor greater");
  q.filters = {{kName, Comparison::eq, {}}};
  EXPECT_EQ(error_of(q), "name is a text, it cannot be compared with a none");
  q = {};
  q.type = TypeId(1000);
  EXPECT_EQ(error_of(q), "there is no such entity type");

  q = {};
  q.geo = GeoFilter{NearPoint{{200, 0}, 0, 10}, std::nullopt};
  EXPECT_EQ(error_of(q), "longitude 200 is not within -180..180");
  q.geo = GeoFilter{NearPoint{{0, 0}, 10, 5}, std::nullopt};
  EXPECT_EQ(error_of(q), "the distance from 10 to 5 metres is not a range");
  q.geo = GeoFilter{MultiPolygon{}, std::nullopt};
  EXPECT_EQ(error_of(q), "there is no polygon");
  q.geo = GeoFilter{BoundingBox{1, 0, 0, 1}, std::nullopt};
  EXPECT_TRUE(error_of(q).contains("may not cross the antimeridian"));
  q.geo = GeoFilter{BoundingBox{0, 0, 1, 1}, kSpeed};
  EXPECT_EQ(error_of(q), "a place needs an entity type");
  q.type = city.types()[0];
  EXPECT_EQ(error_of(q), "speed is not a point");
  q.geo = GeoFilter{BoundingBox{0, 0, 1, 1}, kTarget};
  EXPECT_EQ(error_of(q), "");

  q = {};
  q.order.by = OrderBy::distance;
  EXPECT_EQ(error_of(q), "an order by distance needs a point to be near to");
  q.order.by = OrderBy::attribute;
  q.order.attribute = kSpeed;
  EXPECT_EQ(error_of(q), "an order by attribute needs an entity type");
  q.type = city.types()[0];
  EXPECT_EQ(error_of(q), "");
  q.order.attribute = kLocation;
  EXPECT_EQ(error_of(q), "points have no order: order by distance");
}

TEST_F(QueryTest, ATypeWithoutEntitiesIsEmpty) {
  EntityQuery q;
  q.type = *schema.intern_type("Nothing");
  const AttributeId attribute = *schema.intern_attribute(*q.type, "a", ValueKind::number);
  q.filters = {{attribute, Comparison::exists, {}}};
  q.order = {OrderBy::attribute, attribute, false};
  q.count_total = true;
  EXPECT_EQ(twin.query(q)->total, 0U);
  q.geo = GeoFilter{BoundingBox{0, 0, 1, 1}, std::nullopt};
  EXPECT_EQ(twin.query(q)->total, 0U);
}

TEST(ValueOrder, NotANumberIsAboveAllAndNoneAboveThat) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(order_of(nan, 1e300) > 0);
  EXPECT_TRUE(order_of(1e300, nan) < 0);
  EXPECT_TRUE(order_of(nan, nan) == 0);
  EXPECT_TRUE(order_of(0.0, -0.0) == 0);
  EXPECT_TRUE(order_of(Value(), Value::number(nan)) > 0);
  EXPECT_TRUE(order_of(Value::boolean(false), Value::boolean(true)) < 0);
  EXPECT_TRUE(order_of(Value::point({1, 2}), Value::point({1, 3})) < 0);
  EXPECT_TRUE(order_of(Value::text("b"), Value::of_text_kind(ValueKind::json, "a")) > 0);
}

}  // namespace
}  // namespace ficus::twin
