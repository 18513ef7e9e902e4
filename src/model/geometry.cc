#include "model/geometry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

namespace ficus {
namespace {

constexpr double kRadiansPerDegree = std::numbers::pi / 180;
constexpr std::size_t kRingPositionsMin = 4;

BoundingBox bounds_of_ring(const Ring& ring) {
  BoundingBox box{ring[0].longitude, ring[0].latitude, ring[0].longitude, ring[0].latitude};
  for (const GeoPoint p : ring) box.extend({p.longitude, p.latitude, p.longitude, p.latitude});
  return box;
}

// Twice the area, with a sign (shoelace formula), relative to the first position to keep precision.
double doubled_area(const Ring& ring) {
  double sum = 0;
  for (std::size_t i = 1; i + 1 < ring.size(); ++i) {
    sum += side_of_line(ring[0], ring[i], ring[i + 1]);
  }
  return sum;
}

Status check_ring(const Ring& ring) {
  if (ring.size() < kRingPositionsMin) {
    return invalid(
        fmt::format("a ring needs at least {} positions, has {}", kRingPositionsMin, ring.size()));
  }
  for (std::size_t i = 0; i < ring.size(); ++i) {
    if (Status status = check_point(ring[i]); !status) {
      return in_context(fmt::format("position {}: ", i + 1), std::move(status).error());
    }
    // An edge of more than half the globe is one that meant to go the other way round.
    if (i > 0 && std::abs(ring[i].longitude - ring[i - 1].longitude) > 180) {
      return invalid(fmt::format(
          "position {}: the edge before it crosses the antimeridian: cut the shape in two at 180 "
          "degrees (RFC 7946, 3.1.9)",
          i + 1));
    }
  }
  if (ring.front() != ring.back()) {
    return invalid("the ring is not closed: repeat its first position as the last");
  }
  if (doubled_area(ring) == 0) return invalid("the ring encloses no area");
  return {};
}

// Adds what a ring says to `inside`; true if the point is on the ring.
bool cross_ring(const Ring& ring, GeoPoint p, bool& inside) {
  for (std::size_t i = 1; i < ring.size(); ++i) {
    switch (edge_crossing(ring[i - 1], ring[i], p)) {
      case EdgeCrossing::none:
        break;
      case EdgeCrossing::crosses:
        inside = !inside;
        break;
      case EdgeCrossing::on_edge:
        return true;
    }
  }
  return false;
}

bool ring_meets_segment(const Ring& ring, GeoPoint a, GeoPoint b) {
  for (std::size_t i = 1; i < ring.size(); ++i) {
    if (segments_intersect(ring[i - 1], ring[i], a, b)) return true;
  }
  return false;
}

bool edges_meet(const Polygon& polygon, const Ring& ring) {
  for (std::size_t i = 1; i < ring.size(); ++i) {
    if (ring_meets_segment(polygon.outer, ring[i - 1], ring[i])) return true;
    for (const Ring& hole : polygon.holes) {
      if (ring_meets_segment(hole, ring[i - 1], ring[i])) return true;
    }
  }
  return false;
}

// REQUIRES: p is on the line through a and b.
bool is_between(GeoPoint a, GeoPoint b, GeoPoint p) {
  return std::min(a.longitude, b.longitude) <= p.longitude &&
         p.longitude <= std::max(a.longitude, b.longitude) &&
         std::min(a.latitude, b.latitude) <= p.latitude &&
         p.latitude <= std::max(a.latitude, b.latitude);
}

}  // namespace

void BoundingBox::extend(const BoundingBox& other) {
  west = std::min(west, other.west);
  south = std::min(south, other.south);
  east = std::max(east, other.east);
  north = std::max(north, other.north);
}

Status check_point(GeoPoint p) {
  // Written so that NaN fails too.
  if (!(p.longitude >= -180 && p.longitude <= 180)) {
    return invalid(fmt::format("longitude {} is not within -180..180", p.longitude));
  }
  if (!(p.latitude >= -90 && p.latitude <= 90)) {
    return invalid(fmt::format("latitude {} is not within -90..90", p.latitude));
  }
  return {};
}

Status check_box(const BoundingBox& box) {
  FICUS_TRY_VOID(check_point({box.west, box.south}));
  FICUS_TRY_VOID(check_point({box.east, box.north}));
  if (box.south > box.north) {
    return invalid(
        fmt::format("the south {} of the box is north of its north {}", box.south, box.north));
  }
  if (box.west > box.east) {
    return invalid(
        fmt::format("the west {} of the box is east of its east {}: a box may not cross the "
                    "antimeridian, ask for two",
                    box.west, box.east));
  }
  return {};
}

Status check_polygon(const Polygon& polygon) {
  if (Status status = check_ring(polygon.outer); !status) {
    return in_context("outer ring: ", std::move(status).error());
  }
  const BoundingBox box = bounds(polygon);
  for (std::size_t i = 0; i < polygon.holes.size(); ++i) {
    const std::string place = fmt::format("hole {}: ", i + 1);
    if (Status status = check_ring(polygon.holes[i]); !status) {
      return in_context(place, std::move(status).error());
    }
    if (!box.contains(bounds_of_ring(polygon.holes[i]))) {
      return invalid(place + "it reaches outside the outer ring");
    }
  }
  return {};
}

Status check_multi_polygon(const MultiPolygon& area) {
  if (area.polygons.empty()) return invalid("there is no polygon");
  for (std::size_t i = 0; i < area.polygons.size(); ++i) {
    if (Status status = check_polygon(area.polygons[i]); !status) {
      const std::string place =
          area.polygons.size() == 1 ? std::string() : fmt::format("polygon {}, ", i + 1);
      return in_context(place, std::move(status).error());
    }
  }
  return {};
}

BoundingBox bounds(const Polygon& polygon) { return bounds_of_ring(polygon.outer); }

BoundingBox bounds(const MultiPolygon& area) {
  BoundingBox box = bounds(area.polygons.front());
  for (const Polygon& polygon : area.polygons) box.extend(bounds(polygon));
  return box;
}

Polygon to_polygon(const BoundingBox& box) {
  return {{{box.west, box.south},
           {box.east, box.south},
           {box.east, box.north},
           {box.west, box.north},
           {box.west, box.south}},
          {}};
}

std::size_t position_count(const MultiPolygon& area) {
  std::size_t count = 0;
  for (const Polygon& polygon : area.polygons) {
    count += polygon.outer.size();
    for (const Ring& hole : polygon.holes) count += hole.size();
  }
  return count;
}

double distance_metres(GeoPoint a, GeoPoint b) {
  const double lat_sine = std::sin((b.latitude - a.latitude) * kRadiansPerDegree / 2);
  const double lon_sine = std::sin((b.longitude - a.longitude) * kRadiansPerDegree / 2);
  const double h = lat_sine * lat_sine + std::cos(a.latitude * kRadiansPerDegree) *
                                             std::cos(b.latitude * kRadiansPerDegree) * lon_sine *
                                             lon_sine;
  return 2 * kEarthRadiusMetres * std::asin(std::min(1.0, std::sqrt(h)));
}

BoundingBox box_around(GeoPoint center, double metres) {
  // A little more than needed, so that rounding never leaves a point of the circle outside.
  const double angle = metres / kEarthRadiusMetres * (1 + 1e-12) + 1e-14;
  const double degrees = angle / kRadiansPerDegree;
  BoundingBox box{-180, std::max(-90.0, center.latitude - degrees), 180,
                  std::min(90.0, center.latitude + degrees)};
  if (box.south <= -90 || box.north >= 90) return box;
  // The meridians that touch a circle of this angular radius (spherical law of sines).
  const double sine = std::sin(angle) / std::cos(center.latitude * kRadiansPerDegree);
  if (!(sine < 1)) return box;
  const double reach = std::asin(sine) / kRadiansPerDegree * (1 + 1e-12) + 1e-12;
  if (center.longitude - reach < -180 || center.longitude + reach > 180) return box;
  box.west = center.longitude - reach;
  box.east = center.longitude + reach;
  return box;
}

bool contains(const Polygon& polygon, GeoPoint p) {
  bool inside = false;
  if (cross_ring(polygon.outer, p, inside)) return true;
  for (const Ring& hole : polygon.holes) {
    if (cross_ring(hole, p, inside)) return true;
  }
  return inside;
}

bool contains(const MultiPolygon& area, GeoPoint p) {
  for (const Polygon& polygon : area.polygons) {
    if (contains(polygon, p)) return true;
  }
  return false;
}

bool segments_intersect(GeoPoint a, GeoPoint b, GeoPoint c, GeoPoint d) {
  const double side_c = side_of_line(a, b, c);
  const double side_d = side_of_line(a, b, d);
  const double side_a = side_of_line(c, d, a);
  const double side_b = side_of_line(c, d, b);
  if (((side_c > 0 && side_d < 0) || (side_c < 0 && side_d > 0)) &&
      ((side_a > 0 && side_b < 0) || (side_a < 0 && side_b > 0))) {
    return true;
  }
  return (side_c == 0 && is_between(a, b, c)) || (side_d == 0 && is_between(a, b, d)) ||
         (side_a == 0 && is_between(c, d, a)) || (side_b == 0 && is_between(c, d, b));
}

bool intersects(const Polygon& polygon, GeoPoint a, GeoPoint b) {
  // Either an end is inside, or the segment passes over an edge.
  if (contains(polygon, a) || contains(polygon, b)) return true;
  if (ring_meets_segment(polygon.outer, a, b)) return true;
  for (const Ring& hole : polygon.holes) {
    if (ring_meets_segment(hole, a, b)) return true;
  }
  return false;
}

bool intersects(const Polygon& a, const Polygon& b) {
  if (!bounds(a).intersects(bounds(b))) return false;
  // Without a meeting of edges, one lies wholly inside the other or they are apart, so one corner
  // of each tells.
  if (contains(a, b.outer.front()) || contains(b, a.outer.front())) return true;
  if (edges_meet(a, b.outer)) return true;
  for (const Ring& hole : b.holes) {
    if (edges_meet(a, hole)) return true;
  }
  return false;
}

bool intersects(const Polygon& polygon, const BoundingBox& box) {
  return intersects(polygon, to_polygon(box));
}

bool intersects(const MultiPolygon& a, const MultiPolygon& b) {
  for (const Polygon& one : a.polygons) {
    for (const Polygon& other : b.polygons) {
      if (intersects(one, other)) return true;
    }
  }
  return false;
}

bool intersects(const MultiPolygon& area, const BoundingBox& box) {
  for (const Polygon& polygon : area.polygons) {
    if (intersects(polygon, box)) return true;
  }
  return false;
}

}  // namespace ficus
