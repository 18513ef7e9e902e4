#include "simulate/incident.h"

#include <utility>

#include "codec/json/json_writer.h"

namespace ficus::simulate {

std::string_view incident_name(IncidentKind kind) {
  switch (kind) {
    case IncidentKind::school_zone_overspeed:
      return "school_zone_overspeed";
    case IncidentKind::noise_over_limit:
      return "noise_over_limit";
    case IncidentKind::car_park_full:
      return "car_park_full";
    case IncidentKind::pm25_episode:
      return "pm25_episode";
    case IncidentKind::pump_vibration:
      return "pump_vibration";
    case IncidentKind::vessel_in_protected_zone:
      return "vessel_in_protected_zone";
    case IncidentKind::station_silent:
      return "station_silent";
  }
  std::unreachable();
}

std::string to_json(const Incident& incident) {
  std::string text;
  const std::string_view name = incident_name(incident.kind);
  json::JsonWriter(text)
      .begin_object()
      .key("time")
      .time(incident.time)
      .key("kind")
      .text(name)
      .key("entity")
      .text(incident.entity)
      .key("rule")
      .text(name)
      .key("simulated")
      .boolean(true)
      .end_object();
  return text;
}

}  // namespace ficus::simulate
