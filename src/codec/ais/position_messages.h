#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "codec/ais/quantities.h"
#include "codec/ais/radio.h"

// Where something is: the position reports of ITU-R M.1371-5, annex 8. Included by message.h.

namespace ficus::ais {

// Types 1, 2 and 3: position of a class A ship (3.1).
struct PositionReport {
  std::uint8_t status = 15;  // navigation_status_name()
  Turn turn;
  Speed speed;
  bool is_accurate = false;  // better than 10 m
  Position position;
  Course course;
  Heading heading;
  FixSecond fix_second;
  std::uint8_t maneuver = 0;  // 0 = not available, 1 = no special one, 2 = special one
  std::uint8_t spare = 0;     // 3 bits
  bool has_raim = false;
  Radio radio;
  friend bool operator==(const PositionReport&, const PositionReport&) = default;
};

// Types 4 (base station) and 11 (reply of a mobile station): time and place (3.2).
struct BaseStationReport {
  std::uint16_t year = 0;  // 1 to 9999; 0 = not available
  std::uint8_t month = 0;  // 0 = not available
  std::uint8_t day = 0;    // 0 = not available
  std::uint8_t hour = 24;  // 24 = not available
  std::uint8_t minute = 60;
  std::uint8_t second = 60;
  bool is_accurate = false;
  Position position;
  std::uint8_t position_device = 0;  // position_device_name()
  bool controls_long_range = false;  // transmission control for message 27
  std::uint16_t spare = 0;           // 9 bits
  bool has_raim = false;
  Radio radio;

  std::optional<Timestamp> time() const;  // nothing unless every part is a valid one
  friend bool operator==(const BaseStationReport&, const BaseStationReport&) = default;
};

// Type 9: search and rescue aircraft (3.7).
struct AircraftPosition {
  Altitude altitude;
  AircraftSpeed speed;
  bool is_accurate = false;
  Position position;
  Course course;
  FixSecond fix_second;
  bool is_altitude_barometric = false;
  std::uint8_t spare = 0;  // 7 bits
  bool lacks_terminal = true;
  std::uint8_t spare2 = 0;  // 3 bits
  bool is_assigned = false;
  bool has_raim = false;
  SelectedRadio radio;
  friend bool operator==(const AircraftPosition&, const AircraftPosition&) = default;
};

// Type 18: position of a class B ship (3.16).
struct ClassBPosition {
  std::uint8_t spare = 0;  // 8 bits
  Speed speed;
  bool is_accurate = false;
  Position position;
  Course course;
  Heading heading;
  FixSecond fix_second;
  std::uint8_t spare2 = 0;        // 2 bits
  bool is_carrier_sense = false;  // class B "CS" unit, else "SO"
  bool has_display = false;
  bool has_dsc = false;
  bool covers_whole_band = false;
  bool accepts_message_22 = false;
  bool is_assigned = false;
  bool has_raim = false;
  SelectedRadio radio;
  friend bool operator==(const ClassBPosition&, const ClassBPosition&) = default;
};

// Type 27: long-range position, meant for satellites (3.25).
struct LongRangePosition {
  bool is_accurate = false;
  bool has_raim = false;
  std::uint8_t status = 15;
  CoarsePosition position;
  CoarseSpeed speed;
  CoarseCourse course;
  bool is_late = false;  // position latency over 5 s
  bool spare = false;
  friend bool operator==(const LongRangePosition&, const LongRangePosition&) = default;
};

}  // namespace ficus::ais
