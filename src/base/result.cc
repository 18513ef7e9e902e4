#include "base/result.h"

namespace ficus {

const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
      return "invalid_input";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::denied:
      return "denied";
    case ErrorCode::overloaded:
      return "overloaded";
    case ErrorCode::disk_full:
      return "disk_full";
    case ErrorCode::timed_out:
      return "timed_out";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::internal:
      return "internal";
  }
  std::unreachable();
}

}  // namespace ficus
