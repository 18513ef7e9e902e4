#include "codec/ais/other_decoder.h"

#include <algorithm>

#include "base/check.h"

namespace ficus::ais {
namespace {

// Bit positions and widths below are those of M.1371-5, annex 8, tables 54 to 79.

std::uint8_t u8(const Payload& in, std::size_t start, int width) {
  return static_cast<std::uint8_t>(in.bits(start, width));
}
std::uint16_t u16(const Payload& in, std::size_t start, int width) {
  return static_cast<std::uint16_t>(in.bits(start, width));
}

CoarsePosition coarse_position(const Payload& in, std::size_t start) {
  return {.longitude_raw = in.signed_bits(start, 18),
          .latitude_raw = in.signed_bits(start + 18, 17)};
}

// The bits from `start` up to `end`; none if there are none.
BinaryData binary(const Payload& in, std::size_t start, std::size_t end) {
  BinaryData data;
  if (end <= start) return data;
  data.bit_count = static_cast<std::uint16_t>(end - start);
  data.bytes.reserve((end - start + 7) / 8);
  for (std::size_t at = start; at < end; at += 8) {
    const int width = static_cast<int>(std::min<std::size_t>(8, end - at));
    data.bytes.push_back(static_cast<std::uint8_t>(in.bits(at, width) << (8 - width)));
  }
  return data;
}

std::string text_from(const Payload& in, std::size_t start) {
  return in.text(start, static_cast<int>((in.bit_count() - start) / 6));
}

AddressedBinary addressed_binary(const Payload& in) {
  return {.sequence = u8(in, 38, 2),
          .destination_mmsi = in.bits(40, 30),
          .is_retransmit = in.bit(70),
          .area_code = u16(in, 72, 10),
          .function_id = u8(in, 82, 6),
          .data = binary(in, 88, in.bit_count())};
}

BroadcastBinary broadcast_binary(const Payload& in) {
  return {.area_code = u16(in, 40, 10),
          .function_id = u8(in, 50, 6),
          .data = binary(in, 56, in.bit_count())};
}

Acknowledge acknowledge(const Payload& in) {
  Acknowledge out;
  // An entry is there if its 30 bits of MMSI are: senders cut the last sequence number.
  while (out.entry_count < out.entries.size()) {
    const std::size_t start = 40 + 32 * std::size_t{out.entry_count};
    if (start + 30 > in.bit_count()) break;
    out.entries[out.entry_count] = {.mmsi = in.bits(start, 30), .sequence = u8(in, start + 30, 2)};
    ++out.entry_count;
  }
  return out;
}

Interrogation interrogation(const Payload& in) {
  Interrogation out;
  out.mmsi1 = in.bits(40, 30);
  out.type1_1 = u8(in, 70, 6);
  out.slot_offset1_1 = u16(in, 76, 12);
  if (in.bit_count() >= 108) {
    out.type1_2 = u8(in, 90, 6);
    out.slot_offset1_2 = u16(in, 96, 12);
  }
  if (in.bit_count() >= 158) {
    out.mmsi2 = in.bits(110, 30);
    out.type2_1 = u8(in, 140, 6);
    out.slot_offset2_1 = u16(in, 146, 12);
  }
  return out;
}

ModeAssignment mode_assignment(const Payload& in) {
  ModeAssignment out;
  out.mmsi1 = in.bits(40, 30);
  out.slot_offset1 = u16(in, 70, 12);
  out.increment1 = u16(in, 82, 10);
  if (in.bit_count() >= 144) {
    out.mmsi2 = in.bits(92, 30);
    out.slot_offset2 = u16(in, 122, 12);
    out.increment2 = u16(in, 134, 10);
  }
  return out;
}

DataLinkManagement data_link_management(const Payload& in) {
  DataLinkManagement out;
  std::size_t start = 40;
  for (DataLinkManagement::Reservation& reservation : out.reservations) {
    if (start + 30 > in.bit_count()) break;
    reservation = {.slot_offset = u16(in, start, 12),
                   .slot_count = u8(in, start + 12, 4),
                   .timeout_min = u8(in, start + 16, 3),
                   .increment = u16(in, start + 19, 11)};
    start += 30;
  }
  return out;
}

ChannelManagement channel_management(const Payload& in) {
  ChannelManagement out;
  out.channel_a = u16(in, 40, 12);
  out.channel_b = u16(in, 52, 12);
  out.transmit_mode = u8(in, 64, 4);
  out.is_low_power = in.bit(68);
  out.is_addressed = in.bit(139);
  if (out.is_addressed) {
    out.destination1_mmsi = in.bits(69, 30);
    out.destination2_mmsi = in.bits(104, 30);
  } else {
    out.north_east = coarse_position(in, 69);
    out.south_west = coarse_position(in, 104);
  }
  out.is_channel_a_narrow = in.bit(140);
  out.is_channel_b_narrow = in.bit(141);
  out.zone_size = u8(in, 142, 3);
  return out;
}

GroupAssignment group_assignment(const Payload& in) {
  return {.north_east = coarse_position(in, 40),
          .south_west = coarse_position(in, 75),
          .station_type = u8(in, 110, 4),
          .ship_type = u8(in, 114, 8),
          .transmit_mode = u8(in, 144, 2),
          .interval = u8(in, 146, 4),
          .quiet_time_min = u8(in, 150, 4)};
}

// `radio_bits`: 20 of communication state at the end of type 26, none in type 25.
std::expected<Body, AisError> slot_binary(const Payload& in, std::size_t radio_bits) {
  SlotBinary out;
  out.is_addressed = in.bit(38);
  out.is_structured = in.bit(39);
  std::size_t start = 40;
  if (out.is_addressed) {
    out.destination_mmsi = in.bits(start, 30);
    start += 30;
  }
  if (out.is_structured) {
    out.application_id = u16(in, start, 16);
    start += 16;
  }
  if (start + radio_bits > in.bit_count()) return std::unexpected(AisError::bad_length);
  const std::size_t end = in.bit_count() - radio_bits;
  out.data = binary(in, start, end);
  out.radio = in.bits(end, static_cast<int>(radio_bits));
  return out;
}

}  // namespace

std::expected<Body, AisError> decode_other(int type, const Payload& payload) {
  switch (type) {
    case 6:
      return addressed_binary(payload);
    case 7:
    case 13:
      return acknowledge(payload);
    case 8:
      return broadcast_binary(payload);
    case 10:
      return UtcInquiry{.destination_mmsi = payload.bits(40, 30)};
    case 12:
      return AddressedText{.sequence = u8(payload, 38, 2),
                           .destination_mmsi = payload.bits(40, 30),
                           .is_retransmit = payload.bit(70),
                           .text = text_from(payload, 72)};
    case 14:
      return BroadcastText{.text = text_from(payload, 40)};
    case 15:
      return interrogation(payload);
    case 16:
      return mode_assignment(payload);
    case 17:
      return GnssCorrection{.position = coarse_position(payload, 40),
                            .data = binary(payload, 80, payload.bit_count())};
    case 20:
      return data_link_management(payload);
    case 22:
      return channel_management(payload);
    case 23:
      return group_assignment(payload);
    case 25:
      return slot_binary(payload, 0);
    case 26:
      return slot_binary(payload, 20);
    default:
      FICUS_CHECK(false);
  }
}

}  // namespace ficus::ais
