#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace ficus::ais {

// One sentence of a group: "g:1-2-1604" (NMEA 0183 4.0, 7.9; IEC 61162-450, 7.2.3).
struct TagGroup {
  std::uint16_t sentence = 0;
  std::uint16_t sentence_count = 0;
  std::uint32_t id = 0;
  friend bool operator==(const TagGroup&, const TagGroup&) = default;
};

enum class TagState : std::uint8_t {
  absent,
  sound,
  bad_checksum,  // the sentence behind it stands for itself; what the block says is not used
  malformed,     // no '*hh' in it
};

// What stands between two backslashes in front of a sentence: where and when it was heard.
// Views into the line. Unknown codes are skipped.
struct TagBlock {
  TagState state = TagState::absent;
  std::string_view source;                  // s: station that heard it
  std::string_view destination;             // d:
  std::string_view text;                    // t: (or i:)
  std::optional<Timestamp> time;            // c: seconds, or milliseconds from 10^11 on
  std::optional<std::uint32_t> line_count;  // n:
  std::optional<TagGroup> group;            // g:
  std::string_view content;                 // all between the backslash and '*', for tag_field

  bool is_usable() const { return state == TagState::sound; }
};

// Parses what stands between the backslashes, such as "s:r003669945,c:1428621738*5F".
TagBlock parse_tag_block(std::string_view inside);

// The value of any code in a block's content; nothing if it is not there.
std::optional<std::string_view> tag_field(std::string_view content, std::string_view code);

}  // namespace ficus::ais
