#include "model/geometry.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"

namespace ficus {
namespace {

const Polygon kSquare = {{{0, 0}, {10, 0}, {10, 10}, {0, 10}, {0, 0}}, {}};
const Polygon kHoled = {{{0, 0}, {10, 0}, {10, 10}, {0, 10}, {0, 0}},
                        {{{4, 4}, {6, 4}, {6, 6}, {4, 6}, {4, 4}}}};

TEST(Geometry, InsideMeansInsideOrOnTheEdge) {
  EXPECT_TRUE(contains(kHoled, {1, 1}));
  EXPECT_FALSE(contains(kHoled, {5, 5}));  // in the hole
  EXPECT_FALSE(contains(kHoled, {11, 5}));
  EXPECT_FALSE(contains(kHoled, {-1, 0}));  // level with an edge
  EXPECT_FALSE(contains(kHoled, {11, 10}));
  for (const GeoPoint corner : kHoled.outer) EXPECT_TRUE(contains(kHoled, corner));
  for (const GeoPoint corner : kHoled.holes[0]) EXPECT_TRUE(contains(kHoled, corner));
  for (int step = 0; step <= 14; ++step) {
    const double at = step * 0.7;
    EXPECT_TRUE(contains(kHoled, {at, 0}));
    EXPECT_TRUE(contains(kHoled, {at, 10}));
    EXPECT_TRUE(contains(kHoled, {0, at}));
    EXPECT_TRUE(contains(kHoled, {10, at}));
  }
  EXPECT_TRUE(contains(kHoled, {4, 5}));
  EXPECT_TRUE(contains(kHoled, {5, 6}));
  const Polygon triangle = {{{0, 0}, {4, 0}, {2, 2}, {0, 0}}, {}};
  EXPECT_TRUE(contains(triangle, {1, 1}));  // on a sloped edge
  EXPECT_TRUE(contains(triangle, {2, 2}));
  EXPECT_FALSE(contains(triangle, {0, 2}));  // level with the tip
  EXPECT_FALSE(contains(triangle, {4, 2}));
}

TEST(Geometry, CornersAreCountedOnceByTheRay) {
  // Tips up and down at the latitude of the point, and level edges on its way.
  const Polygon comb = {{{0, 0},
                         {12, 0},
                         {12, 4},
                         {10, 2},
                         {9, 4},
                         {8, 2},
                         {6, 2},
                         {5, 4},
                         {4, 2},
                         {2, 4},
                         {0, 4},
                         {0, 0}},
                        {}};
  EXPECT_TRUE(contains(comb, {1, 2}));
  EXPECT_TRUE(contains(comb, {2, 2}));
  EXPECT_TRUE(contains(comb, {7, 2}));
  EXPECT_TRUE(contains(comb, {5, 2}));
  EXPECT_FALSE(contains(comb, {4, 3}));
  EXPECT_FALSE(contains(comb, {-1, 2}));
  EXPECT_FALSE(contains(comb, {-1, 4}));
  EXPECT_FALSE(contains(comb, {13, 2}));
}

TEST(Geometry, OverlappingPolygonsOfAMultiPolygonAreAUnion) {
  const MultiPolygon area = {{kSquare, {{{5, 5}, {15, 5}, {15, 15}, {5, 15}, {5, 5}}, {}}}};
  EXPECT_TRUE(contains(area, {7, 7}));
  EXPECT_TRUE(contains(area, {1, 1}));
  EXPECT_TRUE(contains(area, {14, 14}));
  EXPECT_FALSE(contains(area, {1, 14}));
  EXPECT_EQ(bounds(area), (BoundingBox{0, 0, 15, 15}));
  EXPECT_EQ(position_count(area), 10U);
}

std::string message_of(const Status& status) { return status ? "" : status.error().message; }

TEST(Geometry, ChecksSayWhatIsWrongAndWhere) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(check_point({180, -90}));
  EXPECT_EQ(message_of(check_point({180.5, 0})), "longitude 180.5 is not within -180..180");
  EXPECT_EQ(message_of(check_point({0, 95})), "latitude 95 is not within -90..90");
  EXPECT_FALSE(check_point({nan, 0}));
  EXPECT_FALSE(check_point({0, nan}));
  EXPECT_FALSE(check_point({0, std::numeric_limits<double>::infinity()}));

  EXPECT_TRUE(check_multi_polygon({{kHoled}}));
  EXPECT_EQ(message_of(check_multi_polygon({})), "there is no polygon");
  EXPECT_EQ(message_of(check_polygon({})), "outer ring: a ring needs at least 4 positions, has 0");
  EXPECT_EQ(message_of(check_polygon({{{0, 0}, {1, 0}, {1, 1}, {0, 1}}, {}})),
            "outer ring: the ring is not closed: repeat its first position as the last");
  EXPECT_EQ(message_of(check_polygon({{{0, 0}, {1, 1}, {2, 2}, {0, 0}}, {}})),
            "outer ring: the ring encloses no area");
  Polygon bad = kHoled;
  bad.holes[0][2].latitude = 91;
  EXPECT_EQ(message_of(check_multi_polygon({{kSquare, bad}})),
            "polygon 2, hole 1: position 3: latitude 91 is not within -90..90");
  bad = kHoled;
  bad.holes[0][2].latitude = 20;
  EXPECT_EQ(message_of(check_polygon(bad)), "hole 1: it reaches outside the outer ring");
  EXPECT_EQ(message_of(check_polygon({{{170, 0}, {-170, 0}, {-170, 5}, {170, 5}, {170, 0}}, {}})),
            "outer ring: position 2: the edge before it crosses the antimeridian: cut the shape in "
            "two at 180 degrees (RFC 7946, 3.1.9)");

