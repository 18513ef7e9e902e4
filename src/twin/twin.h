#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/ids.h"
#include "model/observation_batch.h"
#include "model/schema.h"
#include "twin/applied_rows.h"
#include "twin/duplicate_filter.h"
#include "twin/entity_index.h"
#include "twin/query.h"

namespace ficus::twin {

class TwinCapture;
class TypeTable;

struct TwinLimits {
  std::size_t entities_max = 2'000'000;               // of the shard
  std::size_t text_bytes_max = std::size_t{4} << 30;  // of all texts that do not fit in their cell
  std::size_t id_bytes_max = 2048;                    // of one id; at most 65535
  std::size_t duplicate_window_rows = 1 << 20;        // a repeated row is recognised for this long
  std::size_t query_entities_max = 100'000;           // offset + limit of a query
};

struct TwinMemory {
  std::size_t ids_bytes = 0;         // ids and the index over them
  std::size_t attributes_bytes = 0;  // values with their times
  std::size_t text_bytes = 0;        // part of attributes_bytes
  std::size_t locations_bytes = 0;   // the index over points
  std::size_t duplicates_bytes = 0;  // the duplicate filter
  std::size_t total() const {
    return ids_bytes + attributes_bytes + locations_bytes + duplicates_bytes;
  }
};

// What is true now, of the entities of one shard: a fold over its observations. Owned and used by
// the shard's thread; no I/O, no clock.
//
// An entity is known by its type and id: the same id with two types is two entities. An attribute
// has one value and the time it was observed at. A newer value replaces it, an older one does not;
// at the same time, the last to arrive wins. A row that lacks an attribute leaves it as it is.
class Twin {
 public:
  // `schema` is borrowed for the life of the twin.
  Twin(Schema& schema, TwinLimits limits);
  ~Twin();
  Twin(const Twin&) = delete;
  Twin& operator=(const Twin&) = delete;

  // Applies all rows in order, or none: `overloaded` if there is no room for the batch's new
  // entities or texts, `invalid_input` if an id is empty or too long; the twin is then as before.
  // `wanted`: distinct attributes of the batch's type whose present values the caller needs.
  // REQUIRES: the batch is finished, and its columns have the kinds the schema says.
  Status apply(const ObservationBatch& batch, std::span<const AttributeId> wanted,
               AppliedRows& out);
  // While set, apply() does not ask its limits: what is replayed was accepted once, perhaps under
  // higher ones.
  void set_trusts_rows(bool trusts) { trusts_rows_ = trusts; }
  bool is_usable_id(std::string_view id) const {
    return !id.empty() && id.size() <= limits_.id_bytes_max;
  }
  const TwinLimits& limits() const { return limits_; }
  // The rows that apply() would accept, in order: where the twin is full, rows of known entities
  // still pass. `rows` is replaced. For the caller to select() from the batch before it is logged.
  void acceptable_rows(const ObservationBatch& batch, std::vector<std::uint32_t>& rows) const;

  // `invalid_input` if the query contradicts itself or the schema, or asks for too much.
  Result<QueryAnswer> query(const EntityQuery& query) const;

  std::optional<EntityView> find(std::string_view id) const;  // of several types, the oldest
  std::optional<EntityId> find_entity(std::string_view id,
                                      std::optional<TypeId> type = std::nullopt) const;
  // REQUIRES of each: the entity is of this twin. Ids stay where they are for the life of the twin.
  EntityView entity(EntityId entity) const;
  std::string_view id_of(EntityId entity) const { return entities_.id(entity); }
  TypeId type_of(EntityId entity) const { return entities_.type(entity); }
  Value value(EntityId entity, AttributeId attribute) const;  // none if not known
  // The time of the newest attribute; Timestamp::min() if there is none.
  Timestamp newest_observed_at(EntityId entity) const;

  // Appends the whole state, types and attributes by name; the same state gives the same bytes.
  void encode(std::string& out) const;
  // The same, in shares: from now on the capture is told before anything changes; null: no longer.
  // Borrowed.
  void set_capture(TwinCapture* capture) { capture_ = capture; }
  // Replaces the whole state; EntityIds are as they were. `corrupt` if encode did not write the
  // bytes, or the schema's error if it has no room or another kind; the twin is then as before.
  Status decode(std::string_view bytes);

  std::size_t entity_count() const { return entities_.size(); }
  std::size_t entity_count(TypeId type) const;
  TwinMemory memory() const;

 private:
  friend class TwinCapture;

  TypeTable& table(TypeId type);
  const TypeTable* find_table(TypeId type) const;  // null if it has no entity
  std::size_t text_bytes() const;
  Status check_ids(const ObservationBatch& batch) const;
  Status check_room(const ObservationBatch& batch) const;
  void resolve(const ObservationBatch& batch, TypeTable& table, AppliedRows& out);
  void find_duplicates(const ObservationBatch& batch, TypeTable& table, AppliedRows& out);

  Schema& schema_;
  const TwinLimits limits_;
  EntityIndex entities_;
  std::vector<std::unique_ptr<TypeTable>> tables_;  // by TypeId; null until the type is seen
  DuplicateFilter duplicates_;
  bool trusts_rows_ = false;
  TwinCapture* capture_ = nullptr;  // of the snapshot that is under way

  // Of the batch at work; kept for their memory.
  std::vector<std::uint64_t> id_hashes_;
  std::vector<std::uint64_t> fingerprints_;
  std::vector<std::uint32_t> rows_;  // in the type's table
};

}  // namespace ficus::twin
