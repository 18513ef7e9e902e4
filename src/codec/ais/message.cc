#include "codec/ais/message.h"

#include "base/time_text.h"

namespace ficus::ais {

std::optional<Timestamp> BaseStationReport::time() const {
  // 60 s would be taken as the next minute, but here it says "not available".
  if (year < 1 || year > 9999 || second > 59) return std::nullopt;
  return from_civil({.year = year,
                     .month = month,
                     .day = day,
                     .hour = hour,
                     .minute = minute,
                     .second = second,
                     .micros = 0});
}

bool StaticVoyageData::has_eta() const {
  return eta_month >= 1 && eta_month <= 12 && eta_day >= 1 && eta_hour <= 23 && eta_minute <= 59;
}

std::string mmsi_text(std::uint32_t mmsi) {
  std::string text = std::to_string(mmsi);
  if (text.size() < 9) text.insert(0, 9 - text.size(), '0');
  return text;
}

}  // namespace ficus::ais
