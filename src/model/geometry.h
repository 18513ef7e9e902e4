#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/value.h"

// Shapes on the map. Positions are degrees of WGS-84, longitude first; an edge between two
// positions is a straight line in the longitude/latitude plane (RFC 7946, 3.1.1). A shape is a
// closed set:
// **a point on an edge or a corner is inside**, also on the edge of a hole.
//
// Nothing here crosses the antimeridian: a shape that does is refused by check_*(), and has to be
// cut in two at 180 degrees (RFC 7946, 3.1.9). Distances do cross it.
namespace ficus {

// The mean radius R1 of the earth in metres (Moritz, Geodetic Reference System 1980). Against the
// ellipsoid, distances on this sphere are off by up to 0.56 %.
inline constexpr double kEarthRadiusMetres = 6'371'008.8;

struct BoundingBox {
  double west = 0;
  double south = 0;
  double east = 0;
  double north = 0;

  bool contains(GeoPoint p) const {
    return p.longitude >= west && p.longitude <= east && p.latitude >= south && p.latitude <= north;
  }
  bool contains(const BoundingBox& other) const {
    return other.west >= west && other.east <= east && other.south >= south && other.north <= north;
  }
  bool intersects(const BoundingBox& other) const {
    return west <= other.east && other.west <= east && south <= other.north && other.south <= north;
  }
  void extend(const BoundingBox& other);

  friend bool operator==(const BoundingBox&, const BoundingBox&) = default;
};

// Closed: the first position is repeated as the last. Either direction of rotation.
using Ring = std::vector<GeoPoint>;

struct Polygon {
  Ring outer;
  std::vector<Ring> holes;

  friend bool operator==(const Polygon&, const Polygon&) = default;
};

// A point is inside if it is inside any of the polygons; they may overlap.
struct MultiPolygon {
  std::vector<Polygon> polygons;

  friend bool operator==(const MultiPolygon&, const MultiPolygon&) = default;
};

// What outside input must pass before the functions below may see it. The message names the place:
// "polygon 2, hole 1, position 4: latitude 95 is not within -90..90".
// A polygon needs rings of at least four positions that are closed, enclose an area and do not
// cross the antimeridian, and holes within the box of their outer ring. Whether a ring crosses
// itself is not checked: inside is then what an odd number of edges separates from the outside.
Status check_point(GeoPoint p);
Status check_box(const BoundingBox& box);
Status check_polygon(const Polygon& polygon);
Status check_multi_polygon(const MultiPolygon& area);  // at least one polygon

// REQUIRES of everything below: the check of each shape passes.

BoundingBox bounds(const Polygon& polygon);
BoundingBox bounds(const MultiPolygon& area);
Polygon to_polygon(const BoundingBox& box);
std::size_t position_count(const MultiPolygon& area);

// Great-circle distance in metres (haversine formula: exact for near points too).
double distance_metres(GeoPoint a, GeoPoint b);
// A box that holds every point within `metres` of `center`: all longitudes if the circle reaches
// over a pole or the antimeridian.
BoundingBox box_around(GeoPoint center, double metres);

bool contains(const Polygon& polygon, GeoPoint p);
bool contains(const MultiPolygon& area, GeoPoint p);

// Whether they share at least one point.
bool segments_intersect(GeoPoint a, GeoPoint b, GeoPoint c, GeoPoint d);
bool intersects(const Polygon& polygon, GeoPoint a, GeoPoint b);  // with the segment a..b
bool intersects(const Polygon& a, const Polygon& b);
bool intersects(const Polygon& polygon, const BoundingBox& box);
bool intersects(const MultiPolygon& a, const MultiPolygon& b);
bool intersects(const MultiPolygon& area, const BoundingBox& box);

// Which side of the line a..b the point is on: > 0 left, < 0 right, 0 on the line, as far as
// doubles can tell.
constexpr double side_of_line(GeoPoint a, GeoPoint b, GeoPoint p) {
  return (b.longitude - a.longitude) * (p.latitude - a.latitude) -
         (b.latitude - a.latitude) * (p.longitude - a.longitude);
}

// What one edge a..b says about a point: whether the point is on it, and whether a ray from the
// point to the east crosses it (each edge without its upper end, so that a corner counts once).
// Every point-in-polygon test of ours goes through this, so that all agree to the last bit.
enum class EdgeCrossing : unsigned char { none, crosses, on_edge };
constexpr EdgeCrossing edge_crossing(GeoPoint a, GeoPoint b, GeoPoint p) {
  const bool a_above = a.latitude > p.latitude;
  const bool b_above = b.latitude > p.latitude;
  if (a_above == b_above) {
    // Only a corner at the latitude of the point, or a level edge, can still touch it.
    if (a_above || (a.latitude < p.latitude && b.latitude < p.latitude)) return EdgeCrossing::none;
    if (a == p || b == p) return EdgeCrossing::on_edge;
    if (a.latitude != b.latitude) return EdgeCrossing::none;
    return (a.longitude < p.longitude) != (b.longitude < p.longitude) ? EdgeCrossing::on_edge
                                                                      : EdgeCrossing::none;
  }
  if (a == p || b == p) return EdgeCrossing::on_edge;
  const double side = side_of_line(a, b, p);
  if (side == 0) {  // on the edge, unless only rounding says so
    const bool is_west = p.longitude < a.longitude && p.longitude < b.longitude;
    const bool is_east = p.longitude > a.longitude && p.longitude > b.longitude;
    if (is_west) return EdgeCrossing::crosses;
    return is_east ? EdgeCrossing::none : EdgeCrossing::on_edge;
  }
  return (side > 0) == b_above ? EdgeCrossing::crosses : EdgeCrossing::none;
}

}  // namespace ficus
