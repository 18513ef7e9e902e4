#pragma once

#include <expected>

#include "codec/ais/error.h"
#include "codec/ais/message.h"
#include "codec/ais/payload.h"

namespace ficus::ais {

// The message in a payload, or unknown_type, bad_length, bad_part. Shorter than the standard is
// accepted where only spare bits or the communication state are cut, longer where a sender padded
// (decoder.cc has the table); both are met in recorded traffic.
std::expected<Message, AisError> decode(const Payload& payload);

}  // namespace ficus::ais
