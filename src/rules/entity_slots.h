#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/large_pages.h"
#include "model/ids.h"

namespace ficus::rules {

// Numbers the entities that rules have seen, by type and without gaps, so that the state of a rule
// is a dense vector over the entities of its own type only. A slot is never given up.
class EntitySlots {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffU;

  // The slot of the entity among those of `type`, new if it has none yet.
  // REQUIRES: an entity always comes with the same type.
  std::uint32_t slot_of(TypeId type, EntityId entity) {
    const std::size_t index = entity.index();
    if (index >= slots_.size()) slots_.resize(index + 1, kNone);
    if (slots_[index] == kNone) add(type, index);
    return slots_[index];
  }
  // By slot; empty for a type nothing was seen of.
  std::span<const EntityId> entities(TypeId type) const {
    if (type.index() >= entities_.size()) return {};
    return entities_[type.index()];
  }
  bool is_known(EntityId entity) const {
    return entity.index() < slots_.size() && slots_[entity.index()] != kNone;
  }
  std::size_t bytes() const {
    std::size_t total = slots_.capacity() * sizeof(std::uint32_t);
    for (const std::vector<EntityId>& list : entities_) total += list.capacity() * sizeof(EntityId);
    return total;
  }

 private:
  void add(TypeId type, std::size_t index) {
    if (type.index() >= entities_.size()) entities_.resize(type.index() + 1);
    std::vector<EntityId>& list = entities_[type.index()];
    slots_[index] = static_cast<std::uint32_t>(list.size());
    list.push_back(EntityId(static_cast<std::uint32_t>(index)));
  }

  LargeVector<std::uint32_t> slots_;             // by EntityId
  std::vector<std::vector<EntityId>> entities_;  // by TypeId, then slot
};

}  // namespace ficus::rules
