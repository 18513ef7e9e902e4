#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/ais/message.h"
#include "codec/ais/payload.h"

namespace ficus::ais {

struct SentenceOptions {
  std::array<char, 2> talker{'A', 'I'};
  bool is_own_ship = false;                 // VDO instead of VDM
  char channel = 'A';                       // 0 = none
  std::uint8_t sequence_id = 0;             // 0 to 9; used by messages of several sentences
  std::size_t payload_characters_max = 60;  // a sentence stays within 82 characters
};

// The bits of a message of type 1, 2, 3, 4, 5, 11, 18, 21 or 24; invalid_input for others and for a
// body that does not belong to the type. Fields too wide for their bits are cut.
Result<Payload> encode(const Message& message);

// The sentences of a payload, each with its checksum and without line end.
std::vector<std::string> to_sentences(const Payload& payload, const SentenceOptions& options);

// Both steps.
Result<std::vector<std::string>> encode_sentences(const Message& message,
                                                  const SentenceOptions& options);

// "!AIVDM,..." or "$GP..." without checksum -> with it ("*hh").
std::string with_checksum(std::string_view sentence);

}  // namespace ficus::ais
