#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "codec/ais/error.h"
#include "codec/ais/tag_block.h"

namespace ficus::ais {

inline constexpr std::size_t kLineBytesMax = 1024;

// One VDM or VDO sentence (IEC 61162-1, 8.3.100). Any talker: AI mobile, AB and BS base station,
// AD dependent base station, AN aid to navigation, AR receiver, AS limited base, AT transmitter,
// AX repeater, SA shore. Views into the line: use before the line goes.
struct Sentence {
  std::array<char, 2> talker{};
  bool is_own_ship = false;         // VDO
  std::uint8_t fragment_count = 1;  // 1 to 9
  std::uint8_t fragment_number = 1;
  std::optional<std::uint8_t> sequence_id;  // 0 to 9
  char channel = 0;                         // 'A', 'B', '1', '2' ... as sent; 0 = none
  std::string_view payload;
  std::uint8_t fill_bits = 0;
  TagBlock tag;
  // What some shore networks append behind the checksum (",r003669945,1325394109").
  std::string_view trailer_station;
  std::optional<Timestamp> trailer_time;

  // Of a sound tag block, else of the trailer.
  std::string_view station() const;
  std::optional<Timestamp> time() const;
};

// Takes one line without its line end. Exactly one answer a line, never more than
// kLineBytesMax bytes looked at.
std::expected<Sentence, AisError> parse_sentence(std::string_view line);

// Gatehouse's "$PGHP" sentence: the time, station and checksum of the sentence in the next line.
struct GatehouseStamp {
  Timestamp time;
  std::uint32_t station_mmsi = 0;  // 0 = none given
  std::uint8_t sentence_checksum = 0;
};
std::optional<GatehouseStamp> parse_gatehouse(std::string_view line);

// The checksum a sentence claims, of its last '*hh'; nothing if it has none.
std::optional<std::uint8_t> claimed_checksum(std::string_view line);

}  // namespace ficus::ais
