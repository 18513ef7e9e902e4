#include "model/value.h"

#include <utility>

namespace ficus {

const char* value_kind_name(ValueKind kind) {
  switch (kind) {
    case ValueKind::none:
      return "none";
    case ValueKind::boolean:
      return "boolean";
    case ValueKind::number:
      return "number";
    case ValueKind::text:
      return "text";
    case ValueKind::time:
      return "time";
    case ValueKind::point:
      return "point";
    case ValueKind::geometry:
      return "geometry";
    case ValueKind::relationship:
      return "relationship";
    case ValueKind::json:
      return "json";
  }
  std::unreachable();
}

}  // namespace ficus
