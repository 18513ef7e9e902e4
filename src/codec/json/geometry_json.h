#pragma once

#include <string_view>

#include "base/result.h"
#include "codec/json/json_reader.h"
#include "model/geometry.h"

namespace ficus::json {

// GeoJSON geometries (RFC 7946, 3.1), checked as model/geometry.h demands. The errors name the
// place.
Result<GeoPoint> read_point(JsonValue geometry);     // a Point
Result<MultiPolygon> read_area(JsonValue geometry);  // a Polygon or MultiPolygon
Result<GeoPoint> parse_point(std::string_view text);
Result<MultiPolygon> parse_area(std::string_view text);

}  // namespace ficus::json
