#pragma once

#include <memory>
#include <vector>

#include "rules/compiled_rule.h"
#include "rules/rule_index.h"
#include "rules/rule_set.h"

namespace ficus::rules {

// What a RuleSet holds, for the book of this room.
struct RuleSet::Compiled {
  std::shared_ptr<const ZoneSet> zones;
  RuleLimits limits;
  std::vector<RuleFile> files;
  std::vector<CompiledRule> rules;               // by RuleId
  std::vector<std::vector<AttributeId>> wanted;  // by TypeId: what the rules over a type read
  std::vector<RuleIndex> indexes;                // by TypeId
  std::vector<RuleKey> keys;

  std::span<const AttributeId> wanted_of(TypeId type) const {
    if (type.index() >= wanted.size()) return {};
    return wanted[type.index()];
  }
};

}  // namespace ficus::rules
