#include "codec/ais/sentence.h"

#include "base/time_text.h"
#include "codec/ais/ascii.h"
#include "codec/ais/payload.h"

namespace ficus::ais {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Base stations that nobody configured send "--".
bool is_talker(std::string_view text) {
  for (const char c : text) {
    if (!is_upper(c) && !is_digit(c) && c != '-') return false;
  }
  return text.size() == 2;
}

bool is_vdm_address(std::string_view address) {
  return address.size() == 5 && is_talker(address.substr(0, 2)) &&
         (address.ends_with("VDM") || address.ends_with("VDO"));
}

// Any address a sentence may have, proprietary ones ("PGHP") included.
bool is_address(std::string_view address) {
  if (address.size() < 3 || address.size() > 12) return false;
  for (const char c : address) {
    if (!is_upper(c) && !is_digit(c)) return false;
  }
  return true;
}

// What stands between '!' or '$' and the first comma, or '*' if there is none before it.
std::string_view address_of(std::string_view line) {
  std::size_t end = 1;
  while (end < line.size() && line[end] != ',' && line[end] != '*') ++end;
  return line.substr(1, end - 1);
}

bool is_armored(std::string_view text) {
  for (const char c : text) {
    if (!((c >= '0' && c <= 'W') || (c >= '`' && c <= 'w'))) return false;
  }
  return true;
}

std::optional<std::uint8_t> parse_digit(std::string_view text, char least, char most) {
  if (text.size() != 1 || text[0] < least || text[0] > most) return std::nullopt;
  return static_cast<std::uint8_t>(text[0] - '0');
}

// The fields of VDM and VDO behind the address: parts, part, sequence id, channel, payload, fill
// bits (IEC 61162-1, 8.3.100).
std::expected<void, AisError> parse_fields(std::string_view rest, Sentence& out) {
  const auto count = parse_digit(take_until_comma(rest), '1', '9');
  const auto number = parse_digit(take_until_comma(rest), '1', '9');
  const std::string_view sequence = take_until_comma(rest);
  const std::string_view channel = take_until_comma(rest);
  out.payload = take_until_comma(rest);
  const auto fill_bits = parse_digit(rest, '0', '5');  // a seventh field would be in here
  if (!count || !number || *number > *count || !fill_bits || channel.size() > 1) {
    return std::unexpected(AisError::malformed);
  }
  out.fragment_count = *count;
  out.fragment_number = *number;
  out.fill_bits = *fill_bits;
  if (!channel.empty()) out.channel = channel[0];
  if (!sequence.empty()) {
    out.sequence_id = parse_digit(sequence, '0', '9');
    if (!out.sequence_id) return std::unexpected(AisError::malformed);
  }
  if (out.payload.empty()) return std::unexpected(AisError::empty_payload);
  if (out.payload.size() > Payload::kBitsMax / 6) return std::unexpected(AisError::too_long);
  if (!is_armored(out.payload)) return std::unexpected(AisError::bad_armor);
  return {};
}

// Shore networks append comma-separated fields: the station as 'r' or 'b' and its number, then the
// time of reception in Unix seconds. Others (signal strength, slot) are not used.
void parse_trailer(std::string_view rest, Sentence& out) {
  if (rest.empty() || rest[0] != ',') return;
  rest.remove_prefix(1);
  while (!rest.empty() && !out.trailer_time) {
    const std::string_view field = trimmed(take_until_comma(rest));
    const bool is_station = field.size() >= 4 && (field[0] == 'r' || field[0] == 'b') &&
                            (is_digit(field[1]) || is_upper(field[1]));
    if (is_station && out.trailer_station.empty()) {
      out.trailer_station = field;
    } else if (field.size() == 9 || field.size() == 10) {
      const auto seconds = parse_unsigned(field);
      if (seconds) out.trailer_time = Timestamp::from_seconds(static_cast<std::int64_t>(*seconds));
    }
  }
}

// Takes a tag block off the front of `line`. False if the second backslash is missing.
bool take_tag_block(std::string_view& line, TagBlock& out) {
  if (line.empty() || line[0] != '\\') return true;
  const std::size_t end = line.find('\\', 1);
  if (end == std::string_view::npos) return false;
  out = parse_tag_block(line.substr(1, end - 1));
  line.remove_prefix(end + 1);
  return true;
}

// What stands between '!' and '*', if the checksum behind it is right. A sentence of others may
// have a checksum of one digit or, as NMEA 0183 2.x allowed, none.
std::expected<std::string_view, AisError> checked_body(std::string_view line, bool is_vdm) {
  const std::size_t star = line.find('*');
  if (star == std::string_view::npos) {
    if (is_vdm) return std::unexpected(AisError::missing_checksum);
    return line.substr(1);
  }
  const std::string_view body = line.substr(1, star - 1);
  const std::string_view digits = line.substr(star + 1);
  std::optional<std::uint8_t> claimed = parse_hex_byte(digits);
  if (!claimed && !is_vdm && digits.size() == 1 && hex_digit(digits[0]) >= 0) {
    claimed = static_cast<std::uint8_t>(hex_digit(digits[0]));
  }
  if (!claimed) return std::unexpected(AisError::missing_checksum);
  if (*claimed != checksum(body)) return std::unexpected(AisError::bad_checksum);
  return body;
}

}  // namespace

