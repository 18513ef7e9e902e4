#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "model/value.h"

namespace ficus {

// The coordinate systems in which positions arrive. Ficus stores WGS-84.
enum class CoordinateSystem : std::uint8_t {
  wgs84,
  // China's geodetic system since 2008. Its ellipsoid differs from that of WGS-84 in the flattening
  // only, by 1.6e-11, which moves a point by at most 0.11 mm, and both are tied to the ITRF (epochs
  // 2000.0 and current: a few decimetres of plate motion). Below the error of any city sensor, so
  // it is taken as WGS-84.
  cgcs2000,
  gcj02,  // the offset system that maps and services in China must use (Amap, Tencent)
  bd09,   // Baidu's further offset of GCJ-02
};

// "WGS-84", "GCJ-02", "BD-09", "CGCS2000", in any case, with or without the hyphen.
std::optional<CoordinateSystem> coordinate_system_from_name(std::string_view name);
const char* coordinate_system_name(CoordinateSystem system);

// Whether GCJ-02 differs from WGS-84 here: the bounding box within which services apply the offset.
bool is_offset_area(GeoPoint point);

// The offset is not published; these follow the formulas known since 2010, which reproduce the
// services' results within about a metre. Outside the bounding box they change nothing.
GeoPoint gcj02_from_wgs84(GeoPoint point);
// By iteration, until the way back meets the given point within a centimetre.
GeoPoint wgs84_from_gcj02(GeoPoint point);
GeoPoint bd09_from_gcj02(GeoPoint point);
GeoPoint gcj02_from_bd09(GeoPoint point);

GeoPoint to_wgs84(GeoPoint point, CoordinateSystem from);
GeoPoint from_wgs84(GeoPoint point, CoordinateSystem to);

}  // namespace ficus
