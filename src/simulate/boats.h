#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "simulate/city.h"
#include "simulate/city_map.h"

namespace ficus::simulate {

// Ships on the river and the sea, each going to and fro on its course, heard as AIS: position
// reports (type 1) and static data (type 5), with the time and the station in a tag block.
class Boats {
 public:
  Boats(const CityMap& map, double scale, Random random);  // keeps the map

  // One second.
  void step(Timestamp now, std::int64_t second, CityStep& out);
  // A fishing boat on its guard line heads into the protected zone. REQUIRES: is_intrusion_over().
  void begin_intrusion();
  bool is_intrusion_over() const { return intruder_ < 0; }

 private:
  enum class Task : std::uint8_t { course, inbound, fishing, outbound };
  struct Boat {
    std::uint32_t mmsi = 0;
    std::string name;
    std::uint8_t ship_type = 0;
    std::uint8_t status = 0;
    std::vector<GeoPoint> course;
    std::size_t goal = 0;  // of `course`
    bool is_returning = false;
    double knots = 8;
    GeoPoint position;
    double heading = 0;
    Task task = Task::course;
    GeoPoint inside;   // where an intruder goes
    GeoPoint outside;  // where it left its course
    int fishing_s = 0;
    bool is_in_zone = false;
  };

  void add(std::vector<GeoPoint> course, const char* name, std::uint8_t ship_type, double knots);
  void sail(Boat& boat);
  void sail_course(Boat& boat, double metres);
  void watch_zone(Boat& boat, Timestamp now, CityStep& out) const;
  void report(const Boat& boat, Timestamp now, bool is_static, CityStep& out) const;

  const CityMap& map_;
  Random random_;
  std::vector<Boat> boats_;
  int intruder_ = -1;
  int next_intruder_ = 0;
};

}  // namespace ficus::simulate
