#include "connect/mapping/value_rule_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/time_text.h"
#include "connect/mapping/uri.h"

namespace ficus::connect {
namespace {

constexpr std::string_view kSources[] = {"path",  "placeholder", "template",
                                         "point", "fields",      "constant"};

// Reads one attribute. Every key is asked for before finish(), so that unknown keys are found.
class AttributeLoader {
 public:
  AttributeLoader(std::string_view name, const YamlNode& node, const AttributeInfo* declared,
                  const RuleContext& context)
      : node_(node),
        declared_(declared),
        context_(context),
        map_(node, fmt::format("attribute '{}'", name), context.mistakes) {
    rule_.name = name;
    rule_.where = context.where(node.place);
  }

  std::optional<LoadedAttribute> run() {
    const std::size_t before = context_.mistakes.size();
    ask_for_all();
    if (!load_source() || !decide_kind()) return std::nullopt;
    rule_.is_required = map_.boolean("required", false);
    load_missing_values(map_, context_, rule_);
    check_options();
    load_choices();
    load_number_options();
    load_point_options();
    if (rule_.kind == ValueKind::time) {
      load_time_format(map_, rule_.source == ValueRule::Source::time_fields, context_, rule_);
    }
    load_constant();
    if (context_.mistakes.size() != before) return std::nullopt;
    return LoadedAttribute{std::move(rule_), std::move(unit_code_)};
  }

 private:
  void mistake(YamlPlace place, std::string message) {
    context_.mistakes.add(place, std::move(message));
  }

  void ask_for_all() {
    for (const std::string_view key : kSources) map_.find(key);
    for (const char* key :
         {"kind", "required", "missing_values", "enum", "otherwise", "unit", "from_unit", "scale",
          "offset", "min", "max", "round", "format", "pattern", "zone", "crs", "latitude_first"}) {
      map_.find(key);
    }
    map_.finish();
  }

  bool load_source() {
    if (node_.kind != YamlNode::Kind::map) return false;
    std::vector<std::string_view> given;
    for (const std::string_view key : kSources) {
      if (node_.find(key) != nullptr) given.push_back(key);
    }
    if (given.size() > 1) {
      mistake(node_.place, fmt::format("{} has both '{}' and '{}': expected one of them",
                                       map_.what(), given[0], given[1]));
      return false;
    }
    if (given.empty()) {
      mistake(node_.place,
              fmt::format("{} says nowhere where its value is: expected one of path, placeholder, "
                          "template, point, fields or constant",
                          map_.what()));
      return false;
    }
    if (given[0] == "point") return load_coordinates(*node_.find("point"));
    if (given[0] == "fields") return load_time_fields(map_, context_, rule_);
    if (given[0] == "constant") {
      rule_.source = ValueRule::Source::constant;
      return true;
    }
    return load_scalar_source(map_, context_, rule_);
  }

  bool load_coordinates(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::scalar) {  // point: $.location is a path of kind point
      auto path = load_path(node, context_);
      if (!path) return false;
      rule_.path = *std::move(path);
      return true;
    }
    if (node.kind != YamlNode::Kind::sequence || node.children.size() != 2) {
      mistake(node.place, fmt::format("expected [longitude path, latitude path] for 'point', "
                                      "found {}",
                                      yaml_kind_name(node.kind)));
      return false;
    }
    rule_.source = ValueRule::Source::coordinates;
    auto longitude = load_path(node.children[0], context_);
    auto latitude = load_path(node.children[1], context_);
    if (!longitude || !latitude) return false;
    rule_.path = *std::move(longitude);
    rule_.second_path = *std::move(latitude);
    return true;
  }

  bool has(std::string_view key) const { return node_.find(key) != nullptr; }
  template <typename... Keys>
  bool has_any(Keys... keys) const {
    return (has(keys) || ...);
  }

  // What the declaration itself gives away, if types.yaml does not know the attribute.
  std::optional<ValueKind> inferred_kind() const {
    if (has_any("point", "crs", "latitude_first")) return ValueKind::point;
    if (has_any("fields", "format", "pattern", "zone")) return ValueKind::time;
    if (has_any("unit", "from_unit", "scale", "offset", "min", "max", "round")) {
      return ValueKind::number;
    }
    if (const YamlNode* choices = node_.find("enum")) return kind_of_scalars(choices->children);
    if (const YamlNode* constant = node_.find("constant")) {
      if (constant->kind == YamlNode::Kind::scalar) return kind_of_scalars({*constant});
      return std::nullopt;
    }
    if (has_any("placeholder", "template")) return ValueKind::text;
    return std::nullopt;
  }

