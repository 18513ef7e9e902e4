#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/schema.h"
#include "model/zone_set.h"
#include "rules/ast.h"
#include "rules/guard.h"
#include "rules/problem.h"
#include "rules/program.h"
#include "rules/rule_book.h"

namespace ficus::rules {

// One column that a rule writes.
struct Output {
  AttributeId attribute;
  ValueKind kind = ValueKind::none;
  bool is_constant = false;
  Value constant;
  std::uint32_t result = 0;  // otherwise: which result of CompiledRule::select
};

// A rule checked against the schema and turned into programs. Has no state.
struct CompiledRule {
  RuleInfo info;
  std::uint64_t token_hash = 0;
  Program condition;  // one result
  std::vector<Guard> guards;
  Program select;  // one result for each output that is not constant
  std::vector<Output> outputs;
};

// How many attributes each type had before the rules were loaded, by TypeId. A new name that is
// near one of these is taken for a slip of the pen; new names may resemble each other.
using DeclaredCounts = std::vector<std::uint32_t>;
DeclaredCounts declared_counts(const Schema& schema);

// `text` is the whole file, for messages; the rule's file and line are left to the caller. Adds the
// INTO type and columns to the schema if they are not known, once the rule is right in all else.
Parsed<CompiledRule> compile_statement(const Statement& statement, std::string_view text,
                                       Schema& schema, const ZoneSet& zones,
                                       const DeclaredCounts& declared);

}  // namespace ficus::rules
