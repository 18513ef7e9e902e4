#include "codec/ais/decoder.h"

#include "codec/ais/other_decoder.h"

namespace ficus::ais {
namespace {

using BodyResult = std::expected<Body, AisError>;

struct Length {
  std::uint16_t least;
  std::uint16_t most;
};

// Bits a type may have. The least ends before spare bits and communication state where recorded
// traffic cuts them; the most is the standard's length and, as receivers round up to whole
// characters or bytes, up to one character more.
constexpr Length length_of(int type) {
  constexpr auto kAny = static_cast<std::uint16_t>(Payload::kBitsMax);
  switch (type) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 9:
    case 11:
      return {149, 174};
    case 5:
      return {420, 432};
    case 6:
      return {88, kAny};
    case 7:
    case 13:
      return {70, 174};
    case 8:
      return {56, kAny};
    case 10:
      return {70, 80};
    case 12:
      return {72, kAny};
    case 14:
      return {40, kAny};
    case 15:
      return {88, 174};
    case 16:
      return {92, 174};
    case 17:
      return {75, kAny};
    case 18:
      return {148, 174};
    case 19:
      return {308, 318};
    case 20:
      return {70, 192};
    case 21:
      return {271, 374};
    case 22:
      return {145, 174};
    case 23:
      return {154, 174};
    case 24:
      return {160, 174};
    case 25:
      return {40, 174};
    case 26:
      return {60, kAny};
    default:
      return {95, 174};  // 27
  }
}

// M.1371-5, annex 8, table 47 on: numbers in the calls below are bit positions and widths.
class Reader {
 public:
  explicit Reader(const Payload& payload) : payload_(payload) {}

  std::uint8_t u8(std::size_t start, int width) const {
    return static_cast<std::uint8_t>(payload_.bits(start, width));
  }
  std::uint16_t u16(std::size_t start, int width) const {
    return static_cast<std::uint16_t>(payload_.bits(start, width));
  }
  std::uint32_t u32(std::size_t start, int width) const { return payload_.bits(start, width); }
  bool bit(std::size_t start) const { return payload_.bit(start); }
  std::string text(std::size_t start, int count) const { return payload_.text(start, count); }

  // No '@' ends the text before its last character.
  bool is_text_full(std::size_t start, int count) const {
    for (int i = 0; i < count; ++i) {
      if (u32(start + static_cast<std::size_t>(i) * 6, 6) == 0) return false;
    }
    return true;
  }

  Position position(std::size_t start) const {
    return {.longitude_raw = payload_.signed_bits(start, 28),
            .latitude_raw = payload_.signed_bits(start + 28, 27)};
  }
  CoarsePosition coarse_position(std::size_t start) const {
    return {.longitude_raw = payload_.signed_bits(start, 18),
            .latitude_raw = payload_.signed_bits(start + 18, 17)};
  }
  Dimensions dimensions(std::size_t start) const {
    return {.to_bow = u16(start, 9),
            .to_stern = u16(start + 9, 9),
            .to_port = u8(start + 18, 6),
            .to_starboard = u8(start + 24, 6)};
  }
  Radio radio(std::size_t start) const {
    return {.raw = u32(start, 19), .bit_count = present(start, 19)};
  }
  SelectedRadio selected_radio(std::size_t start) const {
    return {.raw = u32(start, 20), .bit_count = present(start, 20)};
  }

 private:
  std::uint8_t present(std::size_t start, std::size_t width) const {
    const std::size_t end = payload_.bit_count();
    if (end <= start) return 0;
    return static_cast<std::uint8_t>(end - start < width ? end - start : width);
  }

