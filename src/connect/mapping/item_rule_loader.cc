#include "connect/mapping/item_rule_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "connect/mapping/duration.h"
#include "connect/mapping/uri.h"

namespace ficus::connect {
namespace {

constexpr std::size_t kFanOutMax = 4;

class ItemRuleLoader {
 public:
  ItemRuleLoader(const YamlNode& node, RuleContext context)
      : node_(node), context_(context), map_(node, "map", context.mistakes) {
    rule_.where = context.where(node.place);
  }

  std::optional<ItemRule> run() {
    const std::size_t before = context_.mistakes.size();
    const YamlNode* items = map_.find("items");
    const YamlNode* where = map_.find("where");
    const YamlNode* type = map_.require("type", "an entity type such as Vehicle");
    const YamlNode* types = map_.find("types");
    const YamlNode* id = map_.require("id", "a template such as urn:ngsi-ld:Vehicle:{$.id}");
    const YamlNode* observed_at =
        map_.require("observed_at",
                     "when the values were observed, such as {path: $.time}, or "
                     "'received'");
    const YamlNode* attributes = map_.require("attributes", "a map of attributes");
    map_.finish();
    if (items != nullptr) load_items(*items);
    if (where != nullptr) load_condition(*where);
    if (type != nullptr) load_type(*type, types);
    if (id != nullptr) load_id(*id);
    if (observed_at != nullptr) load_observed_at(*observed_at);
    if (attributes != nullptr && !rule_.types.empty()) load_attributes(*attributes);
    if (context_.mistakes.size() != before) return std::nullopt;
    rule_.takes_top_array = items == nullptr && !looks_into_array();
    return std::move(rule_);
  }

 private:
  void mistake(YamlPlace place, std::string message) {
    context_.mistakes.add(place, std::move(message));
  }

  void load_items(const YamlNode& node) {
    const auto text = read_text(node, "'items'", context_.mistakes);
    if (!text) return;
    const auto path = json::JsonPath::compile(*text);
    if (!path)
      return mistake(node.place, fmt::format("items '{}': {}", *text, path.error().message));
    const auto stars =
        static_cast<std::size_t>(std::ranges::count_if(path->steps(), &json::JsonStep::fans_out));
    if (stars > kFanOutMax) {
      return mistake(node.place, fmt::format("items '{}' fans out {} times: expected at most {}",
                                             *text, stars, kFanOutMax));
    }
    rule_.items = path->steps();
    rule_.items_text = *text;
    rule_.where = context_.where(node.place);
    context_.levels = stars + 1;
  }

  void load_condition(const YamlNode& node) {
    YamlMap map(node, "'where'", context_.mistakes);
    ItemCondition condition;
    map.find("path");
    map.find("placeholder");
    const YamlNode* in = map.require("in", "a list of values, such as [position, status]");
    map.finish();
    if (node.kind != YamlNode::Kind::map) return;
    if (!load_scalar_source(map, context_, condition.value)) return;
    if (condition.value.source == ValueRule::Source::text_template) {
      return mistake(node.place, "'where' takes 'path' or 'placeholder'");
    }
    if (in == nullptr) return;
    for (const YamlNode* value : read_list(*in)) {
      const auto text = read_text(*value, "'in'", context_.mistakes);
      if (text) condition.in.push_back(canonical_scalar(*text, value->is_quoted));
    }
    rule_.condition = std::move(condition);
  }

  // The index of the type in the rule, added if it is new; nothing if it is no name.
  std::optional<std::size_t> add_type(const std::string& name, YamlPlace place) {
    const auto found = std::ranges::find(rule_.types, name, &ItemType::name);
    if (found != rule_.types.end()) return static_cast<std::size_t>(found - rule_.types.begin());
    const auto id = context_.schema.intern_type(name);
    if (!id) {
      mistake(place, id.error().message);
      return std::nullopt;
    }
    rule_.types.push_back({name, *id, {}});
    return rule_.types.size() - 1;
  }

