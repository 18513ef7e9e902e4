#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/geometry.h"
#include "model/zone_set.h"

namespace ficus::simulate {

// The ground of the simulated city: an invented one, placed where Fuzhou is. Streets, river, sea
// and zones are the same for every seed, so that the pack's map and zones fit whatever city runs on
// them. A value; coordinates are WGS-84 with six decimals.
class CityMap {
 public:
  static constexpr int kColumns = 20;
  static constexpr int kRows = 20;

  CityMap();

  int crossing_count() const { return static_cast<int>(crossings_.size()); }
  static int crossing_at(int column, int row) { return row * kColumns + column; }
  GeoPoint crossing(int index) const { return crossings_[static_cast<std::size_t>(index)]; }
  // The crossings at the other end of the streets that meet here; never none.
  const std::vector<int>& neighbours(int crossing) const {
    return neighbours_[static_cast<std::size_t>(crossing)];
  }
  // Loops along the main streets, each a list of neighbouring crossings.
  const std::vector<std::vector<int>>& bus_lines() const { return bus_lines_; }

  const Polygon& river() const { return river_; }
  const Polygon& sea() const { return sea_; }
  const std::vector<Zone>& zones() const { return zones_; }
  bool is_in_kind(GeoPoint p, std::string_view zone_kind) const;
  GeoPoint river_middle(double longitude) const;

  // The files map.geojson and zones.geojson of the pack, one feature a line.
  std::string map_geojson() const;
  std::string zones_geojson() const;

 private:
  void lay_crossings();
  void lay_streets();
  void lay_bus_lines();
  void lay_water();
  void lay_zones();
  void connect(int a, int b);

  std::vector<GeoPoint> crossings_;
  std::vector<std::vector<int>> neighbours_;
  std::vector<std::vector<int>> bus_lines_;
  Polygon river_;
  Polygon sea_;
  std::vector<Zone> zones_;
};

// Where a walk of `metres` towards `to` ends; `to` itself if it is nearer.
GeoPoint towards(GeoPoint from, GeoPoint to, double metres);
// Degrees from north, clockwise, 0 <= course < 360.
double course_degrees(GeoPoint from, GeoPoint to);

}  // namespace ficus::simulate
