#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/large_pages.h"
#include "model/ids.h"

namespace ficus::twin {

// Which entities there are: from (type, id) to EntityId and back. Ids lie in an arena and never
// move. The hash table holds 8 bytes a slot: the entity and 32 bits of the hash, whose upper bits
// are also the home of the slot, so that growing needs no id and no hash again.
class EntityIndex {
 public:
  static constexpr std::size_t kIdBytesMax = 0xffff;

  EntityIndex();

  static std::uint64_t hash(std::string_view id);

  std::size_t size() const { return entities_.size(); }
  std::string_view id(EntityId entity) const {
    const Entity& e = entities_[entity.index()];
    return {e.id, e.id_bytes};
  }
  TypeId type(EntityId entity) const { return TypeId(entities_[entity.index()].type); }
  std::uint32_t row(EntityId entity) const { return entities_[entity.index()].row; }

  // `hash` is that of `id`. None if there is no such entity.
  EntityId find(TypeId type, std::uint64_t hash, std::string_view id) const;
  // Appends the entities with this id, of whatever type.
  void find_all(std::uint64_t hash, std::string_view id, std::vector<EntityId>& out) const;
  // Adds an entity that will be row `row` of its type's table. REQUIRES: it is not there; id is not
  // longer than kIdBytesMax.
  EntityId insert(TypeId type, std::uint64_t hash, std::string_view id, std::uint32_t row);

  // The three cache misses of a look-up, to be overlapped over the rows of a batch.
  void prefetch_slot(std::uint64_t hash) const { __builtin_prefetch(&slots_[home(tag(hash))]); }
  void prefetch_entity(std::uint64_t hash) const;
  void prefetch_id(std::uint64_t hash) const;

  std::size_t memory_bytes() const;

 private:
  static constexpr std::uint32_t kEmpty = 0xffffffffU;

  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t entity = kEmpty;
  };
  struct Entity {
    const char* id = nullptr;
    std::uint32_t row = 0;
    std::uint16_t type = 0;
    std::uint16_t id_bytes = 0;
  };

  // Shards are chosen by the hash of the id as well; another mix keeps a shard's entities spread.
  static std::uint32_t tag(std::uint64_t hash) {
    return static_cast<std::uint32_t>((hash * 0x9e3779b97f4a7c15ULL) >> 32);
  }
  std::size_t home(std::uint32_t tag) const { return tag >> shift_; }
  // The first slot at or after home with this tag, or the first empty one.
  const Slot& first_slot(std::uint64_t hash) const;
  void put(Slot slot);
  void grow();
  const char* store(std::string_view id);

  LargeVector<Slot> slots_;  // a power of two
  int shift_ = 0;            // 32 - log2(slots)
  LargeVector<Entity> entities_;
  BlockArena ids_;
};

}  // namespace ficus::twin
