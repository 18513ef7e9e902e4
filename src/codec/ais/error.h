#pragma once

#include <cstdint>
#include <string_view>

namespace ficus::ais {

// Why a line, a set of fragments or a payload did not become a message. The caller's books are kept
// by these: the first three are no failure (there is nothing in the line for us), the rest are.
enum class AisError : std::uint8_t {
  blank_line,
  comment,             // begins with '#'
  not_ais,             // a sound NMEA sentence with another formatter than VDM or VDO
  not_sentence,        // no '!' or '$' where a sentence has to begin
  too_long,            // line or payload above its limit
  missing_checksum,    // no '*hh' at its end
  bad_checksum,        // '*hh' differs from the exclusive-or of the characters
  malformed,           // VDM or VDO whose fields are not as IEC 61162-1 has them
  empty_payload,       // VDM or VDO without a single payload character
  bad_armor,           // a payload character outside '0'..'W' and '`'..'w'
  orphan_fragment,     // a later part whose earlier part was not seen
  duplicate_fragment,  // this part was already held
  unknown_type,        // message type 0 or above 27
  bad_length,          // more or fewer bits than the type can have
  bad_part,            // type 24 with a part number above 1
};

inline constexpr std::uint8_t kAisErrorCount = 15;

// "bad_checksum" and so on: for metrics and quarantine.
std::string_view name(AisError error);

// True for lines that carry nothing for us and are no failure.
constexpr bool is_ignorable(AisError error) { return error <= AisError::not_ais; }

}  // namespace ficus::ais
