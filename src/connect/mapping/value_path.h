#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "codec/json/json_path.h"
#include "codec/json/json_reader.h"

namespace ficus::connect {

// One value that fanning out passed through: the payload first, the item last.
struct ItemLevel {
  json::JsonValue value;
  std::string_view key;    // the member's name, where an object fanned out
  std::int64_t index = 0;  // the element's index from 0, where an array fanned out
  bool is_member = false;
};

// What an item can be asked for.
struct ItemContext {
  std::span<const ItemLevel> levels;  // never empty
  std::span<const std::string_view> placeholders;
  Timestamp received_at;
};

// A scalar, or a view of an array or object, before it is converted.
struct RawValue {
  json::JsonKind kind = json::JsonKind::missing;
  bool boolean = false;
  double number = 0;
  std::optional<std::int64_t> integer;  // exact, if the number is one
  std::string_view text;
  json::JsonValue json;  // of an array or object

  bool is_absent() const { return kind == json::JsonKind::missing || kind == json::JsonKind::null; }
  static RawValue of(json::JsonValue value);
  static RawValue of_text(std::string_view text);
  static RawValue of_integer(std::int64_t integer);
};

// A scalar as text, the same for every way of writing it: numbers in their shortest form ("-9999"
// for -9999.0), booleans as "true" and "false". Nothing for arrays, objects and null. `buffer`
// holds the text of a number.
std::optional<std::string_view> canonical_text(const RawValue& value, std::array<char, 32>& buffer);

// How to show a value in a reason: a text quoted and cut, a number as such, "an object", "nothing".
std::string shown(const RawValue& value);

// Where a value is, seen from an item: `$...` in the item, `^...` in what encloses it (`^^` further
// out), `#` the item's own key or index (`^#` that of the enclosing one). A value.
class ValuePath {
 public:
  ValuePath() = default;
  static Result<ValuePath> compile(std::string_view text);

  const std::string& text() const { return text_; }
  // How many levels outwards; must be less than the levels of the item.
  std::size_t outwards() const { return outwards_; }
  // Whether it is `$[0]...`: the item is then taken to be an array.
  bool begins_with_element() const;

  RawValue find(const ItemContext& context) const;
  // The value as it stands in the payload; `missing` for '#'.
  json::JsonValue find_json(const ItemContext& context) const;

 private:
  std::string text_;
  std::size_t outwards_ = 0;
  bool is_key_ = false;
  json::JsonPath path_;
};

}  // namespace ficus::connect
