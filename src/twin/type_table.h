#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/ids.h"
#include "model/observation_batch.h"
#include "model/schema.h"
#include "twin/applied_rows.h"
#include "twin/attribute_column.h"
#include "twin/location_grid.h"

namespace ficus::twin {

// All entities of one type: one row each, one column an attribute, and an index over the attribute
// `location`. Rows are in the order of EntityIds.
class TypeTable {
 public:
  TypeTable(TypeId type, const Schema& schema);

  TypeId type() const { return type_; }
  std::uint64_t name_hash() const { return name_hash_; }
  std::size_t size() const { return entities_.size(); }
  EntityId entity(std::uint32_t row) const { return entities_[row]; }
  std::uint32_t add_row(EntityId entity);

  // Adds columns for attributes that the schema learned since.
  void update_columns(const Schema& schema);
  // Null if the attribute came to the schema after the last update: no entity has it.
  const AttributeColumn* find_column(AttributeId attribute) const {
    return attribute.index() < columns_.size() ? &columns_[attribute.index()] : nullptr;
  }
  std::span<const AttributeColumn> columns() const { return columns_; }

  // Applies the values of one batch column, row by row: rows[i] is the table row of batch row i,
  // which is passed over if outcome[i] is duplicate, and becomes applied if its value is taken.
  // If `present` is given, it receives the value that stands after each row.
  // REQUIRES: the column is there and of this kind; all spans have the size of `incoming`.
  void apply(const Column& incoming, std::span<const Timestamp> observed_at,
             std::span<const std::uint32_t> rows, std::span<RowOutcome> outcome, Column* present);
  // Appends the present value of the column's attribute for each row.
  void read(std::span<const std::uint32_t> rows, Column& present) const;

  // The attribute that the grid covers: `location`, if it is a point.
  std::optional<AttributeId> location() const { return location_; }
  const LocationGrid& grid() const { return grid_; }

  std::size_t text_bytes() const { return text_bytes_; }  // outside of cells
  std::size_t attributes_bytes() const;                   // with the texts
  std::size_t locations_bytes() const { return grid_.memory_bytes(); }

 private:
  template <typename T, typename Incoming, typename Write>
  void apply_cells(CellChunks<T>& chunks, const Column& incoming,
                   std::span<const Timestamp> observed_at, std::span<const std::uint32_t> rows,
                   std::span<RowOutcome> outcome, Column* present, Incoming value_of, Write write);

  const TypeId type_;
  const std::uint64_t name_hash_;
  std::vector<EntityId> entities_;
  BlockArena cells_;  // of the columns
  std::vector<AttributeColumn> columns_;
  std::optional<AttributeId> location_;
  LocationGrid grid_;
  std::size_t text_bytes_ = 0;
};

}  // namespace ficus::twin
