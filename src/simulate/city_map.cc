#include "simulate/city_map.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/random.h"
#include "codec/json/json_writer.h"

namespace ficus::simulate {
namespace {

constexpr std::uint64_t kGroundSeed = 26'08'119'30;  // of the ground, not of a run
constexpr double kWest = 119.262;
constexpr double kSouth = 26.046;
constexpr double kColumnDegrees = 0.004;  // 400 m
constexpr double kRowDegrees = 0.0036;    // 400 m
constexpr double kRiverGapDegrees = 0.006;
constexpr int kRowNorthOfRiver = 7;
constexpr double kCoast = 119.372;
constexpr double kSeaEast = 119.47;
constexpr double kSeaSouth = 26.02;
constexpr double kSeaNorth = 26.14;

double rounded(double degrees) { return std::round(degrees * 1e6) / 1e6; }
GeoPoint at(double longitude, double latitude) { return {rounded(longitude), rounded(latitude)}; }

// Main streets: every fourth. They are never interrupted and have the bridges.
bool is_main_column(int column) { return column % 4 == 2; }
bool is_main_row(int row) { return row % 4 == 1; }

double coast_longitude(double latitude) {
  return kCoast + 0.004 * std::sin((latitude - kSeaSouth) * 90);
}

MultiPolygon box(double west, double south, double east, double north) {
  const Ring ring = {at(west, south), at(east, south), at(east, north), at(west, north),
                     at(west, south)};
  return {.polygons = {{.outer = ring, .holes = {}}}};
}

void append_position(json::JsonWriter& json, GeoPoint p) {
  json.begin_array().number(p.longitude).number(p.latitude).end_array();
}

void append_polygon(json::JsonWriter& json, const Polygon& polygon) {
  json.begin_object().key("type").text("Polygon").key("coordinates").begin_array().begin_array();
  for (const GeoPoint p : polygon.outer) append_position(json, p);
  json.end_array().end_array().end_object();
}

// Gathers features into the text of a FeatureCollection with a line for each.
class FeatureLines {
 public:
  std::string& next() {
    text_ += text_.empty() ? "{\"type\":\"FeatureCollection\",\"features\":[\n" : ",\n";
    return text_;
  }
  std::string take() { return std::move(text_) + "\n]}\n"; }

 private:
  std::string text_;
};

}  // namespace

CityMap::CityMap() {
  lay_crossings();
  lay_streets();
  lay_bus_lines();
  lay_water();
  lay_zones();
}

void CityMap::lay_crossings() {
  Random random(kGroundSeed);
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column < kColumns; ++column) {
      const double gap = row >= kRowNorthOfRiver ? kRiverGapDegrees : 0;
      // One after the other: the order of arguments is the compiler's, and the ground must not be.
      const double east = random.between(-0.0005, 0.0005);
      const double north = random.between(-0.0004, 0.0004);
      crossings_.push_back(
          at(kWest + kColumnDegrees * column + east, kSouth + kRowDegrees * row + gap + north));
    }
  }
  neighbours_.resize(crossings_.size());
}

void CityMap::connect(int a, int b) {
  neighbours_[static_cast<std::size_t>(a)].push_back(b);
  neighbours_[static_cast<std::size_t>(b)].push_back(a);
}

void CityMap::lay_streets() {
  constexpr double kMissing = 0.12;  // of the side streets
  Random random(kGroundSeed + 1);
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column < kColumns; ++column) {
      const int here = crossing_at(column, row);
      const bool is_missing_east = random.chance(kMissing);
      const bool is_missing_north = random.chance(kMissing);
      if (column + 1 < kColumns && (is_main_row(row) || !is_missing_east)) {
        connect(here, crossing_at(column + 1, row));
      }
      if (row + 1 == kRows) continue;
      const bool is_over_river = row + 1 == kRowNorthOfRiver;
      if (is_main_column(column) || (!is_over_river && !is_missing_north)) {
        connect(here, crossing_at(column, row + 1));
      }
    }
  }
  // Chance may have left a crossing alone.
  for (int i = 0; i < crossing_count(); ++i) {
    if (neighbours(i).empty()) connect(i, i % kColumns == 0 ? i + 1 : i - 1);
  }
}

void CityMap::lay_bus_lines() {
  struct Corners {
    int west, south, east, north;
  };
  constexpr Corners kLines[] = {{6, 1, 10, 5},  {2, 1, 18, 17},  {2, 9, 10, 13},   {10, 9, 14, 17},
                                {6, 1, 14, 9},  {2, 5, 6, 13},   {10, 13, 18, 17}, {6, 9, 18, 13},
                                {2, 1, 14, 13}, {14, 13, 18, 17}};
  for (const auto& [west, south, east, north] : kLines) {
    std::vector<int> loop;
    for (int c = west; c < east; ++c) loop.push_back(crossing_at(c, south));
    for (int r = south; r < north; ++r) loop.push_back(crossing_at(east, r));
    for (int c = east; c > west; --c) loop.push_back(crossing_at(c, north));
    for (int r = north; r > south; --r) loop.push_back(crossing_at(west, r));
    bus_lines_.push_back(std::move(loop));
  }
}

GeoPoint CityMap::river_middle(double longitude) const {
  const double latitude = kSouth + kRowDegrees * 6.5 + kRiverGapDegrees / 2;
  return at(longitude, latitude + 0.0006 * std::sin((longitude - kWest) * 160));
}

