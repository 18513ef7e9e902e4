#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json/json_reader.h"

namespace ficus::json {

// One step from a value to a value inside it.
struct JsonStep {
  enum class Kind : std::uint8_t {
    member,        // .name or ['any name']
    element,       // [3], counted from 0
    each_element,  // [*]: every element of an array
    each_member,   // .*: every member of an object
  };
  Kind kind = Kind::member;
  std::string name;
  std::size_t index = 0;

  bool fans_out() const { return kind == Kind::each_element || kind == Kind::each_member; }
  friend bool operator==(const JsonStep&, const JsonStep&) = default;
};

// A path into JSON, compiled once: `$`, `$.a.b[0].c`, `$['key with space']`, `$.list[*].x`, `$.*`.
// A small part of JSONPath (RFC 9535): no filters, slices or recursive descent, since a mapping
// must say where a value is. Names without quotes may hold any letters (also Chinese), digits, '_',
// '-', ':' and '@'. A value.
class JsonPath {
 public:
  JsonPath() = default;  // `$`
  // The error names the column: "column 5: expected a name after '.'".
  static Result<JsonPath> compile(std::string_view text);

  const std::vector<JsonStep>& steps() const { return steps_; }
  bool fans_out() const;

  // The value at the path, seen from `root`; `missing` where a step finds nothing.
  // REQUIRES: !fans_out().
  JsonValue find(JsonValue root) const;

  friend bool operator==(const JsonPath&, const JsonPath&) = default;

 private:
  std::vector<JsonStep> steps_;
};

}  // namespace ficus::json
