#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/disk.h"
#include "codec/yaml/yaml_map.h"
#include "connect/mapping/value_rule.h"
#include "model/schema.h"

namespace ficus::connect {

// What the loaders of one source's mapping have in common. Borrows everything; short-lived.
struct RuleContext {
  Mistakes& mistakes;
  Schema& schema;
  Disk& disk;  // for time zones
  const std::string& zone_directory;
  std::span<const std::string> placeholders;  // names, in order
  std::size_t levels = 1;                     // of an item: 1 + how often `items` fans out

  // "sources.yaml:12: ", for the reasons of quarantined items.
  std::string where(YamlPlace place) const;
};

// An attribute as the mapping declares it: what the schema has to know beside the rule.
struct LoadedAttribute {
  ValueRule rule;
  std::string unit_code;  // empty: none given, or the schema has it already
};

// Reads `speed: {path: $.spd, from_unit: KNT}`. `declared` is what types.yaml says of the
// attribute, or null. Nothing after reported mistakes that leave no rule.
std::optional<LoadedAttribute> load_attribute(std::string_view name, const YamlNode& node,
                                              const AttributeInfo* declared,
                                              const RuleContext& context);

// Reads the keys path, placeholder and template of a map, of which one must be there.
bool load_scalar_source(YamlMap& map, const RuleContext& context, ValueRule& rule);
// Reads the keys format, pattern and zone.
void load_time_format(YamlMap& map, bool has_fields, const RuleContext& context, ValueRule& rule);
// Reads the key fields: {year: $.y, ...}; false if there is no such key.
bool load_time_fields(YamlMap& map, const RuleContext& context, ValueRule& rule);
// Reads the key missing_values.
void load_missing_values(YamlMap& map, const RuleContext& context, ValueRule& rule);

std::optional<ValuePath> load_path(const YamlNode& node, const RuleContext& context);
std::optional<TextTemplate> load_template(const YamlNode& node, const RuleContext& context);
std::optional<std::size_t> load_placeholder(const YamlNode& node, const RuleContext& context);
// A scalar as canonical_text() would give it for the same value in a payload.
std::string canonical_scalar(std::string_view text, bool is_quoted);

// Reports a name that no attribute can have; true if it is one.
bool check_attribute_name(std::string_view name, YamlPlace place, Mistakes& mistakes);

std::optional<ValueKind> value_kind_from_name(std::string_view name);

}  // namespace ficus::connect
