#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "model/schema.h"
#include "rules/rows_view.h"
#include "rules/rule_book.h"

namespace ficus::rules::testing {

// One observation, as a test writes it down.
struct Reading {
  std::string type;
  std::string id;
  Timestamp observed_at;
  std::vector<std::pair<std::string, Value>> values;
};

// The twin's part in the life of rules, in the simplest form: newest value of each attribute by
// observation time. For tests only.
class FakeTwin : public PresentReader {
 public:
  explicit FakeTwin(const Schema& schema) : schema_(schema) {}

  // Applies readings of one type and lets the rules see them as one batch.
  void observe(std::span<const Reading> readings, Timestamp received_at, RuleBook& book,
               std::vector<Emission>& out) {
    const TypeId type = *schema_.find_type(readings.front().type);
    TextColumn ids;
    std::vector<Timestamp> observed_at;
    std::vector<EntityId> entities;
    std::vector<std::uint32_t> counted;
    std::vector<Column> present = columns(type, book.wanted(type));
    for (const Reading& reading : readings) {
      FICUS_CHECK(reading.type == readings.front().type);
      const EntityId entity = intern(type, reading.id);
      if (apply(entity, reading)) counted.push_back(static_cast<std::uint32_t>(ids.size()));
      ids.push_back(reading.id);
      observed_at.push_back(reading.observed_at);
      entities.push_back(entity);
      push_present(entity, present);
    }
    book.observe({type, &ids, observed_at, entities, present, counted}, received_at, out);
  }

  void read(TypeId type, std::span<const EntityId> entities, std::span<const AttributeId> wanted,
            PresentRows& out) const override {
    FICUS_CHECK(out.present.size() == wanted.size());
    for (const EntityId entity : entities) {
      const Entity& e = entities_[entity.index()];
      FICUS_CHECK(e.type == type);
      out.ids.push_back(e.id);
      out.observed_at.push_back(e.newest);
      push_present(entity, out.present);
    }
  }

 private:
  struct Entity {
    TypeId type;
    std::string id;
    Timestamp newest = Timestamp::min();
    std::map<AttributeId, std::pair<Value, Timestamp>> values;
  };

  std::vector<Column> columns(TypeId type, std::span<const AttributeId> wanted) const {
    std::vector<Column> present;
    for (const AttributeId attribute : wanted) {
      present.emplace_back(attribute, schema_.attribute_kind(type, attribute));
    }
    return present;
  }

  EntityId intern(TypeId type, const std::string& id) {
    for (std::uint32_t i = 0; i < entities_.size(); ++i) {
      if (entities_[i].type == type && entities_[i].id == id) return EntityId(i);
    }
    entities_.push_back({type, id, Timestamp::min(), {}});
    return EntityId(static_cast<std::uint32_t>(entities_.size() - 1));
  }

  // False for a late row.
  bool apply(EntityId id, const Reading& reading) {
    Entity& entity = entities_[id.index()];
    bool newer = entity.newest == Timestamp::min();
    for (const auto& [name, value] : reading.values) {
      const AttributeId attribute = *schema_.find_attribute(entity.type, name);
      const auto [at, is_new] = entity.values.try_emplace(attribute, value, reading.observed_at);
      if (!is_new && at->second.second > reading.observed_at) continue;
      at->second = {value, reading.observed_at};
      newer = true;
    }
    if (newer) entity.newest = std::max(entity.newest, reading.observed_at);
    return newer;
  }

  void push_present(EntityId id, std::vector<Column>& present) const {
    const Entity& entity = entities_[id.index()];
    for (Column& column : present) {
      const auto found = entity.values.find(column.attribute);
      if (found == entity.values.end()) {
        column.push_none();
      } else {
        column.push(found->second.first);
      }
    }
  }

  const Schema& schema_;
  std::vector<Entity> entities_;
};

}  // namespace ficus::rules::testing
