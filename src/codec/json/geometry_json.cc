#include "codec/json/geometry_json.h"

#include <fmt/format.h>

namespace ficus::json {
namespace {

Result<GeoPoint> read_position(JsonValue position) {
  const JsonValue longitude = position.element(0);
  const JsonValue latitude = position.element(1);
  if (longitude.kind() != JsonKind::number || latitude.kind() != JsonKind::number) {
    return invalid("expected a position [longitude, latitude]");
  }
  const GeoPoint point{longitude.as_number(), latitude.as_number()};
  FICUS_TRY_VOID(check_point(point));
  return point;
}

Result<Ring> read_ring(JsonValue positions) {
  if (positions.kind() != JsonKind::array) return invalid("expected an array of positions");
  Ring ring;
  for (JsonItems items(positions); items.next();) {
    auto point = read_position(items.value());
    if (!point) {
      return in_context(fmt::format("position {}: ", ring.size() + 1), std::move(point).error());
    }
    ring.push_back(*point);
  }
  return ring;
}

Result<Polygon> read_polygon(JsonValue rings) {
  if (rings.kind() != JsonKind::array) return invalid("expected an array of rings");
  Polygon polygon;
  std::size_t count = 0;
  for (JsonItems items(rings); items.next(); ++count) {
    auto ring = read_ring(items.value());
    if (!ring) return in_context(fmt::format("ring {}: ", count + 1), std::move(ring).error());
    if (count == 0) {
      polygon.outer = *std::move(ring);
    } else {
      polygon.holes.push_back(*std::move(ring));
    }
  }
  return polygon;
}

std::string_view type_of(JsonValue geometry) {
  const JsonValue type = geometry.member("type");
  return type.kind() == JsonKind::text ? type.as_text() : std::string_view();
}

}  // namespace

Result<GeoPoint> read_point(JsonValue geometry) {
  if (type_of(geometry) != "Point") return invalid("expected a GeoJSON Point");
  return read_position(geometry.member("coordinates"));
}

Result<MultiPolygon> read_area(JsonValue geometry) {
  const std::string_view type = type_of(geometry);
  const JsonValue coordinates = geometry.member("coordinates");
  MultiPolygon area;
  if (type == "Polygon") {
    FICUS_TRY(Polygon polygon, read_polygon(coordinates));
    area.polygons.push_back(std::move(polygon));
  } else if (type == "MultiPolygon") {
    for (JsonItems items(coordinates); items.next();) {
      FICUS_TRY(Polygon polygon, read_polygon(items.value()));
      area.polygons.push_back(std::move(polygon));
    }
  } else {
    return invalid("expected a GeoJSON Polygon or MultiPolygon");
  }
  FICUS_TRY_VOID(check_multi_polygon(area));
  return area;
}

Result<GeoPoint> parse_point(std::string_view text) {
  JsonDocument document;
  FICUS_TRY(const JsonValue value, document.parse(text));
  return read_point(value);
}

Result<MultiPolygon> parse_area(std::string_view text) {
  JsonDocument document;
  FICUS_TRY(const JsonValue value, document.parse(text));
  return read_area(value);
}

}  // namespace ficus::json