  void load_type(const YamlNode& node, const YamlNode* types) {
    if (node.kind == YamlNode::Kind::map) {
      if (types != nullptr) mistake(types->place, "'types' goes with a template as type");
      return load_type_choice(node);
    }
    auto text = load_template(node, context_);
    if (!text) return;
    if (!text->has_values()) {
      if (types != nullptr) mistake(types->place, "'types' goes with a template as type");
      add_type(node.text, node.place);
      return;
    }
    if (types == nullptr) {
      return mistake(node.place,
                     fmt::format("type '{}' depends on the item: expected 'types', the list of "
                                 "types it may be",
                                 node.text));
    }
    TypeChoice choice;
    choice.where = context_.where(node.place);
    choice.text = *std::move(text);
    for (const YamlNode* type : read_list(*types)) {
      const auto name = read_text(*type, "'types'", context_.mistakes);
      if (!name) continue;
      if (const auto index = add_type(*name, type->place))
        choice.entries.push_back({*name, *index});
    }
    rule_.type_choice = std::move(choice);
  }

  // type: {path: $.kind, enum: {1: Bus, 2: Tram}, otherwise: Vehicle}
  void load_type_choice(const YamlNode& node) {
    YamlMap map(node, "'type'", context_.mistakes);
    for (const char* key : {"path", "placeholder", "template", "otherwise"}) map.find(key);
    const YamlNode* choices = map.require("enum", "a map such as {1: Bus, 2: Tram}");
    map.finish();
    ValueRule source;
    if (!load_scalar_source(map, context_, source) || choices == nullptr) return;
    TypeChoice choice;
    choice.where = context_.where(node.place);
    choice.text = template_of(source);
    if (choices->kind != YamlNode::Kind::map || choices->children.empty()) {
      return mistake(choices->place, "expected a map such as {1: Bus, 2: Tram} for 'enum'");
    }
    for (std::size_t i = 0; i < choices->children.size(); ++i) {
      const auto name = read_text(choices->children[i], "a type", context_.mistakes);
      if (!name) continue;
      const auto index = add_type(*name, choices->children[i].place);
      const YamlNode::Key& key = choices->keys[i];
      if (index) choice.entries.push_back({canonical_scalar(key.text, key.is_quoted), *index});
    }
    if (const YamlNode* otherwise = node.find("otherwise")) {
      const auto name = read_text(*otherwise, "'otherwise'", context_.mistakes);
      if (name) choice.otherwise = add_type(*name, otherwise->place);
    }
    rule_.type_choice = std::move(choice);
  }

  TextTemplate template_of(const ValueRule& source) const {
    switch (source.source) {
      case ValueRule::Source::path:
        return TextTemplate::of_path(source.path);
      case ValueRule::Source::placeholder:
        return TextTemplate::of_placeholder(source.placeholder_name, source.placeholder);
      case ValueRule::Source::text_template:
      case ValueRule::Source::constant:
      case ValueRule::Source::coordinates:
      case ValueRule::Source::time_fields:
        break;
    }
    return source.text_template;
  }

  void load_id(const YamlNode& node) {
    auto text = load_template(node, context_);
    if (!text) return;
    rule_.id_where = context_.where(node.place);
    const std::string beginning = std::string(text->leading_text()) + "x";
    rule_.is_id_whole = text->leading_text().empty();
    if (!rule_.is_id_whole && !has_scheme(beginning)) {
      return mistake(node.place, fmt::format("id '{0}' is no URI: expected one such as "
                                             "urn:ngsi-ld:Vehicle:{0}",
                                             node.text));
    }
    rule_.id = *std::move(text);
  }

  void load_observed_at(const YamlNode& node) {
    rule_.observed_at.kind = ValueKind::time;
    rule_.observed_at.name = "observed_at";
    rule_.observed_at.where = context_.where(node.place);
    if (node.kind == YamlNode::Kind::scalar) {
      rule_.is_observed_when_received = node.text == "received";
      if (rule_.is_observed_when_received) return;
      if (!node.text.starts_with('$') && !node.text.starts_with('^')) {
        return mistake(node.place,
                       fmt::format("expected 'received', a path such as $.time or a map "
                                   "such as {{path: $.ts, format: unix_ms}} for "
                                   "'observed_at', found '{}'",
                                   node.text));
      }
      rule_.observed_at.is_required = true;
      if (auto path = load_path(node, context_)) rule_.observed_at.path = *std::move(path);
      return;
    }
    load_observed_at_map(node);
  }

