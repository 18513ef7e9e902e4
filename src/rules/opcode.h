#pragma once

#include <cstdint>

namespace ficus::rules {

// What one instruction does with whole columns. Operands are a, b, c; the result is a register.
// "strict" operations give NULL where an operand is NULL.
enum class Opcode : std::uint8_t {
  // Leaves; not instructions.
  constant,
  column,
  // Bound forms that the planner spells out.
  logical_and,
  logical_or,
  between,
  in_list,
  case_when,
  coalesce,
  null_if,
  least,
  greatest,
  // Copies.
  load,          // a
  load_boolean,  // a column of 0 and 1 as numbers
  // Numbers, strict.
  add,
  subtract,
  multiply,
  divide,
  divide_number_floor,  // DOUBLE // DOUBLE: a plain quotient, NULL by zero
  modulo,
  negate,
  integer_add,  // beyond 2^53: failed
  integer_subtract,
  integer_multiply,
  integer_divide,
  integer_modulo,
  absolute,
  round,
  round_to,  // b: digits
  floor,
  ceiling,
  square_root,  // of a negative number: failed
  is_nan,
  // Times and intervals, strict; overflow: failed.
  time_add,
  time_subtract,
  time_negate,
  // Comparison, strict.
  number_equal,
  number_less,
  number_less_equal,
  boolean_equal,
  boolean_less,
  boolean_less_equal,
  text_equal,
  text_less,
  text_less_equal,
  time_equal,
  time_less,
  time_less_equal,
  // Comparison in which NULL equals NULL.
  number_same,
  boolean_same,
  text_same,
  time_same,
  // Truth.
  logical_not,
  is_null,
  is_true,        // never NULL
  is_false,       // never NULL
  and_into,       // result = result AND a
  or_into,        // result = result OR a
  skip_if_false,  // jumps if no row of a can still become true
  skip_if_true,
  // Choice, for values of every kind.
  choose_into,  // result = b where a is true
  fill_into,    // result = a where the result is NULL
  least_into,   // result = the lesser of result and a, NULL ignored
  greatest_into,
  null_into,   // result = NULL where a is true
  in_numbers,  // a IN a list of constants
  in_texts,
  // Texts, strict.
  concat,
  lower,
  upper,
  length,
  starts_with,
  ends_with,
  contains,
  substring,      // from b
  substring_for,  // from b, c characters
  trim,           // spaces, or the characters of b
  trim_left,
  trim_right,
  trim_of,
  trim_left_of,
  trim_right_of,
  like,  // pattern b, escape character c
  like_ignore_case,
  // Casts, strict. What cannot be cast is failed, or NULL for TRY_CAST.
  number_to_text,
  integer_to_text,
  boolean_to_text,
  time_to_text,
  text_to_number,
  text_to_boolean,
  number_to_integer,
  number_to_boolean,
  boolean_to_number,
  // Space, strict.
  make_point,  // longitude a, latitude b; outside the world: failed
  distance,
  within,  // a in any of the zones
  // With memory of earlier rows, by entity; never NULL.
  held,
  absent,
};

}  // namespace ficus::rules
