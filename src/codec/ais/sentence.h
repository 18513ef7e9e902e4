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

// Cuts a byte stream into lines (CR, LF or both; empty ones are not reported). A line above the
// limit is reported once, cut to the limit, and its rest skipped. One object a connection.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t line_bytes_max = kLineBytesMax);

  // Gives `bytes` to be cut. The views returned by `next` hold until the next `feed` or `finish`.
  // REQUIRES: `next` returned nothing since the last feed.
  void feed(std::string_view bytes);
  // The end of the stream or datagram ends the last line too.
  void finish();

  struct Line {
    std::string_view text;
    bool is_too_long = false;
  };
  std::optional<Line> next();

 private:
  const std::size_t line_bytes_max_;
  std::string_view input_;                  // of the present feed
  std::array<char, kLineBytesMax> held_{};  // an unfinished line
  std::size_t held_bytes_ = 0;
  bool held_is_done_ = false;  // held_ was returned by next
  bool is_finished_ = false;
  bool is_skipping_ = false;  // inside the rest of a line that is too long
};

// An IEC 61162-450 datagram begins with "UdPbC" and a zero byte: the datagram behind that.
std::string_view strip_datagram_header(std::string_view datagram);

}  // namespace ficus::ais
