#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/mapping/text_template.h"
#include "connect/mapping/time_format.h"
#include "connect/mapping/value_path.h"
#include "model/coordinates.h"
#include "model/units.h"
#include "model/value.h"

namespace ficus::connect {

// One value of a mapped item before it is put into a batch. A text lies either outside (payload,
// constant, topic) or in the arena of the item's texts, which may still move.
struct MappedValue {
  ValueKind kind = ValueKind::none;
  double number = 0;  // number; boolean as 0 or 1
  Timestamp time;
  GeoPoint point;
  std::string_view text;
  bool is_in_arena = false;
  std::size_t arena_begin = 0;
  std::size_t arena_size = 0;

  std::string_view text_in(std::string_view arena) const {
    return is_in_arena ? arena.substr(arena_begin, arena_size) : text;
  }
};

enum class Mapped : std::uint8_t {
  value,
  absent,  // the item does not say; that is allowed
  failed,  // what it says does not fit: the item goes to quarantine
};

// How one attribute comes about: where its value is and what is done to it. Compiled from YAML by
// value_rule_loader.h; the fields are described in docs/SOURCES.md. A value, evaluated by one
// function that holds no state.
struct ValueRule {
  enum class Source : std::uint8_t {
    path,
    placeholder,
    text_template,
    constant,
    coordinates,  // path and second_path
    time_fields,
  };
  // Years to seconds; the first three must be there.
  static constexpr std::size_t kTimeFields = 6;
  struct Choice {
    std::string from;  // canonical text
    Value to;
  };

  std::string name;   // the attribute's
  std::string where;  // "sources.yaml:12: "
  ValueKind kind = ValueKind::none;

  Source source = Source::path;
  ValuePath path;
  ValuePath second_path;
  std::string placeholder_name;
  std::size_t placeholder = 0;
  TextTemplate text_template;
  Value constant;
  std::array<std::optional<ValuePath>, kTimeFields> time_fields;

  bool is_required = false;
  std::vector<std::string> missing_values;  // canonical texts
  bool has_choices = false;
  std::vector<Choice> choices;     // sorted by `from`
  std::optional<Value> otherwise;  // none: absent

  UnitConversion conversion;  // scale, offset and unit in one
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  int round_digits = -1;  // after the point; -1: not rounded

  TimeFormat time_format;
  CoordinateSystem coordinates = CoordinateSystem::wgs84;
  bool is_latitude_first = false;
};

// Texts longer than this are not taken as an attribute's value.
inline constexpr std::size_t kTextBytesMax = 64U << 10U;

// Evaluates the rule for an item. `arena` collects texts that are made up; `reason` is filled in
// after `failed`.
Mapped evaluate(const ValueRule& rule, const ItemContext& item, MappedValue& out,
                std::string& arena, std::string& reason);

}  // namespace ficus::connect
