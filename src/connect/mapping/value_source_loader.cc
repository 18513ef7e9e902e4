#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "connect/mapping/value_rule_loader.h"

// The part of value_rule_loader.h that says where a value is and how a time is written.

namespace ficus::connect {

std::string RuleContext::where(YamlPlace place) const {
  return fmt::format("{}:{}: ", mistakes.file(), place.line);
}

std::optional<ValuePath> load_path(const YamlNode& node, const RuleContext& context) {
  const auto text = read_text(node, "a path", context.mistakes);
  if (!text) return std::nullopt;
  auto path = ValuePath::compile(*text);
  if (!path) {
    context.mistakes.add(node.place, fmt::format("path '{}': {}", *text, path.error().message));
    return std::nullopt;
  }
  if (path->outwards() >= context.levels) {
    context.mistakes.add(
        node.place,
        fmt::format("path '{}' leads out of the payload: '^' needs an 'items' that fans out "
                    "at least {} times",
                    *text, path->outwards()));
    return std::nullopt;
  }
  return *std::move(path);
}

std::optional<TextTemplate> load_template(const YamlNode& node, const RuleContext& context) {
  const auto text = read_text(node, "a template", context.mistakes);
  if (!text) return std::nullopt;
  auto result = TextTemplate::compile(*text, context.placeholders);
  if (!result) {
    context.mistakes.add(node.place,
                         fmt::format("template '{}': {}", *text, result.error().message));
    return std::nullopt;
  }
  if (result->outwards() >= context.levels) {
    context.mistakes.add(
        node.place,
        fmt::format("template '{}' leads out of the payload: '^' needs an 'items' that fans out "
                    "at least {} times",
                    *text, result->outwards()));
    return std::nullopt;
  }
  return *std::move(result);
}

std::optional<std::size_t> load_placeholder(const YamlNode& node, const RuleContext& context) {
  const auto name = read_text(node, "'placeholder'", context.mistakes);
  if (!name) return std::nullopt;
  const auto found = std::ranges::find(context.placeholders, *name);
  if (found != context.placeholders.end()) {
    return static_cast<std::size_t>(found - context.placeholders.begin());
  }
  const std::vector<std::string_view> names(context.placeholders.begin(),
                                            context.placeholders.end());
  context.mistakes.add(
      node.place,
      names.empty()
          ? fmt::format("unknown placeholder '{}': the source's topic or parameters have none",
                        *name)
          : fmt::format("unknown placeholder '{}': {}", *name, expected_one_of(*name, names)));
  return std::nullopt;
}

bool load_scalar_source(YamlMap& map, const RuleContext& context, ValueRule& rule) {
  if (const YamlNode* node = map.find("path")) {
    rule.source = ValueRule::Source::path;
    auto path = load_path(*node, context);
    if (!path) return false;
    rule.path = *std::move(path);
    return true;
  }
  if (const YamlNode* node = map.find("placeholder")) {
    rule.source = ValueRule::Source::placeholder;
    const auto index = load_placeholder(*node, context);
    if (!index) return false;
    rule.placeholder = *index;
    rule.placeholder_name = node->text;
    return true;
  }
  if (const YamlNode* node = map.find("template")) {
    rule.source = ValueRule::Source::text_template;
    auto text = load_template(*node, context);
    if (!text) return false;
    rule.text_template = *std::move(text);
    return true;
  }
  context.mistakes.add(map.place(), fmt::format("{} says nowhere where its value is: expected "
                                                "'path', 'placeholder' or 'template'",
                                                map.what()));
  return false;
}

namespace {

std::optional<TimeZone> load_zone(YamlMap& map, const RuleContext& context) {
  const YamlNode* node = map.find("zone");
  if (node == nullptr) return TimeZone();
  const auto name = read_text(*node, "'zone'", context.mistakes);
  if (!name) return std::nullopt;
  auto zone = TimeZone::load(*name, context.disk, context.zone_directory);
  if (!zone) {
    context.mistakes.add(node->place, zone.error().message);
    return std::nullopt;
  }
  return *std::move(zone);
}

}  // namespace

void load_time_format(YamlMap& map, bool has_fields, const RuleContext& context, ValueRule& rule) {
  const YamlNode* format = map.find("format");
  const YamlNode* pattern = map.find("pattern");
  const YamlNode* zone_node = map.find("zone");
  std::optional<TimeZone> zone = load_zone(map, context);
  if (!zone) return;
  const std::string name =
      format != nullptr && format->kind == YamlNode::Kind::scalar ? format->text : std::string();
  if ((has_fields || name == "local") && zone_node == nullptr) {
    context.mistakes.add(map.place(),
                         fmt::format("{} is in local time: expected a 'zone' such as Asia/Shanghai "
                                     "or +08:00",
                                     map.what()));
    return;
  }
  if (has_fields && (format != nullptr || pattern != nullptr)) {
    context.mistakes.add(map.place(), "'fields' needs no 'format' or 'pattern'");
    return;
  }
  if (pattern != nullptr) {
    const auto text = read_text(*pattern, "'pattern'", context.mistakes);
    if (!text) return;
    auto compiled = TimeFormat::of_pattern(*text, *std::move(zone));
    if (!compiled) {
      context.mistakes.add(pattern->place, compiled.error().message);
      return;
    }
    if (format != nullptr && name != "local" && name != "pattern") {
      context.mistakes.add(format->place, "a 'pattern' goes with format local or pattern");
    }
    rule.time_format = *std::move(compiled);
    return;
  }
  auto kind = TimeFormat::Kind::iso8601;
  if (format != nullptr && name != "local") {
    const auto known = TimeFormat::kind_from_name(name);
    if (!known) {
      context.mistakes.add(format->place,
                           fmt::format("unknown time format '{}': {}", name,
                                       expected_one_of(name, {"iso8601", "unix_s", "unix_ms",
                                                              "unix_us", "unix_ns", "local"})));
      return;
    }
    kind = *known;
    if (kind != TimeFormat::Kind::iso8601 && zone_node != nullptr) {
      context.mistakes.add(zone_node->place, "unix time knows no zone: leave 'zone' out");
    }
  }
  rule.time_format = TimeFormat::of_kind(kind, *std::move(zone));
}

bool load_time_fields(YamlMap& map, const RuleContext& context, ValueRule& rule) {
  const YamlNode* node = map.find("fields");
  if (node == nullptr) return false;
  rule.source = ValueRule::Source::time_fields;
  constexpr std::array<std::string_view, ValueRule::kTimeFields> kNames{"year", "month",  "day",
                                                                        "hour", "minute", "second"};
  YamlMap fields(*node, "'fields'", context.mistakes);
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const YamlNode* path =
        i < 3 ? fields.require(kNames[i], "the path of a number") : fields.find(kNames[i]);
    if (path != nullptr) rule.time_fields[i] = load_path(*path, context);
  }
  fields.finish();
  if (rule.time_fields[0]) rule.path = *rule.time_fields[0];
  return true;
}

