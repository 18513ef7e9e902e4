#include "connect/mapping/value_path.h"

#include <fmt/format.h>

#include <charconv>

#include "base/check.h"
#include "codec/json/json_writer.h"

namespace ficus::connect {

using json::JsonKind;

RawValue RawValue::of(json::JsonValue value) {
  RawValue raw;
  raw.kind = value.kind();
  switch (raw.kind) {
    case JsonKind::boolean:
      raw.boolean = value.as_boolean();
      break;
    case JsonKind::number:
      raw.number = value.as_number();
      raw.integer = value.as_integer();
      break;
    case JsonKind::text:
      raw.text = value.as_text();
      break;
    case JsonKind::array:
    case JsonKind::object:
      raw.json = value;
      break;
    case JsonKind::missing:
    case JsonKind::null:
      break;
  }
  return raw;
}

RawValue RawValue::of_text(std::string_view text) {
  RawValue raw;
  raw.kind = JsonKind::text;
  raw.text = text;
  return raw;
}

RawValue RawValue::of_integer(std::int64_t integer) {
  RawValue raw;
  raw.kind = JsonKind::number;
  raw.number = static_cast<double>(integer);
  raw.integer = integer;
  return raw;
}

std::optional<std::string_view> canonical_text(const RawValue& value,
                                               std::array<char, 32>& buffer) {
  switch (value.kind) {
    case JsonKind::text:
      return value.text;
    case JsonKind::boolean:
      return value.boolean ? "true" : "false";
    case JsonKind::number: {
      char* const begin = buffer.data();
      char* const end = begin + buffer.size();
      const auto written = value.integer ? std::to_chars(begin, end, *value.integer)
                                         : std::to_chars(begin, end, value.number);
      return std::string_view(begin, written.ptr);
    }
    case JsonKind::missing:
    case JsonKind::null:
    case JsonKind::array:
    case JsonKind::object:
      return std::nullopt;
  }
  std::unreachable();
}

std::string shown(const RawValue& value) {
  constexpr std::size_t kShownBytes = 60;
  std::array<char, 32> buffer;
  const std::optional<std::string_view> text = canonical_text(value, buffer);
  if (!text) return json::json_kind_name(value.kind);
  if (value.kind != JsonKind::text) return std::string(*text);
  std::string_view part = *text;
  if (part.size() > kShownBytes) {
    std::size_t end = kShownBytes;  // not inside a character of UTF-8
    while (end > 0 && (static_cast<unsigned char>(part[end]) & 0xC0U) == 0x80U) --end;
    part = part.substr(0, end);
  }
  std::string out;
  json::append_quoted(part, out);
  if (part.size() < text->size()) out += fmt::format("... ({} bytes)", text->size());
  return out;
}

Result<ValuePath> ValuePath::compile(std::string_view text) {
  constexpr std::size_t kOutwardsMax = 8;
  ValuePath path;
  path.text_ = text;
  std::string_view rest = text;
  while (rest.starts_with('^')) {
    rest.remove_prefix(1);
    if (++path.outwards_ > kOutwardsMax) return invalid("column 9: too many '^'");
  }
  if (rest == "#") {
    path.is_key_ = true;
    return path;
  }
  // After '^' the '$' is understood: '^.name' is what '$.name' is to the enclosing item.
  const bool is_understood = path.outwards_ > 0 && !rest.starts_with('$');
  auto compiled =
      json::JsonPath::compile(is_understood ? "$" + std::string(rest) : std::string(rest));
  if (!compiled) return std::unexpected(std::move(compiled).error());
  if (compiled->fans_out()) {
    return invalid("'*' names many values: expected a path to one; fan out with 'items'");
  }
  path.path_ = *std::move(compiled);
  return path;
}

bool ValuePath::begins_with_element() const {
  return outwards_ == 0 && !is_key_ && !path_.steps().empty() &&
         path_.steps().front().kind == json::JsonStep::Kind::element;
}

RawValue ValuePath::find(const ItemContext& context) const {
  FICUS_DCHECK(outwards_ < context.levels.size());
  const ItemLevel& level = context.levels[context.levels.size() - 1 - outwards_];
  if (!is_key_) return RawValue::of(path_.find(level.value));
  return level.is_member ? RawValue::of_text(level.key) : RawValue::of_integer(level.index);
}

json::JsonValue ValuePath::find_json(const ItemContext& context) const {
  if (is_key_) return {};
  return path_.find(context.levels[context.levels.size() - 1 - outwards_].value);
}

}  // namespace ficus::connect
