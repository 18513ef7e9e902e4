#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "codec/json/json_path.h"
#include "connect/mapping/text_template.h"
#include "connect/mapping/value_rule.h"
#include "model/ids.h"

namespace ficus::connect {

// A type that items can have, with the handles of the rule's attributes in their order.
struct ItemType {
  std::string name;
  TypeId id;
  std::vector<AttributeId> attributes;
};

// Which of the types an item has, by a text made from it.
struct TypeChoice {
  struct Entry {
    std::string text;
    std::size_t type = 0;  // index in ItemRule::types
  };
  std::string where;
  TextTemplate text;
  std::vector<Entry> entries;
  std::optional<std::size_t> otherwise;
};

// Which items are meant; others are refused.
struct ItemCondition {
  ValueRule value;  // its source only
  std::vector<std::string> in;
};

// One `map:` of a source, compiled by item_rule_loader.h. A value.
struct ItemRule {
  std::string where;                  // "sources.yaml:7: "
  std::vector<json::JsonStep> items;  // fans out at each `[*]` and `.*`
  std::string items_text;
  // Without `items`, a payload that is an array is a list of items.
  bool takes_top_array = false;
  std::optional<ItemCondition> condition;

  std::vector<ItemType> types;            // never empty
  std::optional<TypeChoice> type_choice;  // none: the only type

  std::string id_where;
  TextTemplate id;
  bool is_id_whole = false;  // the id's scheme comes with the item, not with the template

  bool is_observed_when_received = false;
  bool else_when_received = false;
  ValueRule observed_at;
  Micros ahead_max = Micros::from_hours(24);

  std::vector<ValueRule> attributes;
};

}  // namespace ficus::connect
