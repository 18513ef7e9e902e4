#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/ais/quantities.h"

// The messages of ITU-R M.1371-5 that a city's map does not show: binary, safety text, control of
// the radio channels. Included by message.h, which holds the rest.

namespace ficus::ais {

// Application data as sent: `bit_count` bits from the highest bit of the first byte on.
struct BinaryData {
  std::vector<std::uint8_t> bytes;
  std::uint16_t bit_count = 0;
  friend bool operator==(const BinaryData&, const BinaryData&) = default;
};

// Type 6 (3.4).
struct AddressedBinary {
  std::uint8_t sequence = 0;
  std::uint32_t destination_mmsi = 0;
  bool is_retransmit = false;
  std::uint16_t area_code = 0;   // DAC
  std::uint8_t function_id = 0;  // FI
  BinaryData data;
  friend bool operator==(const AddressedBinary&, const AddressedBinary&) = default;
};

// Types 7 and 13: up to four acknowledged messages (3.5, 3.11).
struct Acknowledge {
  struct Entry {
    std::uint32_t mmsi = 0;
    std::uint8_t sequence = 0;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::array<Entry, 4> entries;
  std::uint8_t entry_count = 0;
  friend bool operator==(const Acknowledge&, const Acknowledge&) = default;
};

// Type 8 (3.6).
struct BroadcastBinary {
  std::uint16_t area_code = 0;
  std::uint8_t function_id = 0;
  BinaryData data;
  friend bool operator==(const BroadcastBinary&, const BroadcastBinary&) = default;
};

// Type 10 (3.8).
struct UtcInquiry {
  std::uint32_t destination_mmsi = 0;
  friend bool operator==(const UtcInquiry&, const UtcInquiry&) = default;
};

// Type 12: safety text to one station (3.10).
struct AddressedText {
  std::uint8_t sequence = 0;
  std::uint32_t destination_mmsi = 0;
  bool is_retransmit = false;
  std::string text;
  friend bool operator==(const AddressedText&, const AddressedText&) = default;
};

// Type 14: safety text to all (3.12).
struct BroadcastText {
  std::string text;
  friend bool operator==(const BroadcastText&, const BroadcastText&) = default;
};

// Type 15: asks up to two stations for messages (3.13). Zero = not asked.
struct Interrogation {
  std::uint32_t mmsi1 = 0;
  std::uint8_t type1_1 = 0;
  std::uint16_t slot_offset1_1 = 0;
  std::uint8_t type1_2 = 0;
  std::uint16_t slot_offset1_2 = 0;
  std::uint32_t mmsi2 = 0;
  std::uint8_t type2_1 = 0;
  std::uint16_t slot_offset2_1 = 0;
  friend bool operator==(const Interrogation&, const Interrogation&) = default;
};

// Type 16: reporting schedule for one or two stations (3.14).
struct ModeAssignment {
  std::uint32_t mmsi1 = 0;
  std::uint16_t slot_offset1 = 0;
  std::uint16_t increment1 = 0;
  std::uint32_t mmsi2 = 0;  // 0 = none
  std::uint16_t slot_offset2 = 0;
  std::uint16_t increment2 = 0;
  friend bool operator==(const ModeAssignment&, const ModeAssignment&) = default;
};

// Type 17: differential corrections (3.15), kept as bits.
struct GnssCorrection {
  CoarsePosition position;
  BinaryData data;
  friend bool operator==(const GnssCorrection&, const GnssCorrection&) = default;
};

// Type 20: slots reserved by base stations (3.18).
struct DataLinkManagement {
  struct Reservation {
    std::uint16_t slot_offset = 0;
    std::uint8_t slot_count = 0;
    std::uint8_t timeout_min = 0;
    std::uint16_t increment = 0;
    friend bool operator==(const Reservation&, const Reservation&) = default;
  };
  std::array<Reservation, 4> reservations;
  friend bool operator==(const DataLinkManagement&, const DataLinkManagement&) = default;
};

// Type 22: channels for an area or for two stations (3.20).
struct ChannelManagement {
  std::uint16_t channel_a = 0;
  std::uint16_t channel_b = 0;
  std::uint8_t transmit_mode = 0;
  bool is_low_power = false;
  bool is_addressed = false;
  CoarsePosition north_east;            // if not addressed
  CoarsePosition south_west;            // if not addressed
  std::uint32_t destination1_mmsi = 0;  // if addressed
  std::uint32_t destination2_mmsi = 0;  // if addressed
  bool is_channel_a_narrow = false;
  bool is_channel_b_narrow = false;
  std::uint8_t zone_size = 0;
  friend bool operator==(const ChannelManagement&, const ChannelManagement&) = default;
};

// Type 23: orders to a group of stations in an area (3.21).
struct GroupAssignment {
  CoarsePosition north_east;
  CoarsePosition south_west;
  std::uint8_t station_type = 0;
  std::uint8_t ship_type = 0;
  std::uint8_t transmit_mode = 0;
  std::uint8_t interval = 0;
  std::uint8_t quiet_time_min = 0;
  friend bool operator==(const GroupAssignment&, const GroupAssignment&) = default;
};

// Types 25 (one slot) and 26 (up to five, with communication state) (3.23, 3.24).
struct SlotBinary {
  bool is_addressed = false;
  bool is_structured = false;
  std::uint32_t destination_mmsi = 0;  // if addressed
  std::uint16_t application_id = 0;    // if structured: DAC * 64 + FI
  BinaryData data;                     // type 26: without the 20 bits of communication state
  std::uint32_t radio = 0;             // type 26 only: selector and state, 20 bits
  friend bool operator==(const SlotBinary&, const SlotBinary&) = default;
};

}  // namespace ficus::ais
