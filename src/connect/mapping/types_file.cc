#include "connect/mapping/types_file.h"

#include <fmt/format.h>

#include "codec/yaml/yaml_map.h"
#include "connect/mapping/value_rule_loader.h"

namespace ficus::connect {
namespace {

constexpr int kDecimalsMax = 15;

bool is_unit_code(std::string_view code) {
  if (code.size() < 2 || code.size() > 3) return false;
  for (const char c : code) {
    if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

std::optional<AttributeInfo> load_declaration(const std::string& name, const YamlNode& node,
                                              Mistakes& mistakes) {
  AttributeInfo info;
  info.name = name;
  YamlMap map(node, fmt::format("attribute '{}'", name), mistakes);
  const YamlNode* kind_node = map.require("kind",
                                          "one of number, text, boolean, time, point, "
                                          "geometry, relationship, json");
  const auto unit = map.text("unit");
  const auto decimals = map.integer("decimals", 0, kDecimalsMax);
  const Label label = map.label();
  map.finish();
  if (kind_node == nullptr) return std::nullopt;
  const auto kind = value_kind_from_name(kind_node->text);
  if (!kind) {
    mistakes.add(
        kind_node->place,
        fmt::format("unknown kind '{}': {}", kind_node->text,
                    expected_one_of(kind_node->text, {"number", "text", "boolean", "time", "point",
                                                      "geometry", "relationship", "json"})));
    return std::nullopt;
  }
  info.kind = *kind;
  const bool may_have_decimals = *kind == ValueKind::number || *kind == ValueKind::point;
  if ((unit && *kind != ValueKind::number) || (decimals && !may_have_decimals)) {
    mistakes.add(node.place,
                 fmt::format("'unit' is for numbers and 'decimals' for numbers and points, but "
                             "'{}' is a {}",
                             name, value_kind_name(*kind)));
  }
  if (unit && !is_unit_code(*unit)) {
    mistakes.add(
        node.find("unit")->place,
        fmt::format("'{}' is not a unit: expected a UN/CEFACT common code such as KMH", *unit));
  }
  info.unit_code = unit.value_or("");
  info.decimals = decimals.value_or(-1);
  info.label_zh = label.zh;
  info.label_en = label.en;
  return info;
}

void load_type(const YamlNode::Key& key, const YamlNode& node, Schema& schema, Mistakes& mistakes,
               std::vector<TypeDeclaration>& types) {
  YamlMap map(node, fmt::format("type '{}'", key.text), mistakes);
  TypeDeclaration type;
  type.name = key.text;
  type.label = map.label();
  const YamlNode* attributes = map.find("attributes");
  map.finish();
  const auto id = schema.intern_type(key.text);
  if (!id) return mistakes.add(key.place, id.error().message);
  type.id = *id;
  types.push_back(type);
  if (attributes == nullptr || attributes->kind == YamlNode::Kind::null) return;
  if (attributes->kind != YamlNode::Kind::map) {
    return mistakes.add(attributes->place, fmt::format("expected a map of attributes, found {}",
                                                       yaml_kind_name(attributes->kind)));
  }
  for (std::size_t i = 0; i < attributes->children.size(); ++i) {
    const YamlNode::Key& name = attributes->keys[i];
    if (!check_attribute_name(name.text, name.place, mistakes)) continue;
    const auto info = load_declaration(name.text, attributes->children[i], mistakes);
    if (!info) continue;
    const auto declared = schema.declare_attribute(type.id, *info);
    if (!declared) mistakes.add(name.place, declared.error().message);
  }
}

}  // namespace

Result<TypesFile> TypesFile::load(std::string_view text, std::string_view file, Schema& schema) {
  Mistakes mistakes(file);
  TypesFile result;
  YamlNode root;
  if (parse_yaml(text, root, mistakes) && root.kind != YamlNode::Kind::null) {
    YamlMap map(root, "the file", mistakes);
    const YamlNode* types = map.require("types", "a map of entity types");
    map.finish();
    if (types != nullptr && types->kind == YamlNode::Kind::map) {
      for (std::size_t i = 0; i < types->children.size(); ++i) {
        load_type(types->keys[i], types->children[i], schema, mistakes, result.types);
      }
    } else if (types != nullptr && types->kind != YamlNode::Kind::null) {
      mistakes.add(types->place, fmt::format("expected a map of entity types, found {}",
                                             yaml_kind_name(types->kind)));
    }
  }
  if (!mistakes.empty()) return std::unexpected(mistakes.to_error());
  return result;
}

}  // namespace ficus::connect
