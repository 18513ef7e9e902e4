#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/schema.h"
#include "rules/rule_set.h"

namespace ficus {

// What holds from a step on, as the log knows it: that it has changed is a fact like any other.
struct Configuration {
  std::string by;  // who asked for it: "start", "operator:NAME", "signal"
  // What it consists of ("rules", "sources", "zones" ...) with a fingerprint of each, by name.
  std::vector<std::pair<std::string, std::uint64_t>> parts;

  // One word for all parts, 16 hexadecimal digits.
  std::string fingerprint() const;
};

// How two sets of rules differ, by name.
struct RuleChanges {
  std::vector<std::string> kept, changed, added, removed;
};
// REQUIRES: both sorted.
RuleChanges compare_rules(std::span<const rules::RuleKey> before,
                          std::span<const rules::RuleKey> after);

// The entity that tells which configuration holds; history keeps which one held when.
struct ConfigurationAttributes {
  TypeId type;
  AttributeId fingerprint, changed_by, rules;

  static Result<ConfigurationAttributes> declare(Schema& schema);
};
inline constexpr const char* kConfigurationId = "urn:ngsi-ld:Configuration:packs";

}  // namespace ficus