  const Payload& payload_;
};

PositionReport position_report(const Reader& in) {
  PositionReport out;
  out.status = in.u8(38, 4);
  out.turn.raw = static_cast<std::int8_t>(in.u8(42, 8));
  out.speed.raw = in.u16(50, 10);
  out.is_accurate = in.bit(60);
  out.position = in.position(61);
  out.course.raw = in.u16(116, 12);
  out.heading.raw = in.u16(128, 9);
  out.fix_second.raw = in.u8(137, 6);
  out.maneuver = in.u8(143, 2);
  out.spare = in.u8(145, 3);
  out.has_raim = in.bit(148);
  out.radio = in.radio(149);
  return out;
}

BaseStationReport base_station_report(const Reader& in) {
  BaseStationReport out;
  out.year = in.u16(38, 14);
  out.month = in.u8(52, 4);
  out.day = in.u8(56, 5);
  out.hour = in.u8(61, 5);
  out.minute = in.u8(66, 6);
  out.second = in.u8(72, 6);
  out.is_accurate = in.bit(78);
  out.position = in.position(79);
  out.position_device = in.u8(134, 4);
  out.controls_long_range = in.bit(138);
  out.spare = in.u16(139, 9);
  out.has_raim = in.bit(148);
  out.radio = in.radio(149);
  return out;
}

StaticVoyageData static_voyage_data(const Reader& in) {
  StaticVoyageData out;
  out.version = in.u8(38, 2);
  out.imo_number = in.u32(40, 30);
  out.call_sign = in.text(70, 7);
  out.name = in.text(112, 20);
  out.ship_type = in.u8(232, 8);
  out.dimensions = in.dimensions(240);
  out.position_device = in.u8(270, 4);
  out.eta_month = in.u8(274, 4);
  out.eta_day = in.u8(278, 5);
  out.eta_hour = in.u8(283, 5);
  out.eta_minute = in.u8(288, 6);
  out.draught.raw = in.u8(294, 8);
  out.destination = in.text(302, 20);
  out.lacks_terminal = in.bit(422);
  out.spare = in.bit(423);
  return out;
}

AircraftPosition aircraft_position(const Reader& in) {
  AircraftPosition out;
  out.altitude.raw = in.u16(38, 12);
  out.speed.raw = in.u16(50, 10);
  out.is_accurate = in.bit(60);
  out.position = in.position(61);
  out.course.raw = in.u16(116, 12);
  out.fix_second.raw = in.u8(128, 6);
  out.is_altitude_barometric = in.bit(134);
  out.spare = in.u8(135, 7);
  out.lacks_terminal = in.bit(142);
  out.spare2 = in.u8(143, 3);
  out.is_assigned = in.bit(146);
  out.has_raim = in.bit(147);
  out.radio = in.selected_radio(148);
  return out;
}

ClassBPosition class_b_position(const Reader& in) {
  ClassBPosition out;
  out.spare = in.u8(38, 8);
  out.speed.raw = in.u16(46, 10);
  out.is_accurate = in.bit(56);
  out.position = in.position(57);
  out.course.raw = in.u16(112, 12);
  out.heading.raw = in.u16(124, 9);
  out.fix_second.raw = in.u8(133, 6);
  out.spare2 = in.u8(139, 2);
  out.is_carrier_sense = in.bit(141);
  out.has_display = in.bit(142);
  out.has_dsc = in.bit(143);
  out.covers_whole_band = in.bit(144);
  out.accepts_message_22 = in.bit(145);
  out.is_assigned = in.bit(146);
  out.has_raim = in.bit(147);
  out.radio = in.selected_radio(148);
  return out;
}

ClassBExtended class_b_extended(const Reader& in) {
  ClassBExtended out;
  out.spare = in.u8(38, 8);
  out.speed.raw = in.u16(46, 10);
  out.is_accurate = in.bit(56);
  out.position = in.position(57);
  out.course.raw = in.u16(112, 12);
  out.heading.raw = in.u16(124, 9);
  out.fix_second.raw = in.u8(133, 6);
  out.spare2 = in.u8(139, 4);
  out.name = in.text(143, 20);
  out.ship_type = in.u8(263, 8);
  out.dimensions = in.dimensions(271);
  out.position_device = in.u8(301, 4);
  out.has_raim = in.bit(305);
  out.lacks_terminal = in.bit(306);
  out.is_assigned = in.bit(307);
  out.spare3 = in.u8(308, 4);
  return out;
}

AidToNavigation aid_to_navigation(const Reader& in) {
  AidToNavigation out;
  out.aid_type = in.u8(38, 5);
  out.name = in.text(43, 20);
  out.is_accurate = in.bit(163);
  out.position = in.position(164);
  out.dimensions = in.dimensions(219);
  out.position_device = in.u8(249, 4);
  out.fix_second.raw = in.u8(253, 6);
  out.is_off_position = in.bit(259);
  out.aid_status = in.u8(260, 8);
  out.has_raim = in.bit(268);
  out.is_virtual = in.bit(269);
  out.is_assigned = in.bit(270);
  out.spare = in.bit(271);
  // The extension continues a name that fills its twenty characters; a blank at their end is one
  // of the name then.
  const std::string extension = in.text(272, 14);
  if (!extension.empty() && in.is_text_full(43, 20)) {
    out.name.resize(20, ' ');
    out.name += extension;
  }
  return out;
}

StaticDataB static_data_b(const Reader& in, std::uint32_t mmsi) {
  StaticDataB out;
  out.ship_type = in.u8(40, 8);
  out.vendor_id = in.text(48, 3);
  out.unit_model = in.u8(66, 4);
  out.unit_serial = in.u32(70, 20);
  out.vendor_text = in.text(48, 7);
  out.call_sign = in.text(90, 7);
  if (is_auxiliary_craft(mmsi)) {
    out.mothership_mmsi = in.u32(132, 30);
  } else {
    out.dimensions = in.dimensions(132);
  }
  out.position_device = in.u8(162, 4);
  out.spare = in.u8(166, 2);
  return out;
}

BodyResult static_data(const Reader& in, const Payload& payload, std::uint32_t mmsi) {
  switch (in.u8(38, 2)) {
    case 0:
      return StaticDataA{.name = in.text(40, 20)};
    case 1:
      if (payload.bit_count() < 162) return std::unexpected(AisError::bad_length);
      return static_data_b(in, mmsi);
    default:
      return std::unexpected(AisError::bad_part);
  }
}

LongRangePosition long_range_position(const Reader& in) {
  LongRangePosition out;
  out.is_accurate = in.bit(38);
  out.has_raim = in.bit(39);
  out.status = in.u8(40, 4);
  out.position = in.coarse_position(44);
  out.speed.raw = in.u8(79, 6);
  out.course.raw = in.u16(85, 9);
  out.is_late = in.bit(94);
  out.spare = in.bit(95);
  return out;
}

BodyResult decode_body(int type, std::uint32_t mmsi, const Payload& payload) {
  const Reader in(payload);
  switch (type) {
    case 1:
    case 2:
    case 3:
      return position_report(in);
    case 4:
    case 11:
      return base_station_report(in);
    case 5:
      return static_voyage_data(in);
    case 9:
      return aircraft_position(in);
    case 18:
      return class_b_position(in);
    case 19:
      return class_b_extended(in);
    case 21:
      return aid_to_navigation(in);
    case 24:
      return static_data(in, payload, mmsi);
    case 27:
      return long_range_position(in);
    default:
      return decode_other(type, payload);
  }
}

}  // namespace

std::expected<Message, AisError> decode(const Payload& payload) {
  const std::size_t bit_count = payload.bit_count();
  if (bit_count < 38) return std::unexpected(AisError::bad_length);
  Message out;
  out.type = static_cast<std::uint8_t>(payload.bits(0, 6));
  if (out.type < 1 || out.type > 27) return std::unexpected(AisError::unknown_type);
  const Length length = length_of(out.type);
  if (bit_count < length.least || bit_count > length.most) {
    return std::unexpected(AisError::bad_length);
  }
  out.repeat = static_cast<std::uint8_t>(payload.bits(6, 2));
  out.mmsi = payload.bits(8, 30);
  out.bit_count = static_cast<std::uint16_t>(bit_count);
  BodyResult body = decode_body(out.type, out.mmsi, payload);
  if (!body) return std::unexpected(body.error());
  out.body = *std::move(body);
  return out;
}

}  // namespace ficus::ais
