#pragma once

#include <cstdint>

#include "codec/mqtt/reason_code.h"

namespace ficus::mqtt {

// Why bytes are not a packet. `incomplete` asks for more bytes; after any other the connection must
// be closed (MQTT 5.0, 4.13), as the place of the next packet is no longer certain.
enum class DecodeError : std::uint8_t {
  incomplete,                     // no fault yet: the packet is longer than the input
  too_large,                      // longer than the receiver's limit (3.1.2.11.4)
  remaining_length_invalid,       // more than four bytes (2.1.4)
  packet_type_invalid,            // type 0, or AUTH in 3.1.1 (2.1.2)
  packet_flags_invalid,           // reserved bits of the fixed header (2.1.3)
  dup_invalid,                    // DUP set in a QoS 0 PUBLISH (3.3.1.1)
  qos_invalid,                    // QoS 3
  field_truncated,                // a field runs past the end of its packet
  trailing_bytes,                 // bytes after the last field
  integer_invalid,                // a variable byte integer too long or not minimal (1.5.5)
  utf8_invalid,                   // a text that is not UTF-8, or holds U+0000 (1.5.4)
  packet_id_zero,                 // (2.2.1)
  property_not_allowed,           // unknown, or not of this packet (2.2.2.2)
  property_duplicated,            // (2.2.2.2)
  property_value_invalid,         // outside the range its clause gives
  authentication_method_missing,  // (3.1.2.11.10, 3.15.2.2.2)
  protocol_version_unsupported,   // protocol name or level (3.1.2.1, 3.1.2.2)
  connect_flags_invalid,          // (3.1.2.3 to 3.1.2.9)
  connack_flags_invalid,          // (3.2.2.1)
  client_id_missing,              // 3.1.1: empty without a clean session (3.1.3.1)
  topic_name_invalid,             // empty, or with wildcards (3.3.2.1, 4.7)
  topic_name_missing,             // neither a name nor an alias (3.3.2.3.4)
  topic_alias_zero,               // (3.3.2.3.4)
  topic_filter_invalid,           // (4.7.1, 4.8.2)
  subscription_options_invalid,   // reserved bits (3.8.3.1)
  retain_handling_invalid,        // value 3 (3.8.3.1)
  no_local_on_shared,             // (3.8.3.1)
  payload_empty,                  // SUBSCRIBE, UNSUBSCRIBE or an answer to them without an entry
  reason_code_invalid,            // not one of this packet's codes (2.4)
};

// "property_duplicated"
const char* decode_error_name(DecodeError error);
// A sentence for the operator's log: "a property that may occur once occurs twice".
const char* decode_error_text(DecodeError error);
// What to say in CONNACK or DISCONNECT before closing (MQTT 5.0, 4.13.1). REQUIRES: error is not
// incomplete.
ReasonCode reason_code(DecodeError error);

}  // namespace ficus::mqtt