  static ValueKind kind_of_scalars(const std::vector<YamlNode>& nodes) {
    const auto is_boolean = [](const YamlNode& n) {
      return !n.is_quoted && (n.text == "true" || n.text == "false");
    };
    const auto is_number = [](const YamlNode& n) {
      return plain_number(n.text, n.is_quoted).has_value();
    };
    if (std::ranges::all_of(nodes, is_boolean)) return ValueKind::boolean;
    if (std::ranges::all_of(nodes, is_number)) return ValueKind::number;
    return ValueKind::text;
  }

  bool decide_kind() {
    if (const auto name = map_.text("kind")) {
      const auto kind = value_kind_from_name(*name);
      if (!kind) {
        mistake(node_.find("kind")->place,
                fmt::format("unknown kind '{}': {}", *name,
                            expected_one_of(*name, {"number", "text", "boolean", "time", "point",
                                                    "geometry", "relationship", "json"})));
        return false;
      }
      rule_.kind = *kind;
      if (declared_ != nullptr && declared_->kind != *kind) {
        mistake(node_.find("kind")->place, fmt::format("'{}' is declared as {}, not {}", rule_.name,
                                                       value_kind_name(declared_->kind), *name));
        return false;
      }
      return kind_fits_source();
    }
    if (declared_ != nullptr) {
      rule_.kind = declared_->kind;
      return kind_fits_source();
    }
    const auto kind = inferred_kind();
    if (!kind) {
      mistake(node_.place,
              fmt::format("cannot tell of which kind '{}' is: declare it in types.yaml or add "
                          "'kind', one of number, text, boolean, time, point, geometry, "
                          "relationship, json",
                          rule_.name));
      return false;
    }
    rule_.kind = *kind;
    return kind_fits_source();
  }

  bool kind_fits_source() {
    const ValueKind kind = rule_.kind;
    bool fits = true;
    switch (rule_.source) {
      case ValueRule::Source::path:
        fits = !has("point") || kind == ValueKind::point;
        break;
      case ValueRule::Source::placeholder:
        fits = kind != ValueKind::geometry && kind != ValueKind::json;
        break;
      case ValueRule::Source::text_template:
        fits = kind == ValueKind::text || kind == ValueKind::relationship;
        break;
      case ValueRule::Source::constant:
        fits = kind != ValueKind::geometry && kind != ValueKind::json;
        break;
      case ValueRule::Source::coordinates:
        fits = kind == ValueKind::point;
        break;
      case ValueRule::Source::time_fields:
        fits = kind == ValueKind::time;
        break;
    }
    if (rule_.path.text().ends_with('#')) {
      fits = fits && (kind == ValueKind::text || kind == ValueKind::number || has("enum"));
    }
    if (fits) return true;
    mistake(node_.place, fmt::format("{} is a {} and cannot come from here: expected {}",
                                     map_.what(), value_kind_name(kind),
                                     kind == ValueKind::point ? "'point' or 'path'" : "'path'"));
    return false;
  }

  // Options that mean nothing for the kind would silently do nothing.
  void check_options() {
    const auto only_for = [&](ValueKind kind, std::initializer_list<const char*> keys) {
      for (const char* key : keys) {
        const YamlNode* node = node_.find(key);
        if (node == nullptr || rule_.kind == kind) continue;
        mistake(node->place,
                fmt::format("'{}' is for attributes of kind {}, but '{}' is a {}", key,
                            value_kind_name(kind), rule_.name, value_kind_name(rule_.kind)));
      }
    };
    only_for(ValueKind::number, {"unit", "from_unit", "offset", "min", "max", "round"});
    if (rule_.kind != ValueKind::point) only_for(ValueKind::number, {"scale"});
    only_for(ValueKind::time, {"format", "pattern", "zone"});
    only_for(ValueKind::point, {"crs", "latitude_first"});
    const YamlNode* choices = node_.find("enum");
    const bool takes_choices =
        rule_.source == ValueRule::Source::path || rule_.source == ValueRule::Source::placeholder;
    if (choices != nullptr && !takes_choices) {
      mistake(choices->place, "'enum' goes with 'path' or 'placeholder'");
    }
    if (choices == nullptr && has("otherwise")) {
      mistake(node_.find("otherwise")->place, "'otherwise' goes with 'enum'");
    }
  }

