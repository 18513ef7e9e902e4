#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ficus {

// A place in a YAML file, counted from 1 as editors do.
struct YamlPlace {
  int line = 1;
  int column = 1;

  friend auto operator<=>(const YamlPlace&, const YamlPlace&) = default;
};

// One node of a YAML document, with its place for messages. Aliases are resolved to copies. A
// value.
struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, map };
  struct Key {
    std::string text;
    bool is_quoted = false;
    YamlPlace place;
  };

  Kind kind = Kind::null;
  YamlPlace place;
  std::string text;                // of a scalar, as written, without quotes
  bool is_quoted = false;          // a quoted scalar is a text even if it looks like a number
  std::vector<YamlNode> children;  // elements of a sequence, values of a map
  std::vector<Key> keys;           // of a map, one a child

  const YamlNode* find(std::string_view key) const;  // null if there is no such key
};

const char* yaml_kind_name(YamlNode::Kind kind);  // "a list", ...

// Gathers what is wrong with one file, so that all of it is reported at once.
class Mistakes {
 public:
  explicit Mistakes(std::string_view file) : file_(file) {}

  const std::string& file() const { return file_; }
  bool empty() const { return found_.empty(); }
  std::size_t size() const { return found_.size(); }
  void add(YamlPlace place, std::string message);
  // invalid_input; one line a mistake, "file:line:column: message", in the order of the file.
  // REQUIRES: !empty().
  Error to_error() const;

 private:
  struct Mistake {
    YamlPlace place;
    std::string message;
    friend auto operator<=>(const Mistake&, const Mistake&) = default;
  };
  std::string file_;
  std::vector<Mistake> found_;
};

// Parses one document; yaml-cpp is used here and nowhere else in this room. Bounded in size, depth
// and number of nodes. A key given twice is a mistake. Returns false if there is nothing to go on
// with; mistakes may be reported either way.
bool parse_yaml(std::string_view text, YamlNode& root, Mistakes& mistakes);

}  // namespace ficus
