#include "twin/entity_index.h"

#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"

namespace ficus::twin {
namespace {

constexpr std::size_t kSlotsMin = 1024;

}  // namespace

EntityIndex::EntityIndex() : slots_(kSlotsMin), shift_(32 - std::countr_zero(kSlotsMin)) {}

std::uint64_t EntityIndex::hash(std::string_view id) { return hash64(id); }

const EntityIndex::Slot& EntityIndex::first_slot(std::uint64_t hash) const {
  const std::uint32_t wanted = tag(hash);
  std::size_t slot = home(wanted);
  while (slots_[slot].entity != kEmpty && slots_[slot].tag != wanted) {
    slot = (slot + 1) & (slots_.size() - 1);
  }
  return slots_[slot];
}

void EntityIndex::prefetch_entity(std::uint64_t hash) const {
  const Slot& slot = first_slot(hash);
  if (slot.entity != kEmpty) __builtin_prefetch(&entities_[slot.entity]);
}

void EntityIndex::prefetch_id(std::uint64_t hash) const {
  const Slot& slot = first_slot(hash);
  if (slot.entity != kEmpty) __builtin_prefetch(entities_[slot.entity].id);
}

EntityId EntityIndex::find(TypeId type, std::uint64_t hash, std::string_view id) const {
  const std::uint32_t wanted = tag(hash);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = home(wanted);; slot = (slot + 1) & mask) {
    const Slot& s = slots_[slot];
    if (s.entity == kEmpty) return EntityId::none();
    if (s.tag != wanted) continue;
    const Entity& e = entities_[s.entity];
    if (e.type == type.index() && std::string_view(e.id, e.id_bytes) == id) {
      return EntityId(s.entity);
    }
  }
}

void EntityIndex::find_all(std::uint64_t hash, std::string_view id,
                           std::vector<EntityId>& out) const {
  const std::uint32_t wanted = tag(hash);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = home(wanted); slots_[slot].entity != kEmpty; slot = (slot + 1) & mask) {
    const Slot& s = slots_[slot];
    if (s.tag == wanted && this->id(EntityId(s.entity)) == id) out.push_back(EntityId(s.entity));
  }
}

EntityId EntityIndex::insert(TypeId type, std::uint64_t hash, std::string_view id,
                             std::uint32_t row) {
  FICUS_CHECK(id.size() <= kIdBytesMax && type.index() <= 0xffff);
  FICUS_CHECK(entities_.size() < kEmpty);
  // At most 7 in 10 slots are used: longer probes would cost more than the memory saved.
  if ((entities_.size() + 1) * 10 > slots_.size() * 7) grow();
  const auto entity = static_cast<std::uint32_t>(entities_.size());
  entities_.push_back({store(id), row, static_cast<std::uint16_t>(type.index()),
                       static_cast<std::uint16_t>(id.size())});
  put({tag(hash), entity});
  return EntityId(entity);
}

void EntityIndex::put(Slot slot) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = home(slot.tag);
  while (slots_[at].entity != kEmpty) at = (at + 1) & mask;
  slots_[at] = slot;
}

void EntityIndex::grow() {
  const LargeVector<Slot> old = std::move(slots_);
  FICUS_CHECK(shift_ > 1);
  slots_.assign(old.size() * 2, {});
  --shift_;
  for (const Slot& slot : old) {
    if (slot.entity != kEmpty) put(slot);
  }
}

const char* EntityIndex::store(std::string_view id) {
  char* const place = static_cast<char*>(ids_.take(id.size(), 1));
  std::memcpy(place, id.data(), id.size());
  return place;
}

std::size_t EntityIndex::memory_bytes() const {
  return slots_.capacity() * sizeof(Slot) + entities_.capacity() * sizeof(Entity) +
         ids_.memory_bytes();
}

}  // namespace ficus::twin
