#pragma once

#include <optional>

#include "connect/mapping/item_rule.h"
#include "connect/mapping/value_rule_loader.h"

namespace ficus::connect {

// Reads one `map:` of a source; the attributes are interned in the schema. Nothing after reported
// mistakes.
std::optional<ItemRule> load_item_rule(const YamlNode& node, RuleContext context);

}  // namespace ficus::connect
