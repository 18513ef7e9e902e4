#include "codec/ais/radio.h"

namespace ficus::ais {
namespace {

constexpr std::uint8_t kStateBits = 19;

}  // namespace

std::optional<SotdmaState> sotdma_state(Radio radio) {
  if (radio.bit_count != kStateBits) return std::nullopt;
  SotdmaState state;
  state.sync_state = static_cast<std::uint8_t>(radio.raw >> 17);
  state.slot_timeout = static_cast<std::uint8_t>((radio.raw >> 14) & 7U);
  const auto sub_message = static_cast<std::uint16_t>(radio.raw & 0x3fffU);
  // M.1371-5, annex 2, table 18.
  switch (state.slot_timeout) {
    case 0:
      state.slot_offset = sub_message;
      break;
    case 1:
      state.utc_hour = static_cast<std::uint8_t>(sub_message >> 9);
      state.utc_minute = static_cast<std::uint8_t>((sub_message >> 2) & 0x7fU);
      break;
    case 2:
    case 4:
    case 6:
      state.slot_number = sub_message;
      break;
    default:
      state.received_stations = sub_message;
      break;
  }
  return state;
}

std::optional<ItdmaState> itdma_state(Radio radio) {
  if (radio.bit_count != kStateBits) return std::nullopt;
  ItdmaState state;
  state.sync_state = static_cast<std::uint8_t>(radio.raw >> 17);
  state.slot_increment = static_cast<std::uint16_t>((radio.raw >> 4) & 0x1fffU);
  state.slot_count = static_cast<std::uint8_t>((radio.raw >> 1) & 7U);
  state.keeps_slot = (radio.raw & 1U) != 0;
  return state;
}

}  // namespace ficus::ais
