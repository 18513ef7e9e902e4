#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace ficus::simulate {

// What the city does wrong on purpose, so that what the brain says can be compared with the truth.
enum class IncidentKind : std::uint8_t {
  school_zone_overspeed,
  noise_over_limit,
  car_park_full,
  pm25_episode,
  pump_vibration,
  vessel_in_protected_zone,
  station_silent,
};
inline constexpr int kIncidentKinds = 7;

// Also the name of the pack's rule that must notice it.
std::string_view incident_name(IncidentKind kind);

struct Incident {
  Timestamp time;  // from when on the condition is true, in simulated time
  IncidentKind kind = IncidentKind::school_zone_overspeed;
  std::string entity;  // the entity's id

  friend bool operator==(const Incident&, const Incident&) = default;
};

// One JSON object without line end: time, kind, entity, rule, simulated.
std::string to_json(const Incident& incident);

}  // namespace ficus::simulate
