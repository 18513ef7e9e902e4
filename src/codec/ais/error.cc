#include "codec/ais/error.h"

#include <utility>

namespace ficus::ais {

std::string_view name(AisError error) {
  switch (error) {
    case AisError::blank_line:
      return "blank_line";
    case AisError::comment:
      return "comment";
    case AisError::not_ais:
      return "not_ais";
    case AisError::not_sentence:
      return "not_sentence";
    case AisError::too_long:
      return "too_long";
    case AisError::missing_checksum:
      return "missing_checksum";
    case AisError::bad_checksum:
      return "bad_checksum";
    case AisError::malformed:
      return "malformed";
    case AisError::empty_payload:
      return "empty_payload";
    case AisError::bad_armor:
      return "bad_armor";
    case AisError::orphan_fragment:
      return "orphan_fragment";
    case AisError::duplicate_fragment:
      return "duplicate_fragment";
    case AisError::unknown_type:
      return "unknown_type";
    case AisError::bad_length:
      return "bad_length";
    case AisError::bad_part:
      return "bad_part";
  }
  std::unreachable();
}

}  // namespace ficus::ais
