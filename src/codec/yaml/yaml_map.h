#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/yaml/yaml_tree.h"
#include "model/label.h"

namespace ficus {

// Reads the entries of one YAML map and reports what does not fit. Every key asked for becomes a
// known key; finish() reports the others, with the nearest known one. So ask for all keys first.
// A short-lived reader: the node and the mistakes must outlive it.
class YamlMap {
 public:
  // `what` names the map in messages: "map", "attribute 'speed'". Anything but a map is a mistake,
  // and then reads as an empty one.
  YamlMap(const YamlNode& node, std::string what, Mistakes& mistakes);

  YamlPlace place() const { return node_.place; }
  const std::string& what() const { return what_; }

  const YamlNode* find(std::string_view key);
  // As find; a missing key is a mistake that says what was expected.
  const YamlNode* require(std::string_view key, std::string_view expected);

  // Nothing if the key is missing or, reported, does not fit.
  std::optional<std::string> text(std::string_view key);
  std::optional<double> number(std::string_view key);
  std::optional<int> integer(std::string_view key, int min, int max);
  bool boolean(std::string_view key, bool default_value);
  Label label();  // the key "label": a map of zh and en, or one text for both

  // Reports the keys nobody asked for.
  void finish();

 private:
  const YamlNode& node_;
  const std::string what_;
  Mistakes& mistakes_;
  std::vector<std::string_view> known_;
};

// The one value that `node` holds, or nothing after reporting what was expected instead.
std::optional<std::string> read_text(const YamlNode& node, std::string_view what,
                                     Mistakes& mistakes);
std::optional<double> read_number(const YamlNode& node, std::string_view what, Mistakes& mistakes);
std::optional<bool> read_boolean(const YamlNode& node, std::string_view what, Mistakes& mistakes);
// A list, or one value standing for a list of one.
std::vector<const YamlNode*> read_list(const YamlNode& node);

// Whether the scalar is a number: plain, and a whole decimal number.
std::optional<double> plain_number(std::string_view text, bool is_quoted);

// "expected a, b or c" and, if near enough, "did you mean".
std::string expected_one_of(std::string_view found, const std::vector<std::string_view>& names);

}  // namespace ficus
