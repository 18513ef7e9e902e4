#pragma once

#include <cstdint>
#include <string>

#include "codec/ais/quantities.h"

// What something is: the static data of ITU-R M.1371-5, annex 8. Included by message.h. Texts are
// six-bit ASCII without what follows the first '@' and without trailing blanks; "" = not available.

namespace ficus::ais {

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

}  // namespace ficus::ais
