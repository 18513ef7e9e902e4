#pragma once

#include <string>
#include <string_view>

#include "model/schema.h"
#include "model/zone_set.h"
#include "rules/ast.h"
#include "rules/bound.h"
#include "rules/problem.h"

namespace ficus::rules {

// What names in an expression may stand for.
struct Scope {
  std::string_view text;  // of the file, to quote from in messages
  const Schema* schema = nullptr;
  const ZoneSet* zones = nullptr;
  TypeId type;        // FROM
  std::string alias;  // of FROM, or empty
  // held and absent are allowed, joined by AND, OR and NOT: in WHERE, not in SELECT.
  bool with_memory = false;
};

// Gives every name its meaning and every expression its kind, and computes what is constant.
Parsed<BoundPtr> bind(const Expr& expr, const Scope& scope);

// "number", "text", ... for messages; quotes the expression: "speed is a number".
std::string says_kind(const Scope& scope, const Expr& expr, Kind kind);

}  // namespace ficus::rules