  void load_observed_at_map(const YamlNode& node) {
    YamlMap map(node, "'observed_at'", context_.mistakes);
    for (const char* key :
         {"path", "placeholder", "fields", "format", "pattern", "zone", "missing_values"}) {
      map.find(key);
    }
    const YamlNode* otherwise = map.find("otherwise");
    const YamlNode* ahead_max = map.find("ahead_max");
    map.finish();
    if (node.kind != YamlNode::Kind::map) return;
    const bool has_fields = load_time_fields(map, context_, rule_.observed_at);
    if (!has_fields && !load_scalar_source(map, context_, rule_.observed_at)) return;
    load_time_format(map, has_fields, context_, rule_.observed_at);
    load_missing_values(map, context_, rule_.observed_at);
    if (otherwise != nullptr) {
      rule_.else_when_received = otherwise->text == "received";
      if (!rule_.else_when_received) {
        mistake(otherwise->place,
                fmt::format("expected 'received' for 'otherwise', found '{}'", otherwise->text));
      }
    }
    rule_.observed_at.is_required = !rule_.else_when_received;
    if (ahead_max != nullptr) {
      const auto limit = read_duration(ahead_max->text);
      if (limit) {
        rule_.ahead_max = *limit;
      } else {
        mistake(ahead_max->place,
                fmt::format("expected a duration such as 90s, 15m, 24h or 7d for 'ahead_max', "
                            "found '{}'",
                            ahead_max->text));
      }
    }
  }

  void load_attributes(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::map) {
      return mistake(node.place, fmt::format("expected a map of attributes, found {}",
                                             yaml_kind_name(node.kind)));
    }
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const std::string& name = node.keys[i].text;
      if (!check_attribute_name(name, node.keys[i].place, context_.mistakes)) continue;
      const std::optional<AttributeInfo> declared = declared_attribute(name);
      auto loaded =
          load_attribute(name, node.children[i], declared ? &*declared : nullptr, context_);
      if (loaded) intern(*std::move(loaded), declared, node.keys[i].place);
    }
  }

  // As the first of the types that knows the attribute has it.
  std::optional<AttributeInfo> declared_attribute(const std::string& name) const {
    for (const ItemType& type : rule_.types) {
      if (const auto id = context_.schema.find_attribute(type.id, name)) {
        return context_.schema.attribute(type.id, *id);
      }
    }
    return std::nullopt;
  }

  void intern(LoadedAttribute loaded, const std::optional<AttributeInfo>& declared,
              YamlPlace place) {
    AttributeInfo info;
    if (declared) info = *declared;
    info.name = loaded.rule.name;
    info.kind = loaded.rule.kind;
    if (!loaded.unit_code.empty()) info.unit_code = loaded.unit_code;
    for (ItemType& type : rule_.types) {
      const bool is_known = context_.schema.find_attribute(type.id, info.name).has_value();
      const bool is_new_unit = !loaded.unit_code.empty();
      const auto id = is_known && !is_new_unit
                          ? context_.schema.intern_attribute(type.id, info.name, info.kind)
                          : context_.schema.declare_attribute(type.id, info);
      if (!id) return mistake(place, id.error().message);
      type.attributes.push_back(*id);
    }
    rule_.attributes.push_back(std::move(loaded.rule));
  }

  bool looks_into_array() const {
    const auto looks = [](const ValueRule& rule) {
      if (rule.path.begins_with_element() || rule.second_path.begins_with_element()) return true;
      if (rule.text_template.begins_with_element()) return true;
      return std::ranges::any_of(rule.time_fields, [](const std::optional<ValuePath>& path) {
        return path && path->begins_with_element();
      });
    };
    return std::ranges::any_of(rule_.attributes, looks) || looks(rule_.observed_at) ||
           rule_.id.begins_with_element() || (rule_.condition && looks(rule_.condition->value)) ||
           (rule_.type_choice && rule_.type_choice->text.begins_with_element());
  }

  const YamlNode& node_;
  RuleContext context_;
  YamlMap map_;
  ItemRule rule_;
};

}  // namespace

std::optional<ItemRule> load_item_rule(const YamlNode& node, RuleContext context) {
  return ItemRuleLoader(node, context).run();
}

}  // namespace ficus::connect