  EXPECT_TRUE(check_box({0, 0, 0, 0}));
  EXPECT_FALSE(check_box({0, 1, 1, 0}));
  EXPECT_EQ(message_of(check_box({170, 0, -170, 1})),
            "the west 170 of the box is east of its east -170: a box may not cross the "
            "antimeridian, ask for two");
  EXPECT_FALSE(check_box({0, 0, 1, nan}));
}

TEST(Geometry, Distances) {
  // One degree of a great circle, and across the antimeridian and the pole.
  const double degree = kEarthRadiusMetres * std::acos(-1.0) / 180;
  EXPECT_NEAR(distance_metres({0, 0}, {1, 0}), degree, 1e-6);
  EXPECT_NEAR(distance_metres({119.3, 26}, {119.3, 27}), degree, 1e-6);
  EXPECT_NEAR(distance_metres({179.5, 0}, {-179.5, 0}), degree, 1e-6);
  EXPECT_NEAR(distance_metres({0, 89.5}, {180, 89.5}), degree, 1e-6);
  EXPECT_NEAR(distance_metres({0, 0}, {180, 0}), 180 * degree, 1e-3);
  EXPECT_EQ(distance_metres({119.3, 26.08}, {119.3, 26.08}), 0);
  // Millimetres are not lost to rounding.
  EXPECT_NEAR(distance_metres({119.3, 26}, {119.3, 26 + 1e-8}), degree * 1e-8, 1e-8);
}

TEST(Geometry, BoxAroundHoldsTheWholeCircle) {
  Random random(7);
  for (int i = 0; i < 20000; ++i) {
    const GeoPoint center{random.between(-180, 180), random.between(-90, 90)};
    const double metres = std::pow(10, random.between(-1, 7.2));
    const BoundingBox box = box_around(center, metres);
    const GeoPoint p{random.between(-180, 180), random.between(-90, 90)};
    const GeoPoint near{center.longitude + random.between(-1, 1) * metres / 1e5,
                        center.latitude + random.between(-1, 1) * metres / 1e5};
    if (distance_metres(center, p) <= metres) {
      EXPECT_TRUE(box.contains(p)) << i;
    }
    if (check_point(near) && distance_metres(center, near) <= metres) {
      EXPECT_TRUE(box.contains(near)) << i;
    }
  }
  const BoundingBox city = box_around({119.3, 26.08}, 1000);
  EXPECT_LT(city.east - city.west, 0.021);
  EXPECT_LT(city.north - city.south, 0.019);
}

TEST(Geometry, SegmentsIntersect) {
  EXPECT_TRUE(segments_intersect({0, 0}, {2, 2}, {0, 2}, {2, 0}));
  EXPECT_TRUE(segments_intersect({0, 0}, {2, 0}, {1, 0}, {1, 5}));   // touches
  EXPECT_TRUE(segments_intersect({0, 0}, {2, 0}, {2, 0}, {3, 1}));   // shares an end
  EXPECT_TRUE(segments_intersect({0, 0}, {2, 0}, {1, 0}, {5, 0}));   // overlaps
  EXPECT_FALSE(segments_intersect({0, 0}, {2, 0}, {3, 0}, {5, 0}));  // on one line, apart
  EXPECT_FALSE(segments_intersect({0, 0}, {2, 0}, {0, 1}, {2, 1}));
  EXPECT_FALSE(segments_intersect({0, 0}, {2, 2}, {3, 0}, {2, 1}));
}

TEST(Geometry, ShapesIntersect) {
  EXPECT_TRUE(intersects(kHoled, GeoPoint{-1, 5}, GeoPoint{11, 5}));
  EXPECT_TRUE(intersects(kHoled, GeoPoint{-1, 0}, GeoPoint{0, 0}));
  EXPECT_FALSE(intersects(kHoled, GeoPoint{-1, 5}, GeoPoint{-1, 11}));
  EXPECT_FALSE(intersects(kHoled, GeoPoint{4.5, 5}, GeoPoint{5.5, 5}));  // within the hole
  EXPECT_TRUE(intersects(kHoled, BoundingBox{-5, -5, 15, 15}));          // around
  EXPECT_TRUE(intersects(kHoled, BoundingBox{1, 1, 2, 2}));              // inside
  EXPECT_TRUE(intersects(kHoled, BoundingBox{10, 10, 12, 12}));          // at a corner
  EXPECT_TRUE(intersects(kHoled, BoundingBox{-1, 4, 11, 5}));            // no corner in either
  EXPECT_FALSE(intersects(kHoled, BoundingBox{4.5, 4.5, 5.5, 5.5}));
  EXPECT_FALSE(intersects(kHoled, BoundingBox{11, 0, 12, 1}));
  const Polygon slope = {{{11, 0}, {21, 10}, {21, 0}, {11, 0}}, {}};
  EXPECT_FALSE(intersects(slope, BoundingBox{11, 9, 12, 10}));  // the boxes meet, the shapes do not
  EXPECT_TRUE(intersects(MultiPolygon{{slope, kSquare}}, MultiPolygon{{kHoled}}));
  EXPECT_FALSE(intersects(MultiPolygon{{slope}}, MultiPolygon{{kHoled}}));
  EXPECT_TRUE(intersects(MultiPolygon{{slope, kSquare}}, BoundingBox{0, 0, 1, 1}));
}

}  // namespace
}  // namespace ficus