std::string canonical_scalar(std::string_view text, bool is_quoted) {
  if (const auto number = plain_number(text, is_quoted)) {
    std::array<char, 32> buffer;
    RawValue raw;
    raw.kind = json::JsonKind::number;
    raw.number = *number;
    return std::string(canonical_text(raw, buffer).value_or(text));
  }
  return std::string(text);
}

void load_missing_values(YamlMap& map, const RuleContext& context, ValueRule& rule) {
  const YamlNode* node = map.find("missing_values");
  if (node == nullptr) return;
  for (const YamlNode* value : read_list(*node)) {
    const auto text = read_text(*value, "'missing_values'", context.mistakes);
    if (text) rule.missing_values.push_back(canonical_scalar(*text, value->is_quoted));
  }
}

bool check_attribute_name(std::string_view name, YamlPlace place, Mistakes& mistakes) {
  if (!is_valid_name(name)) {
    mistakes.add(place, fmt::format("'{}' is not an attribute name: expected a letter, then "
                                    "letters, digits, '_'",
                                    name));
    return false;
  }
  // An entity has these beside its attributes (NGSI-LD, ETSI GS CIM 009, 4.5.1).
  if (name == "id" || name == "type" || name == "observedAt") {
    mistakes.add(place,
                 fmt::format("'{}' cannot be an attribute: every entity has it already", name));
    return false;
  }
  return true;
}

std::optional<ValueKind> value_kind_from_name(std::string_view name) {
  for (const ValueKind kind :
       {ValueKind::boolean, ValueKind::number, ValueKind::text, ValueKind::time, ValueKind::point,
        ValueKind::geometry, ValueKind::relationship, ValueKind::json}) {
    if (name == value_kind_name(kind)) return kind;
  }
  return std::nullopt;
}

}  // namespace ficus::connect
