#pragma once

#include <expected>

#include "codec/ais/error.h"
#include "codec/ais/message.h"
#include "codec/ais/payload.h"

namespace ficus::ais {

// The body of types 6, 7, 8, 10, 12 to 17, 20, 22, 23, 25 and 26; for `decode` only, which has
// checked the length. REQUIRES: type is one of these.
std::expected<Body, AisError> decode_other(int type, const Payload& payload);

}  // namespace ficus::ais
