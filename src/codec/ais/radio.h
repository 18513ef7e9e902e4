#pragma once

#include <cstdint>
#include <optional>

namespace ficus::ais {

// The communication state as received: 19 bits, or fewer if the message was cut short (then `raw`
// holds those that came).
struct Radio {
  std::uint32_t raw = 0;
  std::uint8_t bit_count = 0;
  friend bool operator==(const Radio&, const Radio&) = default;
};

// A selector bit (0 = SOTDMA, 1 = ITDMA) in front of the communication state, in types 9 and 18.
struct SelectedRadio {
  std::uint32_t raw = 0;  // all 20 bits
  std::uint8_t bit_count = 0;

  bool is_itdma() const { return bit_count == 20 && (raw >> 19) != 0; }
  Radio state() const {
    return {raw & 0x7ffffU, static_cast<std::uint8_t>(bit_count > 0 ? bit_count - 1 : 0)};
  }
  friend bool operator==(const SelectedRadio&, const SelectedRadio&) = default;
};

// SOTDMA (types 1, 2, 4, 11; M.1371-5, annex 2, 3.3.7.2.1). One of the optionals is set, chosen by
// the slot time-out.
struct SotdmaState {
  std::uint8_t sync_state = 0;
  std::uint8_t slot_timeout = 0;
  std::optional<std::uint16_t> received_stations;  // time-out 3, 5, 7
  std::optional<std::uint16_t> slot_number;        // time-out 2, 4, 6
  std::optional<std::uint8_t> utc_hour;            // time-out 1
  std::optional<std::uint8_t> utc_minute;          // time-out 1
  std::optional<std::uint16_t> slot_offset;        // time-out 0
};

// ITDMA (type 3; M.1371-5, annex 2, 3.3.7.3.2).
struct ItdmaState {
  std::uint8_t sync_state = 0;
  std::uint16_t slot_increment = 0;
  std::uint8_t slot_count = 0;  // as coded: 0 = one slot ... 4 = five slots, 5 to 7 with an offset
  bool keeps_slot = false;
};

// Nothing if the communication state is incomplete.
std::optional<SotdmaState> sotdma_state(Radio radio);
std::optional<ItdmaState> itdma_state(Radio radio);

}  // namespace ficus::ais
