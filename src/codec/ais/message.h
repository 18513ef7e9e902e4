#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "codec/ais/other_messages.h"
#include "codec/ais/position_messages.h"
#include "codec/ais/static_messages.h"

namespace ficus::ais {

// The messages of ITU-R M.1371-5, annex 8: one struct a family, every field as transmitted.
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
