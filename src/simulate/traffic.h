#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "simulate/city.h"
#include "simulate/city_map.h"

namespace ficus::simulate {

// Buses on their lines and taxis at random, on the streets of the map. All but the bus told to
// speed keep to 35 km/h in school zones.
class Traffic {
 public:
  Traffic(const CityMap& map, double scale, Random random);  // keeps the map

  // One second.
  void step(Timestamp now, std::int64_t second, CityStep& out);
  // The next bus that enters a school zone speeds through it.
  void wish_overspeed() { is_overspeed_wished_ = true; }
  bool is_overspeed_over() const { return !is_overspeed_wished_ && !has_speeder_; }

 private:
  struct Vehicle {
    std::string name;  // "bus-001"
    int line = -1;     // index of the bus line; -1: a taxi
    std::size_t place_on_line = 0;
    int from = 0;
    int to = 0;
    double along_m = 0;
    double speed_kmh = 0;
    double preferred_kmh = 40;
    int waiting_s = 0;
    int passengers = 0;
    GeoPoint position;
    double heading = 0;
    bool is_in_school_zone = false;
    bool is_speeding = false;
  };

  void add_buses(int count);
  void add_taxis(int count);
  void put_before_school(Vehicle& bus);
  void drive(Vehicle& v, double traffic, Timestamp now, CityStep& out);
  void go_on(Vehicle& v, double metres);
  void arrive(Vehicle& v);
  void report(const Vehicle& v, Timestamp now, CityStep& out) const;

  const CityMap& map_;
  Random random_;
  std::vector<Vehicle> vehicles_;
  bool is_overspeed_wished_ = false;
  bool has_speeder_ = false;
};

}  // namespace ficus::simulate
