#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ficus::rules {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

enum class ExprKind : std::uint8_t {
  null_literal,
  boolean_literal,   // number is 0 or 1
  integer_literal,   // number
  number_literal,    // number
  text_literal,      // text
  time_literal,      // micros
  interval_literal,  // micros
  column,            // text, qualifier
  call,              // text is the function's name; args
  negate,            // args[0]
  arithmetic,        // symbol; args[0], args[1]
  concat,            // args[0] || args[1]
  compare,           // symbol; args[0], args[1]
  logical_and,       // args, two or more
  logical_or,        // args, two or more
  logical_not,       // args[0]
  is_null,           // args[0]; negated
  is_truth,          // args[0] IS [NOT] TRUE|FALSE: number is 1 or 0
  is_distinct,       // args[0] IS [NOT] DISTINCT FROM args[1]
  between,           // args[0] BETWEEN args[1] AND args[2]; negated
  in_list,           // args[0] IN (args[1], ...); negated
  like,              // args[0] LIKE args[1] [ESCAPE args[2]]; negated; ignore_case
  case_when,         // args: operand or null, then WHEN and THEN alternating, then ELSE or null
  cast,              // args[0] AS text; tries
};

enum class Symbol : std::uint8_t {
  none,
  add,
  subtract,
  multiply,
  divide,
  divide_integer,
  modulo,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
};

// What was written, not yet checked against the schema.
struct Expr {
  ExprKind kind = ExprKind::null_literal;
  Symbol symbol = Symbol::none;
  bool negated = false;
  bool ignore_case = false;
  bool tries = false;       // TRY_CAST
  std::uint16_t depth = 1;  // of the tree below, this one included
  std::uint32_t begin = 0;  // bytes in the file's text
  std::uint32_t end = 0;
  std::uint32_t at = 0;  // of the operator, for messages; begin where there is none
  double number = 0;
  std::int64_t micros = 0;
  std::string text;
  std::string qualifier;
  std::vector<ExprPtr> args;
};

struct Name {
  std::string text;
  std::uint32_t at = 0;
};

struct SelectItem {
  ExprPtr expression;
  Name alias;  // empty text: none
};

// CREATE RULE name [COMMENT 'text'] AS INSERT INTO into (columns) SELECT items FROM from [alias]
// WHERE where
struct Statement {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint64_t token_hash = 0;  // the same for texts that differ in spaces and comments only
  Name name;
  std::string comment;
  Name into;
  std::vector<Name> columns;
  std::vector<SelectItem> items;
  Name from;
  std::string alias;
  ExprPtr where;
};

}  // namespace ficus::rules