  // A scalar of the file as a value of the attribute's kind.
  std::optional<Value> constant_of(const YamlNode& node, std::string_view what) {
    switch (rule_.kind) {
      case ValueKind::number: {
        const auto value = read_number(node, what, context_.mistakes);
        return value ? std::optional(Value::number(*value)) : std::nullopt;
      }
      case ValueKind::boolean: {
        const auto value = read_boolean(node, what, context_.mistakes);
        return value ? std::optional(Value::boolean(*value)) : std::nullopt;
      }
      case ValueKind::text:
      case ValueKind::relationship: {
        auto value = read_text(node, what, context_.mistakes);
        if (!value) return std::nullopt;
        if (rule_.kind == ValueKind::relationship && !has_scheme(*value)) {
          mistake(node.place, fmt::format("expected a URI for {}, found '{}'", what, *value));
        }
        return Value::of_text_kind(rule_.kind, *std::move(value));
      }
      case ValueKind::time: {
        const auto text = read_text(node, what, context_.mistakes);
        const auto time = text ? parse_iso8601(*text) : std::nullopt;
        if (time) return Value::time(*time);
        mistake(node.place, fmt::format("expected an ISO 8601 time for {}", what));
        return std::nullopt;
      }
      case ValueKind::point:
        return constant_point(node, what);
      case ValueKind::geometry:
      case ValueKind::json:
      case ValueKind::none:
        break;
    }
    mistake(node.place, fmt::format("{} cannot be given in the file for a {}", what,
                                    value_kind_name(rule_.kind)));
    return std::nullopt;
  }

  std::optional<Value> constant_point(const YamlNode& node, std::string_view what) {
    if (node.kind == YamlNode::Kind::sequence && node.children.size() == 2) {
      const auto longitude = read_number(node.children[0], what, context_.mistakes);
      const auto latitude = read_number(node.children[1], what, context_.mistakes);
      if (!longitude || !latitude) return std::nullopt;
      if (*longitude >= -180 && *longitude <= 180 && *latitude >= -90 && *latitude <= 90) {
        return Value::point({*longitude, *latitude});
      }
    }
    mistake(node.place, fmt::format("expected [longitude, latitude] in degrees for {}", what));
    return std::nullopt;
  }

  void load_constant() {
    if (rule_.source != ValueRule::Source::constant) return;
    auto value = constant_of(*node_.find("constant"), "'constant'");
    if (!value) return;
    if (value->kind() == ValueKind::point) {
      value = Value::point(to_wgs84(value->as_point(), rule_.coordinates));
    }
    rule_.constant = *std::move(value);
  }

  void load_choices() {
    const YamlNode* node = node_.find("enum");
    if (node == nullptr) return;
    rule_.has_choices = true;
    if (node->kind != YamlNode::Kind::map || node->children.empty()) {
      mistake(node->place, "expected a map such as {0: stopped, 1: moving} for 'enum'");
      return;
    }
    for (std::size_t i = 0; i < node->children.size(); ++i) {
      const YamlNode::Key& key = node->keys[i];
      auto value = constant_of(node->children[i], fmt::format("the choice '{}'", key.text));
      if (!value) continue;
      rule_.choices.push_back({canonical_scalar(key.text, key.is_quoted), *std::move(value)});
    }
    std::ranges::sort(rule_.choices, {}, &ValueRule::Choice::from);
    const auto twice = std::ranges::adjacent_find(rule_.choices, {}, &ValueRule::Choice::from);
    if (twice != rule_.choices.end()) {
      mistake(node->place, fmt::format("'enum' has the choice '{}' twice", twice->from));
    }
    const YamlNode* otherwise = node_.find("otherwise");
    if (otherwise == nullptr) return;
    if (otherwise->kind == YamlNode::Kind::null) {
      rule_.otherwise = Value();
    } else {
      rule_.otherwise = constant_of(*otherwise, "'otherwise'");
    }
  }

