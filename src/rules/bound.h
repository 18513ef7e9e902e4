#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/ids.h"
#include "model/value.h"
#include "model/zone_set.h"
#include "rules/kind.h"
#include "rules/opcode.h"

namespace ficus::rules {

// A value known at load. The member that fits the kind holds it: number for boolean, integer and
// number; micros for time and interval.
struct Constant {
  bool is_null = true;
  double number = 0;
  std::int64_t micros = 0;
  GeoPoint point;
  std::string text;
};

// Where a column comes from: an attribute, or one of the three that every entity has.
enum class ColumnSource : std::uint8_t { attribute, id, observed_at };

struct Bound;
using BoundPtr = std::unique_ptr<Bound>;

// An expression whose names and kinds are settled: what the planner turns into instructions.
struct Bound {
  Opcode op = Opcode::constant;
  Kind kind = Kind::null;
  // Of a bare column: the kind of the attribute (a relationship is a text to expressions).
  ValueKind value_kind = ValueKind::none;
  bool negated = false;
  bool tries = false;                             // of a cast
  std::uint32_t at = 0;                           // byte in the file's text
  Constant constant;                              // constant; held and absent: the interval
  ColumnSource source = ColumnSource::attribute;  // column
  AttributeId attribute;                          // column
  ZoneSelection zone;                             // within; a constant of kind zone
  std::vector<BoundPtr> args;

  bool is_constant() const { return op == Opcode::constant; }
  bool is_null_constant() const { return is_constant() && constant.is_null; }
};

}  // namespace ficus::rules
