#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/time.h"
#include "codec/ais/other_messages.h"
#include "codec/ais/quantities.h"
#include "codec/ais/radio.h"

// The messages of ITU-R M.1371-5, annex 8: one struct a family, fields as transmitted. Texts are
// six-bit ASCII with what follows the first '@' and trailing blanks removed, so "" = not available.

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

// Type 5: a class A ship and its voyage (3.3).
struct StaticVoyageData {
  std::uint8_t version = 0;      // edition of M.1371 the station complies with, 0 to 3
  std::uint32_t imo_number = 0;  // 30 bits; 0 = not available
  std::string call_sign;
  std::string name;
  std::uint8_t ship_type = 0;  // ship_type_name()
  Dimensions dimensions;
  std::uint8_t position_device = 0;
  std::uint8_t eta_month = 0;  // 0 = not available
  std::uint8_t eta_day = 0;    // 0 = not available
  std::uint8_t eta_hour = 24;  // 24 = not available
  std::uint8_t eta_minute = 60;
  Draught draught;
  std::string destination;
  bool lacks_terminal = true;  // DTE bit: 1 = no data terminal, the default
  bool spare = false;

  bool has_eta() const;  // month, day, hour and minute are all in range
  friend bool operator==(const StaticVoyageData&, const StaticVoyageData&) = default;
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

// Type 19: position and data of a class B ship (3.17).
struct ClassBExtended {
  std::uint8_t spare = 0;  // 8 bits
  Speed speed;
  bool is_accurate = false;
  Position position;
  Course course;
  Heading heading;
  FixSecond fix_second;
  std::uint8_t spare2 = 0;  // 4 bits
  std::string name;
  std::uint8_t ship_type = 0;
  Dimensions dimensions;
  std::uint8_t position_device = 0;
  bool has_raim = false;
  bool lacks_terminal = true;
  bool is_assigned = false;
  std::uint8_t spare3 = 0;  // 4 bits
  friend bool operator==(const ClassBExtended&, const ClassBExtended&) = default;
};

// Type 21: aid to navigation (3.19).
struct AidToNavigation {
  std::uint8_t aid_type = 0;  // aid_type_name()
  std::string name;           // with its extension, up to 34 characters
  bool is_accurate = false;
  Position position;
  Dimensions dimensions;
  std::uint8_t position_device = 0;
  FixSecond fix_second;
  bool is_off_position = false;  // floating aids only, and only while fix_second is 0 to 59
  std::uint8_t aid_status = 0;  // 8 bits, regional or M.1371-5 table 72: page, RACON, light, health
  bool has_raim = false;
  bool is_virtual = false;
  bool is_assigned = false;
  bool spare = false;
  friend bool operator==(const AidToNavigation&, const AidToNavigation&) = default;
};

// Type 24 part A: the name of a class B ship (3.22).
struct StaticDataA {
  std::string name;
  friend bool operator==(const StaticDataA&, const StaticDataA&) = default;
};

// Type 24 part B: what a class B ship is. A craft whose MMSI is 98XXXYYYY belongs to a mother ship
// and sends that ship's MMSI where others send dimensions.
struct StaticDataB {
  std::uint8_t ship_type = 0;
  std::string vendor_id;          // three characters
  std::uint8_t unit_model = 0;    // 4 bits
  std::uint32_t unit_serial = 0;  // 20 bits
  std::string vendor_text;        // the same 42 bits as seven characters, as in M.1371-3 and before
  std::string call_sign;
  Dimensions dimensions;              // none for an auxiliary craft
  std::uint32_t mothership_mmsi = 0;  // 0 unless an auxiliary craft
  std::uint8_t position_device = 0;
  std::uint8_t spare = 0;  // 2 bits
  friend bool operator==(const StaticDataB&, const StaticDataB&) = default;
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

using Body =
    std::variant<PositionReport, BaseStationReport, StaticVoyageData, AddressedBinary, Acknowledge,
                 BroadcastBinary, AircraftPosition, UtcInquiry, AddressedText, BroadcastText,
                 Interrogation, ModeAssignment, GnssCorrection, ClassBPosition, ClassBExtended,
                 DataLinkManagement, AidToNavigation, ChannelManagement, GroupAssignment,
                 StaticDataA, StaticDataB, SlotBinary, LongRangePosition>;

struct Message {
  std::uint8_t type = 0;    // 1 to 27
  std::uint8_t repeat = 0;  // 0 to 3; 3 = do not repeat
  std::uint32_t mmsi = 0;   // 30 bits: may exceed nine digits when a sender is broken
  std::uint16_t bit_count = 0;
  Body body;
  friend bool operator==(const Message&, const Message&) = default;
};

// An MMSI of an auxiliary craft: 98XXXYYYY (ITU-R M.585, annex 2, 4).
constexpr bool is_auxiliary_craft(std::uint32_t mmsi) { return mmsi / 10'000'000 == 98; }

// Nine digits, zeros in front ("002268120").
std::string mmsi_text(std::uint32_t mmsi);

}  // namespace ficus::ais
