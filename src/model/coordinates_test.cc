#include "model/coordinates.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace ficus {
namespace {

double metres_between(GeoPoint a, GeoPoint b) {
  constexpr double kMetresPerDegree = 111'320;
  const double east = (a.longitude - b.longitude) * std::cos(a.latitude * 0.0174532925);
  return std::hypot(east, a.latitude - b.latitude) * kMetresPerDegree;
}

// Pairs published with the open conversion libraries (wgs84, gcj02), computed there with a slightly
// different ellipsoid: equal within a decimetre.
TEST(Coordinates, MeetsPublishedPoints) {
  const struct {
    GeoPoint wgs84;
    GeoPoint gcj02;
  } points[] = {
      {{121.5272106, 31.1774276}, {121.531541859215, 31.17530398364597}},  // Shanghai
      {{113.912316, 22.543847}, {113.9171764808363, 22.540796131694766}},  // Shenzhen
      {{116.377817, 39.911954}, {116.38404722455657, 39.91334545536069}},  // Beijing
  };
  for (const auto& [wgs84, gcj02] : points) {
    EXPECT_LT(metres_between(gcj02_from_wgs84(wgs84), gcj02), 0.1);
    EXPECT_LT(metres_between(wgs84_from_gcj02(gcj02), wgs84), 0.1);
  }
  // From the same kind of source, for BD-09; the way back is published to about a metre only.
  const GeoPoint point{116.404, 39.915};
  EXPECT_LT(metres_between(gcj02_from_wgs84(point), {116.41024449916938, 39.91640428150164}), 0.1);
  EXPECT_LT(metres_between(bd09_from_gcj02(point), {116.41036949371029, 39.92133699351021}), 0.1);
  EXPECT_LT(metres_between(gcj02_from_bd09(point), {116.39762729119315, 39.90865673957631}), 1.5);
}

TEST(Coordinates, GoesThereAndBackEverywhereInTheArea) {
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    const GeoPoint point{random.between(73, 137), random.between(1.5, 55)};
    for (const auto system : {CoordinateSystem::gcj02, CoordinateSystem::bd09}) {
      const GeoPoint there = from_wgs84(point, system);
      if (!is_offset_area(there)) continue;
      EXPECT_LT(metres_between(to_wgs84(there, system), point), 0.01);
    }
    EXPECT_GT(metres_between(gcj02_from_wgs84(point), point), 1);
  }
}

TEST(Coordinates, ChangesNothingOutsideTheArea) {
  for (const GeoPoint point : {GeoPoint{2.35, 48.86}, {-122.4, 37.8}, {151.2, -33.9}, {0, 0}}) {
    EXPECT_FALSE(is_offset_area(point));
    for (const auto system : {CoordinateSystem::gcj02, CoordinateSystem::bd09}) {
      EXPECT_EQ(to_wgs84(point, system), point);
      EXPECT_EQ(from_wgs84(point, system), point);
    }
  }
  const GeoPoint fuzhou{119.296, 26.074};
  EXPECT_EQ(to_wgs84(fuzhou, CoordinateSystem::cgcs2000), fuzhou);
  EXPECT_EQ(from_wgs84(fuzhou, CoordinateSystem::cgcs2000), fuzhou);
}

TEST(Coordinates, KnowsTheNames) {
  for (const auto system : {CoordinateSystem::wgs84, CoordinateSystem::cgcs2000,
                            CoordinateSystem::gcj02, CoordinateSystem::bd09}) {
    EXPECT_EQ(coordinate_system_from_name(coordinate_system_name(system)), system);
  }
  EXPECT_EQ(coordinate_system_from_name("gcj02"), CoordinateSystem::gcj02);
  EXPECT_EQ(coordinate_system_from_name("wgs_84"), CoordinateSystem::wgs84);
  EXPECT_EQ(coordinate_system_from_name("EPSG:3857"), std::nullopt);
}

}  // namespace
}  // namespace ficus
