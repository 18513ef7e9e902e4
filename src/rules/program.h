#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "model/value.h"
#include "model/zone_set.h"
#include "rules/bound.h"

namespace ficus::rules {

// Where an instruction finds a column.
struct Operand {
  enum class Source : std::uint8_t { none, register_, constant, attribute, id, observed_at };
  Source source = Source::none;
  std::uint32_t index = 0;  // of the register or constant; of an attribute: in Program::attributes

  bool is_constant() const { return source == Source::constant; }
  bool is_none() const { return source == Source::none; }
};

struct Instruction {
  Opcode op = Opcode::load;
  Kind kind = Kind::null;    // of the values moved by load, choose_into, fill_into ...
  bool tries = false;        // a cast that gives NULL instead of failing
  std::uint16_t result = 0;  // register
  Operand a;
  Operand b;
  Operand c;
  // Rows where this is false are decided by an earlier part of an AND: no need to look at them.
  Operand mask;
  std::uint32_t aux = 0;  // jump target, or index of the list, zone, held or absent condition
  std::uint32_t at = 0;   // byte in the file's text, for failures
};

// A constant in the shapes that columns have, so that instructions can point at it. Not moved once
// the program is built (`view` points into `text`).
struct ConstantCell {
  Kind kind = Kind::null;
  std::uint8_t ok = 1;
  std::uint8_t boolean = 0;
  double number = 0;
  Timestamp time;  // of an interval: its length
  GeoPoint point;
  std::string text;
  std::string_view view;
};

// The constants of an IN list, sorted; NULL among them makes "not found" NULL.
struct ConstantList {
  std::vector<double> numbers;
  std::vector<std::string> texts;
  bool has_null = false;
};

// held(condition, interval): one state for each rule that uses it.
struct HeldCondition {
  Micros interval;
};
// absent(interval)
struct AbsentCondition {
  Micros interval;
};

// One or more expressions as a list of instructions over columns. Fixed once built.
struct Program {
  std::vector<Instruction> code;
  std::deque<ConstantCell> constants;
  std::vector<ConstantList> lists;
  std::vector<ZoneSelection> zones;
  std::vector<HeldCondition> held;
  std::vector<AbsentCondition> absent;
  std::vector<AttributeId> attributes;   // that the program reads
  std::vector<std::uint16_t> positions;  // of each of them in the rows' columns; set by the book
  std::vector<Operand> results;          // one an expression
  std::vector<Kind> result_kinds;
  std::uint16_t register_count = 0;

  Program() = default;
  Program(Program&&) noexcept = default;
  Program& operator=(Program&&) noexcept = default;
  Program(const Program&) = delete;
};

}  // namespace ficus::rules
