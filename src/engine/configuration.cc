#include "engine/configuration.h"

#include <fmt/format.h>

#include <map>

#include "base/hash.h"

namespace ficus {

std::string Configuration::fingerprint() const {
  std::uint64_t hash = 0;
  for (const auto& [name, part] : parts) hash = hash_mix(hash_mix(hash, hash64(name)), part);
  return fmt::format("{:016x}", hash);
}

RuleChanges compare_rules(std::span<const rules::RuleKey> before,
                          std::span<const rules::RuleKey> after) {
  std::map<std::string, std::uint64_t> known;
  for (const rules::RuleKey& rule : before) known.emplace(rule.name, rule.hash);
  RuleChanges changes;
  for (const rules::RuleKey& rule : after) {
    const auto found = known.find(rule.name);
    if (found == known.end()) {
      changes.added.push_back(rule.name);
      continue;
    }
    (found->second == rule.hash ? changes.kept : changes.changed).push_back(rule.name);
    known.erase(found);
  }
  for (const auto& [name, hash] : known) changes.removed.push_back(name);
  return changes;
}

Result<ConfigurationAttributes> ConfigurationAttributes::declare(Schema& schema) {
  ConfigurationAttributes at;
  FICUS_TRY(at.type, schema.intern_type("Configuration"));
  const auto declare = [&](AttributeId& place, const char* name, ValueKind kind, const char* zh,
                           const char* en) -> Status {
    AttributeInfo info;
    info.name = name;
    info.kind = kind;
    info.label_zh = zh;
    info.label_en = en;
    FICUS_TRY(place, schema.declare_attribute(at.type, info));
    return {};
  };
  FICUS_TRY_VOID(declare(at.fingerprint, "fingerprint", ValueKind::text, "指纹", "fingerprint"));
  FICUS_TRY_VOID(declare(at.changed_by, "changedBy", ValueKind::text, "变更人", "changed by"));
  FICUS_TRY_VOID(declare(at.rules, "rules", ValueKind::number, "规则数", "number of rules"));
  return at;
}

}  // namespace ficus
