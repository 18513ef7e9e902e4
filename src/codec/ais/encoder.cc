#include "codec/ais/encoder.h"

#include <algorithm>

#include "base/check.h"
#include "codec/ais/ascii.h"

namespace ficus::ais {
namespace {

// Signed fields go out in two's complement, cut to their width by Payload::append.
std::uint32_t two_complement(std::int32_t value) { return static_cast<std::uint32_t>(value); }

void put_position(Payload& out, const Position& position) {
  out.append(two_complement(position.longitude_raw), 28);
  out.append(two_complement(position.latitude_raw), 27);
}

void put_dimensions(Payload& out, const Dimensions& dimensions) {
  out.append(dimensions.to_bow, 9);
  out.append(dimensions.to_stern, 9);
  out.append(dimensions.to_port, 6);
  out.append(dimensions.to_starboard, 6);
}

void put_body(Payload& out, const PositionReport& body) {
  out.append(body.status, 4);
  out.append(two_complement(body.turn.raw), 8);
  out.append(body.speed.raw, 10);
  out.append(body.is_accurate, 1);
  put_position(out, body.position);
  out.append(body.course.raw, 12);
  out.append(body.heading.raw, 9);
  out.append(body.fix_second.raw, 6);
  out.append(body.maneuver, 2);
  out.append(body.spare, 3);
  out.append(body.has_raim, 1);
  out.append(body.radio.raw, 19);
}

void put_body(Payload& out, const BaseStationReport& body) {
  out.append(body.year, 14);
  out.append(body.month, 4);
  out.append(body.day, 5);
  out.append(body.hour, 5);
  out.append(body.minute, 6);
  out.append(body.second, 6);
  out.append(body.is_accurate, 1);
  put_position(out, body.position);
  out.append(body.position_device, 4);
  out.append(body.controls_long_range, 1);
  out.append(body.spare, 9);
  out.append(body.has_raim, 1);
  out.append(body.radio.raw, 19);
}

void put_body(Payload& out, const StaticVoyageData& body) {
  out.append(body.version, 2);
  out.append(body.imo_number, 30);
  out.append_text(body.call_sign, 7);
  out.append_text(body.name, 20);
  out.append(body.ship_type, 8);
  put_dimensions(out, body.dimensions);
  out.append(body.position_device, 4);
  out.append(body.eta_month, 4);
  out.append(body.eta_day, 5);
  out.append(body.eta_hour, 5);
  out.append(body.eta_minute, 6);
  out.append(body.draught.raw, 8);
  out.append_text(body.destination, 20);
  out.append(body.lacks_terminal, 1);
  out.append(body.spare, 1);
}

void put_body(Payload& out, const ClassBPosition& body) {
  out.append(body.spare, 8);
  out.append(body.speed.raw, 10);
  out.append(body.is_accurate, 1);
  put_position(out, body.position);
  out.append(body.course.raw, 12);
  out.append(body.heading.raw, 9);
  out.append(body.fix_second.raw, 6);
  out.append(body.spare2, 2);
  out.append(body.is_carrier_sense, 1);
  out.append(body.has_display, 1);
  out.append(body.has_dsc, 1);
  out.append(body.covers_whole_band, 1);
  out.append(body.accepts_message_22, 1);
  out.append(body.is_assigned, 1);
  out.append(body.has_raim, 1);
  out.append(body.radio.raw, 20);
}

void put_body(Payload& out, const AidToNavigation& body) {
  out.append(body.aid_type, 5);
  out.append_text(body.name, 20);
  out.append(body.is_accurate, 1);
  put_position(out, body.position);
  put_dimensions(out, body.dimensions);
  out.append(body.position_device, 4);
  out.append(body.fix_second.raw, 6);
  out.append(body.is_off_position, 1);
  out.append(body.aid_status, 8);
  out.append(body.has_raim, 1);
  out.append(body.is_virtual, 1);
  out.append(body.is_assigned, 1);
  out.append(body.spare, 1);
  if (body.name.size() > 20) {
    const std::size_t extension = std::min<std::size_t>(body.name.size() - 20, 14);
    out.append_text(std::string_view(body.name).substr(20), static_cast<int>(extension));
    // The message ends on a byte (M.1371-5, annex 8, table 73, note 5).
    out.append(0, static_cast<int>((8 - out.bit_count() % 8) % 8));
  }
}

void put_body(Payload& out, const StaticDataA& body) {
  out.append(0, 2);
  out.append_text(body.name, 20);
}

void put_body(Payload& out, const StaticDataB& body) {
  out.append(1, 2);
  out.append(body.ship_type, 8);
  out.append_text(body.vendor_id, 3);
  out.append(body.unit_model, 4);
  out.append(body.unit_serial, 20);
  out.append_text(body.call_sign, 7);
  if (body.mothership_mmsi != 0) {
    out.append(body.mothership_mmsi, 30);
  } else {
    put_dimensions(out, body.dimensions);
  }
  out.append(body.position_device, 4);
  out.append(body.spare, 2);
}

template <typename T>
bool put_if(Payload& out, const Body& body) {
  const T* value = std::get_if<T>(&body);
  if (value == nullptr) return false;
  put_body(out, *value);
  return true;
}

}  // namespace

Result<Payload> encode(const Message& message) {
  Payload out;
  out.append(message.type, 6);
  out.append(message.repeat, 2);
  out.append(message.mmsi, 30);
  bool is_done = false;
  switch (message.type) {
    case 1:
    case 2:
    case 3:
      is_done = put_if<PositionReport>(out, message.body);
      break;
    case 4:
    case 11:
      is_done = put_if<BaseStationReport>(out, message.body);
      break;
    case 5:
      is_done = put_if<StaticVoyageData>(out, message.body);
      break;
    case 18:
      is_done = put_if<ClassBPosition>(out, message.body);
      break;
    case 21:
      is_done = put_if<AidToNavigation>(out, message.body);
      break;
    case 24:
      is_done = put_if<StaticDataA>(out, message.body) || put_if<StaticDataB>(out, message.body);
      break;
    default:
      return invalid("AIS messages of type " + std::to_string(message.type) +
                     " are not encoded: use 1 to 5, 11, 18, 21 or 24");
  }
  const auto* static_b = std::get_if<StaticDataB>(&message.body);
  if (is_done && static_b != nullptr && static_b->mothership_mmsi != 0 &&
      !is_auxiliary_craft(message.mmsi)) {
    return invalid("only an auxiliary craft (MMSI 98xxxxxxx) has a mother ship, not " +
                   mmsi_text(message.mmsi));
  }
  if (!is_done) {
    return invalid("the body of the AIS message does not belong to type " +
                   std::to_string(message.type));
  }
  return out;
}

std::string with_checksum(std::string_view sentence) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const std::uint8_t sum = checksum(sentence.substr(sentence.empty() ? 0 : 1));
  std::string out(sentence);
  out += '*';
  out += kDigits[sum >> 4U];
  out += kDigits[sum & 15U];
  return out;
}