std::string_view Sentence::station() const {
  return tag.is_usable() && !tag.source.empty() ? tag.source : trailer_station;
}

std::optional<Timestamp> Sentence::time() const {
  return tag.is_usable() && tag.time ? tag.time : trailer_time;
}

std::expected<Sentence, AisError> parse_sentence(std::string_view line) {
  if (line.size() > kLineBytesMax) return std::unexpected(AisError::too_long);
  line = trimmed(line);
  if (line.empty()) return std::unexpected(AisError::blank_line);
  if (line[0] == '#') return std::unexpected(AisError::comment);
  Sentence out;
  if (!take_tag_block(line, out.tag)) return std::unexpected(AisError::not_sentence);
  if (line.empty() && out.tag.is_usable()) return std::unexpected(AisError::not_ais);
  if (line.empty() || (line[0] != '!' && line[0] != '$')) {
    return std::unexpected(AisError::not_sentence);
  }
  const std::string_view address = address_of(line);
  const bool is_vdm = line[0] == '!' && is_vdm_address(address);
  const auto body = checked_body(line, is_vdm);
  if (!body) return std::unexpected(body.error());
  if (!is_vdm) {
    return std::unexpected(is_address(address) ? AisError::not_ais : AisError::not_sentence);
  }
  if (body->size() <= address.size()) return std::unexpected(AisError::malformed);
  const auto fields = parse_fields(body->substr(address.size() + 1), out);
  if (!fields) return std::unexpected(fields.error());
  out.talker = {address[0], address[1]};
  out.is_own_ship = address.ends_with("VDO");
  parse_trailer(line.substr(body->size() + 4), out);  // '!', body, '*' and two digits
  return out;
}

std::optional<std::uint8_t> claimed_checksum(std::string_view line) {
  const std::size_t begin = line.find('!');
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t star = line.find('*', begin);
  if (star == std::string_view::npos) return std::nullopt;
  return parse_hex_byte(line.substr(star + 1));
}

// $PGHP,1,year,month,day,hour,minute,second,millisecond,country,region,station,online,checksum*hh
std::optional<GatehouseStamp> parse_gatehouse(std::string_view line) {
  line = trimmed(line);
  if (line.size() > kLineBytesMax || !line.starts_with("$PGHP,1,")) return std::nullopt;
  const auto body = checked_body(line, false);
  if (!body) return std::nullopt;
  std::string_view rest = body->substr(std::string_view("PGHP,1,").size());
  std::array<int, 7> parts{};
  for (int& part : parts) {
    const auto value = parse_unsigned(take_until_comma(rest));
    if (!value || *value > 9999) return std::nullopt;
    part = static_cast<int>(*value);
  }
  if (parts[6] > 999) return std::nullopt;
  const auto time = from_civil({.year = parts[0],
                                .month = parts[1],
                                .day = parts[2],
                                .hour = parts[3],
                                .minute = parts[4],
                                .second = parts[5],
                                .micros = parts[6] * 1000});
  if (!time) return std::nullopt;
  take_until_comma(rest);  // country
  take_until_comma(rest);  // region
  const auto station = parse_unsigned(take_until_comma(rest));
  take_until_comma(rest);  // online or stored
  const auto sum = parse_hex_byte(take_until_comma(rest));
  if (!sum) return std::nullopt;
  GatehouseStamp stamp{.time = *time, .station_mmsi = 0, .sentence_checksum = *sum};
  if (station && *station <= 999'999'999) stamp.station_mmsi = static_cast<std::uint32_t>(*station);
  return stamp;
}

}  // namespace ficus::ais
