#include "codec/json/geometry_json.h"

#include <gtest/gtest.h>

namespace ficus::json {
namespace {

TEST(GeometryJson, ReadsPointsAndAreas) {
  EXPECT_EQ(parse_point(R"({"type":"Point","coordinates":[119.3,26.1]})"), (GeoPoint{119.3, 26.1}));
  const auto area = parse_area(
      R"({"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,4],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]})");
  ASSERT_TRUE(area) << area.error().message;
  ASSERT_EQ(area->polygons.size(), 1U);
  EXPECT_EQ(area->polygons[0].holes.size(), 1U);
  EXPECT_TRUE(parse_area(
      R"({"type":"MultiPolygon","coordinates":[[[[0,0],[4,0],[4,4],[0,0]]],[[[9,9],[9,8],[8,8],[9,9]]]]})"));
}

TEST(GeometryJson, RefusesWhatIsNone) {
  for (const char* text :
       {"", "[]", R"({"type":"Point"})", R"({"type":"Point","coordinates":[1]})",
        R"({"type":"Point","coordinates":[1,95]})", R"({"type":"Point","coordinates":["1",2]})"}) {
    EXPECT_FALSE(parse_point(text)) << text;
  }
  for (const char* text :
       {R"({"type":"Polygon","coordinates":[]})", R"({"type":"Polygon","coordinates":[[[0,0]]]})",
        R"({"type":"Polygon","coordinates":3})",
        R"({"type":"LineString","coordinates":[[0,0],[1,1]]})",
        R"({"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,4]]]})"}) {
    EXPECT_FALSE(parse_area(text)) << text;
  }
}

}  // namespace
}  // namespace ficus::json