std::vector<std::string> to_sentences(const Payload& payload, const SentenceOptions& options) {
  FICUS_CHECK(options.payload_characters_max >= 1 && options.sequence_id <= 9);
  int fill_bits = 0;
  const std::string armored = payload.armored(fill_bits);
  const std::size_t limit = std::max(options.payload_characters_max, (armored.size() + 8) / 9);
  const std::size_t count = std::max<std::size_t>(1, (armored.size() + limit - 1) / limit);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) {
    std::string line = "!";
    line.append(options.talker.data(), options.talker.size());
    line += options.is_own_ship ? "VDO," : "VDM,";
    line += std::to_string(count) + ',' + std::to_string(i + 1) + ',';
    if (count > 1) line += std::to_string(options.sequence_id);
    line += ',';
    if (options.channel != 0) line += options.channel;
    line += ',';
    line += armored.substr(i * limit, limit);
    line += ',';
    line += std::to_string(i + 1 == count ? fill_bits : 0);
    out.push_back(with_checksum(line));
  }
  return out;
}

Result<std::vector<std::string>> encode_sentences(const Message& message,
                                                  const SentenceOptions& options) {
  FICUS_TRY(const Payload payload, encode(message));
  return to_sentences(payload, options);
}

}  // namespace ficus::ais
