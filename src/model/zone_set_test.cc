#include "model/zone_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/random.h"

namespace ficus {
namespace {

// A ring around the center with corners at random distances: any shape that does not cross itself.
Ring star(Random& random, GeoPoint center, double radius, std::size_t corners) {
  Ring ring;
  for (std::size_t i = 0; i < corners; ++i) {
    const double angle =
        2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(corners);
    const double r = radius * random.between(0.3, 1);
    ring.push_back({center.longitude + r * std::cos(angle), center.latitude + r * std::sin(angle)});
  }
  ring.push_back(ring.front());
  return ring;
}

MultiPolygon random_area(Random& random) {
  MultiPolygon area;
  const std::size_t polygons = 1 + random.below(3);
  for (std::size_t i = 0; i < polygons; ++i) {
    const GeoPoint center{119 + random.unit(), 26 + random.unit()};
    const double radius = random.between(0.01, 0.3);
    Polygon polygon{star(random, center, radius, 3 + random.below(60)), {}};
    if (random.chance(0.5)) {
      polygon.holes.push_back(star(random, center, radius * 0.2, 3 + random.below(10)));
    }
    area.polygons.push_back(std::move(polygon));
  }
  return area;
}

// Points that are hard: corners, on edges, level with corners, one bit beside, besides plain ones.
GeoPoint random_point(Random& random, const MultiPolygon& area) {
  const BoundingBox box = bounds(area);
  const GeoPoint anywhere{random.between(box.west - 0.01, box.east + 0.01),
                          random.between(box.south - 0.01, box.north + 0.01)};
  const Ring& ring = area.polygons[random.below(area.polygons.size())].outer;
  const std::size_t i = random.below(ring.size() - 1);
  const double along = random.unit();
  const GeoPoint on{ring[i].longitude + along * (ring[i + 1].longitude - ring[i].longitude),
                    ring[i].latitude + along * (ring[i + 1].latitude - ring[i].latitude)};
  switch (random.below(7)) {
    case 0:
      return ring[i];
    case 1:
      return on;
    case 2:
      return {anywhere.longitude, ring[i].latitude};
    case 3:
      return {ring[i].longitude, anywhere.latitude};
    case 4:
      return {std::nextafter(on.longitude, random.chance(0.5) ? 200 : -200), on.latitude};
    default:
      return anywhere;
  }
}

TEST(PreparedArea, SaysWhatThePlainTestSays) {
  Random random(42);
  for (int round = 0; round < 150; ++round) {
    const MultiPolygon area = random_area(random);
    ASSERT_TRUE(check_multi_polygon(area));
    const PreparedArea prepared(area);
    for (int i = 0; i < 2000; ++i) {
      const GeoPoint p = random_point(random, area);
      ASSERT_EQ(prepared.contains(p), contains(area, p))
          << "round " << round << " " << p.longitude << " " << p.latitude;
    }
  }
}

TEST(PreparedArea, ExtremeShapes) {
  Random random(43);
  std::vector<MultiPolygon> areas;
  areas.push_back({{to_polygon({-90, -90, 90, 90})}});
  areas.push_back({{to_polygon({119, 26, 119 + 1e-11, 26 + 1e-11})}});        // smaller than a cell
  areas.push_back({{to_polygon({100, 26, 130, 26 + 1e-10})}});                // a thread, level
  areas.push_back({{to_polygon({119, -80, std::nextafter(119, 180), 80})}});  // and upright
  areas.push_back({{{{{-170, 0}, {0, 1e-10}, {0, 1e-8}, {-170, 0}}, {}}}});
  Ring comb;  // many tall edges: fewer rows are used
  for (int i = 0; i < 3000; ++i) comb.push_back({119 + i * 1e-4, i % 2 == 0 ? 26.0 : 27.0});
  comb.push_back({119.3, 25.9});
  comb.push_back({119, 25.9});
  comb.push_back(comb.front());
  areas.push_back({{{comb, {}}}});
  for (const MultiPolygon& area : areas) {
    ASSERT_TRUE(check_multi_polygon(area));
    const PreparedArea prepared(area);
    EXPECT_LT(prepared.memory_bytes(), 100 * 40 * position_count(area) + 500'000);
    for (int i = 0; i < 20'000; ++i) {
      const GeoPoint p = random_point(random, area);
      ASSERT_EQ(prepared.contains(p), contains(area, p)) << p.longitude << " " << p.latitude;
    }
  }
}

TEST(PreparedArea, CoverNeverClaimsTooMuch) {
  Random random(44);
  for (int round = 0; round < 60; ++round) {
    const MultiPolygon area = random_area(random);
    const PreparedArea prepared(area);
    for (int i = 0; i < 200; ++i) {
      const GeoPoint corner = random_point(random, area);
      const double size = random.between(0, 0.05);
      const BoundingBox box{corner.longitude, corner.latitude, corner.longitude + size,
                            corner.latitude + size};
      const PreparedArea::Cover cover = prepared.cover(box);
      if (cover == PreparedArea::Cover::part) continue;
      for (int k = 0; k < 30; ++k) {
        const GeoPoint p{random.between(box.west, box.east), random.between(box.south, box.north)};
        ASSERT_EQ(contains(area, p), cover == PreparedArea::Cover::whole);
      }
    }
  }
}

TEST(ZoneSet, FindsZonesByPointWithAndWithoutIndex) {
  Random random(45);
  const char* const kinds[] = {"school", "port", "district"};
  ZoneSet zones;
  for (int i = 0; i < 120; ++i) {
    ASSERT_TRUE(zones.add("zone " + std::to_string(i), kinds[i % 3], random_area(random)));
  }
  ZoneSet indexed = zones;
  indexed.build_index();
  std::vector<ZoneId> found;
  std::vector<ZoneId> found_by_index;
  const ZoneSelection schools = *indexed.select("school");
  ASSERT_TRUE(schools.is_kind());
  std::vector<GeoPoint> points;
  std::vector<std::uint8_t> expected;
  for (int i = 0; i < 5000; ++i) {
    const GeoPoint p = random_point(
        random, zones.zone(ZoneId(static_cast<std::uint32_t>(random.below(120)))).area);
    zones.zones_at(p, found);
    indexed.zones_at(p, found_by_index);
    ASSERT_EQ(found, found_by_index);
    std::vector<ZoneId> plain;
    bool in_school = false;
    for (std::uint32_t z = 0; z < 120; ++z) {
      if (!contains(zones.zone(ZoneId(z)).area, p)) continue;
      plain.push_back(ZoneId(z));
      in_school = in_school || z % 3 == 0;
    }
    ASSERT_EQ(found, plain);
    ASSERT_EQ(indexed.contains(schools, p), in_school);
    ASSERT_EQ(zones.contains(*zones.select("school"), p), in_school);
    points.push_back(p);
    expected.push_back(in_school ? 1 : 0);
  }
  std::vector<std::uint8_t> inside(points.size());
  indexed.contains(schools, points, inside);
  EXPECT_EQ(inside, expected);
  indexed.contains(ZoneSelection(), points, inside);
  EXPECT_EQ(std::ranges::count(inside, 1), 0);
  const ZoneSelection one = *indexed.select("zone 5");
  EXPECT_FALSE(one.is_kind());
  indexed.contains(one, points, inside);
  for (std::size_t i = 0; i < points.size(); ++i) {
    ASSERT_EQ(inside[i] != 0, indexed.contains(ZoneId(5), points[i]));
  }
  EXPECT_GT(indexed.memory_bytes(), zones.memory_bytes());
}

MultiPolygon box_area(double west, double south) {
  return {{to_polygon({west, south, west + 1, south + 1})}};
}

TEST(ZoneSet, NamesComeBeforeKinds) {
  ZoneSet zones;
  const ZoneId a = *zones.add("a", "port", box_area(0, 0));
  const ZoneId port = *zones.add("port", "harbour", box_area(5, 0));
  const ZoneId c = *zones.add("c", "", box_area(10, 0));
  zones.build_index();
  EXPECT_EQ(zones.size(), 3U);
  EXPECT_EQ(zones.find("a"), a);
  EXPECT_EQ(zones.find("x"), std::nullopt);
  ASSERT_EQ(zones.of_kind("port").size(), 1U);
  EXPECT_EQ(zones.of_kind("port")[0], a);
  EXPECT_TRUE(zones.of_kind("x").empty());
  EXPECT_TRUE(zones.contains(*zones.select("port"), {5.5, 0.5}));
  EXPECT_FALSE(zones.contains(*zones.select("port"), {0.5, 0.5}));
  EXPECT_TRUE(zones.contains(*zones.select("harbour"), {5.5, 0.5}));
  EXPECT_EQ(zones.select("x"), std::nullopt);
  EXPECT_EQ(zones.select(""), std::nullopt);
  EXPECT_TRUE(zones.contains(c, {11, 1}));
  EXPECT_EQ(zones.zone(port).kind, "harbour");
}

TEST(ZoneSet, RefusesWhatIsWrongOrTooMuch) {
  ZoneSet zones({.zones_max = 2, .positions_max = 12});
  EXPECT_EQ(zones.add("", "", box_area(0, 0)).error().code, ErrorCode::invalid_input);
  EXPECT_EQ(zones.add("a", "", {}).error().message, "zone 'a': there is no polygon");
  ASSERT_TRUE(zones.add("a", "", box_area(0, 0)));
  const auto again = zones.add("a", "", box_area(0, 0));
  EXPECT_EQ(again.error(), (Error{ErrorCode::conflict, "there are two zones named 'a'"}));
  const MultiPolygon large = {{to_polygon({0, 0, 1, 1}), to_polygon({2, 0, 3, 1})}};
  const auto positions = zones.add("b", "", large);
  EXPECT_EQ(positions.error().code, ErrorCode::overloaded);
  EXPECT_TRUE(positions.error().message.contains("zones.positions_max"));
  ASSERT_TRUE(zones.add("b", "", box_area(0, 0)));
  const auto third = zones.add("c", "", box_area(0, 0));
  EXPECT_EQ(third.error().code, ErrorCode::overloaded);
  EXPECT_TRUE(third.error().message.contains("zones.zones_max"));
  EXPECT_EQ(zones.size(), 2U);
  ZoneSet none;
  none.build_index();
  std::vector<ZoneId> found = {ZoneId(3)};
  none.zones_at({0, 0}, found);
  EXPECT_TRUE(found.empty());
}

}  // namespace
}  // namespace ficus
