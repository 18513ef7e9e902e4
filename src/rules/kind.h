#pragma once

#include <cstdint>

#include "model/value.h"

namespace ficus::rules {

// The kinds of expressions, decided before anything runs. An integer is a number that is known to
// be whole: it is computed in doubles as well, but printed and divided as DuckDB does with BIGINT.
enum class Kind : std::uint8_t {
  null,  // a bare NULL: becomes whatever stands beside it
  boolean,
  integer,
  number,
  text,
  time,
  interval,
  point,
  zone,  // zone('name'): only inside within()
};

constexpr bool is_numeric(Kind kind) { return kind == Kind::integer || kind == Kind::number; }

constexpr const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::null:
      return "NULL";
    case Kind::boolean:
      return "boolean";
    case Kind::integer:
    case Kind::number:
      return "number";
    case Kind::text:
      return "text";
    case Kind::time:
      return "time";
    case Kind::interval:
      return "interval";
    case Kind::point:
      return "point";
    case Kind::zone:
      return "zone";
  }
  return "";
}

constexpr Kind kind_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::none:
      return Kind::null;
    case ValueKind::boolean:
      return Kind::boolean;
    case ValueKind::number:
      return Kind::number;
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return Kind::text;
    case ValueKind::time:
      return Kind::time;
    case ValueKind::point:
      return Kind::point;
  }
  return Kind::null;
}

}  // namespace ficus::rules
