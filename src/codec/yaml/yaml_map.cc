#include "codec/yaml/yaml_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include "base/nearest_name.h"

namespace ficus {
namespace {

std::string found(const YamlNode& node) {
  return node.kind == YamlNode::Kind::scalar ? fmt::format("'{}'", node.text)
                                             : yaml_kind_name(node.kind);
}

}  // namespace

YamlMap::YamlMap(const YamlNode& node, std::string what, Mistakes& mistakes)
    : node_(node), what_(std::move(what)), mistakes_(mistakes) {
  if (node.kind != YamlNode::Kind::map) {
    mistakes.add(node.place, fmt::format("expected a map for {}, found {}", what_, found(node)));
  }
}

const YamlNode* YamlMap::find(std::string_view key) {
  if (std::ranges::count(known_, key) == 0) known_.push_back(key);
  return node_.find(key);
}

const YamlNode* YamlMap::require(std::string_view key, std::string_view expected) {
  const YamlNode* node = find(key);
  if (node == nullptr && node_.kind == YamlNode::Kind::map) {
    mistakes_.add(node_.place, fmt::format("{} has no '{}': expected {}", what_, key, expected));
  }
  return node;
}

std::optional<std::string> YamlMap::text(std::string_view key) {
  const YamlNode* node = find(key);
  if (node == nullptr) return std::nullopt;
  return read_text(*node, fmt::format("'{}'", key), mistakes_);
}

std::optional<double> YamlMap::number(std::string_view key) {
  const YamlNode* node = find(key);
  if (node == nullptr) return std::nullopt;
  return read_number(*node, fmt::format("'{}'", key), mistakes_);
}

std::optional<int> YamlMap::integer(std::string_view key, int min, int max) {
  const YamlNode* node = find(key);
  if (node == nullptr) return std::nullopt;
  const std::optional<double> value = node->kind == YamlNode::Kind::scalar
                                          ? plain_number(node->text, node->is_quoted)
                                          : std::nullopt;
  if (value && *value >= min && *value <= max && std::trunc(*value) == *value) {
    return static_cast<int>(*value);
  }
  mistakes_.add(node->place, fmt::format("expected a whole number from {} to {} for '{}', found {}",
                                         min, max, key, found(*node)));
  return std::nullopt;
}

bool YamlMap::boolean(std::string_view key, bool default_value) {
  const YamlNode* node = find(key);
  if (node == nullptr) return default_value;
  return read_boolean(*node, fmt::format("'{}'", key), mistakes_).value_or(default_value);
}

Label YamlMap::label() {
  Label label;
  const YamlNode* node = find("label");
  if (node == nullptr) return label;
  if (node->kind == YamlNode::Kind::scalar) {
    label.zh = label.en = node->text;
    return label;
  }
  YamlMap map(*node, "label", mistakes_);
  label.zh = map.text("zh").value_or("");
  label.en = map.text("en").value_or("");
  map.finish();
  return label;
}

void YamlMap::finish() {
  for (const YamlNode::Key& key : node_.keys) {
    if (std::ranges::count(known_, key.text) > 0) continue;
    mistakes_.add(key.place, fmt::format("unknown key '{}' in {}: {}", key.text, what_,
                                         expected_one_of(key.text, known_)));
  }
}

std::optional<std::string> read_text(const YamlNode& node, std::string_view what,
                                     Mistakes& mistakes) {
  if (node.kind == YamlNode::Kind::scalar) return node.text;
  mistakes.add(node.place, fmt::format("expected a text for {}, found {}", what, found(node)));
  return std::nullopt;
}

std::optional<double> read_number(const YamlNode& node, std::string_view what, Mistakes& mistakes) {
  if (node.kind == YamlNode::Kind::scalar) {
    if (const auto value = plain_number(node.text, node.is_quoted)) return value;
  }
  mistakes.add(node.place, fmt::format("expected a number for {}, found {}", what, found(node)));
  return std::nullopt;
}

std::optional<bool> read_boolean(const YamlNode& node, std::string_view what, Mistakes& mistakes) {
  if (node.kind == YamlNode::Kind::scalar && !node.is_quoted) {
    if (node.text == "true") return true;
    if (node.text == "false") return false;
  }
  mistakes.add(node.place,
               fmt::format("expected true or false for {}, found {}", what, found(node)));
  return std::nullopt;
}

std::vector<const YamlNode*> read_list(const YamlNode& node) {
  std::vector<const YamlNode*> list;
  if (node.kind == YamlNode::Kind::sequence) {
    for (const YamlNode& child : node.children) list.push_back(&child);
  } else if (node.kind != YamlNode::Kind::null) {
    list.push_back(&node);
  }
  return list;
}

std::optional<double> plain_number(std::string_view text, bool is_quoted) {
  if (is_quoted || text.empty()) return std::nullopt;
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::string expected_one_of(std::string_view found, const std::vector<std::string_view>& names) {
  const std::string_view nearest = nearest_name(found, names);
  if (!nearest.empty()) return fmt::format("did you mean '{}'?", nearest);
  std::vector<std::string_view> sorted = names;
  std::ranges::sort(sorted);
  std::string text = "expected ";
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0) text += i + 1 == sorted.size() ? " or " : ", ";
    text += sorted[i];
  }
  return text;
}

}  // namespace ficus
