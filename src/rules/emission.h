#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "model/value.h"
#include "rules/rule_id.h"

namespace ficus::rules {

// One edge of a rule for one entity. Emitted when the condition becomes true (`met`), and again
// when it stops being true; never in between.
struct Emission {
  RuleId rule;
  EntityId entity;        // the entity of the FROM type
  std::string entity_id;  // its URI
  bool met = false;       // false: the condition has ended
  // Of the row that made the edge; of an absence, the moment at which it had lasted long enough.
  Timestamp observed_at;
  // The SELECT values, by attribute of the INTO type; only of a met edge. A NULL is left out.
  std::vector<std::pair<AttributeId, Value>> values;

  friend bool operator==(const Emission&, const Emission&) = default;
};

}  // namespace ficus::rules