  void load_number_options() {
    if (rule_.kind != ValueKind::number) return;
    load_units();
    const double scale = map_.number("scale").value_or(1);
    const double offset = map_.number("offset").value_or(0);
    if (scale == 0) mistake(node_.find("scale")->place, "'scale' is 0: every value would be lost");
    // First scale and offset, then the unit.
    rule_.conversion = {scale * rule_.conversion.factor,
                        offset * rule_.conversion.factor + rule_.conversion.offset};
    if (const auto min = map_.number("min")) rule_.min = *min;
    if (const auto max = map_.number("max")) rule_.max = *max;
    if (rule_.min > rule_.max) {
      mistake(node_.find("min")->place,
              fmt::format("'min' {} is above 'max' {}", rule_.min, rule_.max));
    }
    if (const auto digits = map_.integer("round", 0, 15)) rule_.round_digits = *digits;
  }

  void load_units() {
    const std::string declared = declared_ == nullptr ? std::string() : declared_->unit_code;
    const auto unit = map_.text("unit");
    const auto from = map_.text("from_unit");
    if (unit && !declared.empty() && *unit != declared) {
      mistake(node_.find("unit")->place,
              fmt::format("'{}' is declared in {}, not in {}", rule_.name, declared, *unit));
      return;
    }
    if (unit && declared.empty()) unit_code_ = *unit;
    if (!from) return;
    const std::string target = unit ? *unit : declared;
    if (target.empty()) {
      mistake(node_.find("from_unit")->place,
              fmt::format("'from_unit' has nothing to convert to: expected 'unit' here or in "
                          "types.yaml"));
      return;
    }
    const auto conversion = unit_conversion(*from, target);
    if (conversion) {
      rule_.conversion = *conversion;
    } else {
      mistake(node_.find("from_unit")->place, conversion.error().message);
    }
  }

  void load_point_options() {
    if (rule_.kind != ValueKind::point) return;
    rule_.is_latitude_first = map_.boolean("latitude_first", false);
    if (rule_.is_latitude_first && rule_.source == ValueRule::Source::coordinates) {
      mistake(node_.find("latitude_first")->place,
              "'latitude_first' goes with one path: swap the two paths instead");
    }
    if (const auto scale = map_.number("scale")) {
      if (*scale == 0)
        mistake(map_.find("scale")->place, "'scale' is 0: every point would be lost");
      rule_.conversion.factor = *scale;
    }
    const auto name = map_.text("crs");
    if (!name) return;
    const auto system = coordinate_system_from_name(*name);
    if (system) {
      rule_.coordinates = *system;
    } else {
      mistake(node_.find("crs")->place,
              fmt::format("unknown coordinate system '{}': {}", *name,
                          expected_one_of(*name, {"WGS-84", "GCJ-02", "BD-09", "CGCS2000"})));
    }
  }

  const YamlNode& node_;
  const AttributeInfo* const declared_;
  const RuleContext& context_;
  YamlMap map_;
  ValueRule rule_;
  std::string unit_code_;
};

}  // namespace

std::optional<LoadedAttribute> load_attribute(std::string_view name, const YamlNode& node,
                                              const AttributeInfo* declared,
                                              const RuleContext& context) {
  if (node.kind != YamlNode::Kind::scalar) {
    return AttributeLoader(name, node, declared, context).run();
  }
  // `speed: $.spd` is short for `speed: {path: $.spd}`.
  const bool is_path = node.text.starts_with('$') || node.text.starts_with('^') || node.text == "#";
  if (!is_path) {
    context.mistakes.add(node.place,
                         fmt::format("expected a path such as $.{0} for '{0}', found '{1}'; a "
                                     "constant is written {{constant: {1}}}",
                                     name, node.text));
    return std::nullopt;
  }
  YamlNode map;
  map.kind = YamlNode::Kind::map;
  map.place = node.place;
  map.keys.push_back({"path", false, node.place});
  map.children.push_back(node);
  return AttributeLoader(name, map, declared, context).run();
}

}  // namespace ficus::connect
