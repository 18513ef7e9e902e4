#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "simulate/city.h"
#include "simulate/city_map.h"

namespace ficus::simulate {

// What stands still and measures: air and noise stations, car parks, pumps. One incident of each of
// its kinds at a time.
class Stations {
 public:
  Stations(const CityMap& map, double scale, double speed, Random random);

  // One second.
  void step(Timestamp now, std::int64_t second, CityStep& out);
  // REQUIRES: `kind` is one of this class, and is_over(kind).
  void begin(IncidentKind kind, std::int64_t second);
  bool is_over(IncidentKind kind) const { return fault(kind).station < 0; }

 private:
  // A value that wanders around zero, mostly within -1 and 1.
  struct Wander {
    double value = 0;
    double next(Random& random) {
      value = 0.97 * value + random.between(-0.25, 0.25);
      return value;
    }
  };
  struct Station {
    std::string name;
    GeoPoint position;
    double level = 0;     // what makes this one different: -1 to 1
    double capacity = 0;  // of a car park
    Wander first;
    Wander second;
  };
  struct Fault {
    int station = -1;  // none
    std::int64_t end = 0;
    bool is_told = false;  // the incident has begun to show and is in the truth
  };

  const Fault& fault(IncidentKind kind) const { return faults_[static_cast<std::size_t>(kind)]; }
  Fault& fault(IncidentKind kind) { return faults_[static_cast<std::size_t>(kind)]; }
  std::vector<Station> place(const CityMap& map, const char* prefix, int count);
  // Whether station `index` shows this fault now; tells the truth once.
  bool shows(IncidentKind kind, int index, const std::string& entity, Timestamp now, CityStep& out);
  void report_air(Timestamp now, int index, CityStep& out);
  void report_noise(Timestamp now, int index, CityStep& out);
  void report_car_parks(Timestamp now, CityStep& out);
  void report_pump(Timestamp now, int index, CityStep& out);

  const double speed_;
  Random random_;
  std::vector<Station> air_;
  std::vector<Station> noise_;
  std::vector<Station> car_parks_;
  std::vector<Station> pumps_;
  std::array<Fault, kIncidentKinds> faults_{};
};

}  // namespace ficus::simulate