void CityMap::lay_water() {
  constexpr double kHalfWidth = 0.0024;
  constexpr double kFrom = 119.24;
  std::vector<GeoPoint> north;
  for (int i = 0; i <= 34; ++i) {
    const GeoPoint middle = river_middle(kFrom + 0.004 * i);
    river_.outer.push_back(at(middle.longitude, middle.latitude - kHalfWidth));
    north.push_back(at(middle.longitude, middle.latitude + kHalfWidth));
  }
  river_.outer.insert(river_.outer.end(), north.rbegin(), north.rend());
  river_.outer.push_back(river_.outer.front());

  sea_.outer = {at(kSeaEast, kSeaNorth), at(kSeaEast, kSeaSouth)};
  std::swap(sea_.outer[0], sea_.outer[1]);
  for (int i = 0; i <= 40; ++i) {
    const double latitude = kSeaNorth - (kSeaNorth - kSeaSouth) * i / 40;
    sea_.outer.push_back(at(coast_longitude(latitude), latitude));
  }
  sea_.outer.push_back(sea_.outer.front());
}

void CityMap::lay_zones() {
  struct School {
    int column, row;
    bool is_along_row;
    const char *name, *zh, *en;
  };
  // On main streets between two main crossings, so that a bus drives through lengthwise.
  constexpr School kSchools[] = {
      {8, 1, true, "school_1", "第一小学", "No. 1 Primary School"},
      {4, 9, true, "school_2", "第二小学", "No. 2 Primary School"},
      {6, 3, false, "school_3", "江南中学", "South Bank Middle School"},
      {14, 15, false, "school_4", "北苑小学", "North Park Primary School"},
      {12, 13, true, "school_5", "榕城中学", "Banyan Middle School"},
  };
  for (const School& s : kSchools) {
    const GeoPoint p = crossing(crossing_at(s.column, s.row));
    const double half_width = s.is_along_row ? 0.0034 : 0.0012;
    const double half_height = s.is_along_row ? 0.0012 : 0.003;
    zones_.push_back({s.name, "school", s.zh, s.en,
                      box(p.longitude - half_width, p.latitude - half_height,
                          p.longitude + half_width, p.latitude + half_height)});
  }
  zones_.push_back({"harbour", "port", "港区", "Harbour", box(119.362, 26.044, 119.382, 26.056)});
  zones_.push_back({"estuary_reserve", "protected", "河口海洋保护区", "Estuary marine reserve",
                    box(119.42, 26.1, 119.44, 26.12)});
  zones_.push_back({"old_town", "low_noise", "老城安静区", "Old town quiet district",
                    box(119.284, 26.092, 119.308, 26.112)});
}

bool CityMap::is_in_kind(GeoPoint p, std::string_view zone_kind) const {
  return std::any_of(zones_.begin(), zones_.end(), [&](const Zone& zone) {
    return zone.kind == zone_kind && contains(zone.area, p);
  });
}

std::string CityMap::map_geojson() const {
  FeatureLines lines;
  const auto water = [&](const Polygon& polygon, const char* zh, const char* en) {
    json::JsonWriter json(lines.next());
    json.begin_object().key("type").text("Feature").key("properties").begin_object();
    json.key("kind").text("water").key("label_zh").text(zh).key("label_en").text(en);
    json.end_object().key("geometry");
    append_polygon(json, polygon);
    json.end_object();
  };
  water(sea_, "海", "Sea");
  water(river_, "江", "River");
  for (int from = 0; from < crossing_count(); ++from) {
    for (const int to : neighbours(from)) {
      if (to < from) continue;
      const bool is_main = (to == from + 1 && is_main_row(from / kColumns)) ||
                           (to != from + 1 && is_main_column(from % kColumns));
      json::JsonWriter json(lines.next());
      json.begin_object().key("type").text("Feature").key("properties").begin_object();
      json.key("kind").text("street").key("class").text(is_main ? "main" : "side").end_object();
      json.key("geometry").begin_object().key("type").text("LineString").key("coordinates");
      json.begin_array();
      append_position(json, crossing(from));
      append_position(json, crossing(to));
      json.end_array().end_object().end_object();
    }
  }
  return lines.take();
}

std::string CityMap::zones_geojson() const {
  FeatureLines lines;
  for (const Zone& zone : zones_) {
    json::JsonWriter json(lines.next());
    json.begin_object().key("type").text("Feature").key("properties").begin_object();
    json.key("name").text(zone.name).key("kind").text(zone.kind);
    json.key("label_zh").text(zone.label_zh).key("label_en").text(zone.label_en);
    json.end_object().key("geometry");
    append_polygon(json, zone.area.polygons[0]);
    json.end_object();
  }
  return lines.take();
}

GeoPoint towards(GeoPoint from, GeoPoint to, double metres) {
  const double distance = distance_metres(from, to);
  if (distance <= metres) return to;
  const double part = metres / distance;
  return {from.longitude + (to.longitude - from.longitude) * part,
          from.latitude + (to.latitude - from.latitude) * part};
}

double course_degrees(GeoPoint from, GeoPoint to) {
  constexpr double kRadian = std::numbers::pi / 180;
  const double east = (to.longitude - from.longitude) * std::cos(from.latitude * kRadian);
  const double degrees = std::atan2(east, to.latitude - from.latitude) / kRadian;
  return degrees < 0 ? degrees + 360 : degrees;
}

}  // namespace ficus::simulate
