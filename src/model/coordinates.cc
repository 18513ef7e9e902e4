#include "model/coordinates.h"

#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

namespace ficus {
namespace {

using std::numbers::pi;

// The ellipsoid of Krasovsky 1940 (semi-major axis in metres, first eccentricity squared), on which
// the GCJ-02 offset is computed.
constexpr double kSemiMajorAxis = 6378245.0;
constexpr double kEccentricitySquared = 0.00669342162296594323;

// The offset is a polynomial plus three sine series, of which this one is common to both axes.
double ripple(double degrees_east) {
  return (20.0 * std::sin(6.0 * degrees_east * pi) + 20.0 * std::sin(2.0 * degrees_east * pi)) *
         2.0 / 3.0;
}

// Metres north and east at x degrees east of 105 E and y degrees north of 35 N.
double offset_north(double x, double y) {
  double metres = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y +
                  0.2 * std::sqrt(std::fabs(x)) + ripple(x);
  metres += (20.0 * std::sin(y * pi) + 40.0 * std::sin(y / 3.0 * pi)) * 2.0 / 3.0;
  metres += (160.0 * std::sin(y / 12.0 * pi) + 320.0 * std::sin(y * pi / 30.0)) * 2.0 / 3.0;
  return metres;
}

double offset_east(double x, double y) {
  double metres =
      300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * std::sqrt(std::fabs(x)) + ripple(x);
  metres += (20.0 * std::sin(x * pi) + 40.0 * std::sin(x / 3.0 * pi)) * 2.0 / 3.0;
  metres += (150.0 * std::sin(x / 12.0 * pi) + 300.0 * std::sin(x / 30.0 * pi)) * 2.0 / 3.0;
  return metres;
}

// The offset in degrees, without asking whether the point lies in the area.
GeoPoint offset_at(GeoPoint point) {
  const double x = point.longitude - 105.0;
  const double y = point.latitude - 35.0;
  const double latitude = point.latitude / 180.0 * pi;
  const double sine = std::sin(latitude);
  const double magic = 1.0 - kEccentricitySquared * sine * sine;
  const double root = std::sqrt(magic);
  // Radii of curvature: of the parallel (east) and of the meridian (north).
  const double radius_east = kSemiMajorAxis / root * std::cos(latitude);
  const double radius_north = kSemiMajorAxis * (1.0 - kEccentricitySquared) / (magic * root);
  return {offset_east(x, y) * 180.0 / (radius_east * pi),
          offset_north(x, y) * 180.0 / (radius_north * pi)};
}

GeoPoint shifted(GeoPoint point) {
  const GeoPoint offset = offset_at(point);
  return {point.longitude + offset.longitude, point.latitude + offset.latitude};
}

constexpr double kBaiduAngle = pi * 3000.0 / 180.0;

GeoPoint bd09_unchecked(GeoPoint p) {
  const double radius =
      std::hypot(p.longitude, p.latitude) + 0.00002 * std::sin(p.latitude * kBaiduAngle);
  const double angle =
      std::atan2(p.latitude, p.longitude) + 0.000003 * std::cos(p.longitude * kBaiduAngle);
  return {radius * std::cos(angle) + 0.0065, radius * std::sin(angle) + 0.006};
}

// Finds the point that `forward` moves to `target`. The offsets change by less than 1 % of a step,
// so each round gains two decimal digits; 1e-9 degrees are 0.1 mm.
template <typename Forward>
GeoPoint invert(GeoPoint target, Forward forward) {
  GeoPoint guess = target;
  for (int round = 0; round < 10; ++round) {
    const GeoPoint image = forward(guess);
    const double east = target.longitude - image.longitude;
    const double north = target.latitude - image.latitude;
    guess.longitude += east;
    guess.latitude += north;
    if (std::fabs(east) < 1e-9 && std::fabs(north) < 1e-9) break;
  }
  return guess;
}

// Lower case, without hyphens, underscores and spaces.
std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == ' ') continue;
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
  }
  return out;
}

}  // namespace

std::optional<CoordinateSystem> coordinate_system_from_name(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, CoordinateSystem>, 4> kNames{{
      {"wgs84", CoordinateSystem::wgs84},
      {"cgcs2000", CoordinateSystem::cgcs2000},
      {"gcj02", CoordinateSystem::gcj02},
      {"bd09", CoordinateSystem::bd09},
  }};
  const std::string wanted = folded(name);
  for (const auto& [known, system] : kNames) {
    if (wanted == known) return system;
  }
  return std::nullopt;
}

const char* coordinate_system_name(CoordinateSystem system) {
  switch (system) {
    case CoordinateSystem::wgs84:
      return "WGS-84";
    case CoordinateSystem::cgcs2000:
      return "CGCS2000";
    case CoordinateSystem::gcj02:
      return "GCJ-02";
    case CoordinateSystem::bd09:
      return "BD-09";
  }
  std::unreachable();
}

bool is_offset_area(GeoPoint point) {
  return point.longitude >= 72.004 && point.longitude <= 137.8347 && point.latitude >= 0.8293 &&
         point.latitude <= 55.8271;
}

GeoPoint gcj02_from_wgs84(GeoPoint point) { return is_offset_area(point) ? shifted(point) : point; }

GeoPoint wgs84_from_gcj02(GeoPoint point) {
  if (!is_offset_area(point)) return point;
  return invert(point, [](GeoPoint p) { return shifted(p); });
}

GeoPoint bd09_from_gcj02(GeoPoint point) {
  return is_offset_area(point) ? bd09_unchecked(point) : point;
}

GeoPoint gcj02_from_bd09(GeoPoint point) {
  if (!is_offset_area(point)) return point;
  return invert(point, [](GeoPoint p) { return bd09_unchecked(p); });
}

GeoPoint to_wgs84(GeoPoint point, CoordinateSystem from) {
  switch (from) {
    case CoordinateSystem::wgs84:
    case CoordinateSystem::cgcs2000:
      return point;
    case CoordinateSystem::gcj02:
      return wgs84_from_gcj02(point);
    case CoordinateSystem::bd09:
      return wgs84_from_gcj02(gcj02_from_bd09(point));
  }
  std::unreachable();
}

GeoPoint from_wgs84(GeoPoint point, CoordinateSystem to) {
  switch (to) {
    case CoordinateSystem::wgs84:
    case CoordinateSystem::cgcs2000:
      return point;
    case CoordinateSystem::gcj02:
      return gcj02_from_wgs84(point);
    case CoordinateSystem::bd09:
      return bd09_from_gcj02(gcj02_from_wgs84(point));
  }
  std::unreachable();
}

}  // namespace ficus
