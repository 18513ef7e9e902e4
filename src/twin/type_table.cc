#include "twin/type_table.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "base/planted.h"

namespace ficus::twin {
namespace {

constexpr std::size_t kPrefetchRows = 16;  // ahead of the row at work: about one memory latency

// Timestamp::min() marks a cell as unknown; a reading from then counts as a microsecond younger.
Timestamp known_time(Timestamp t) { return std::max(t, Timestamp::min() + Micros{1}); }

void push_cell(const Cell<double>& cell, Column& out) { out.push_number(cell.value); }
void push_cell(const Cell<Timestamp>& cell, Column& out) { out.push_time(cell.value); }
void push_cell(const Cell<GeoPoint>& cell, Column& out) { out.push_point(cell.value); }
void push_cell(const Cell<std::string>& cell, Column& out) { out.push_text(cell.value); }

template <typename T>
void push_present(const Cell<T>* cell, Column& out) {
  if (cell == nullptr || !cell->is_known()) {
    out.push_none();
  } else {
    push_cell(*cell, out);
  }
}

}  // namespace

TypeTable::TypeTable(TypeId type, const Schema& schema)
    : type_(type), name_hash_(hash64(schema.type_name(type))) {
  update_columns(schema);
}

std::uint32_t TypeTable::add_row(EntityId entity) {
  entities_.push_back(entity);
  return static_cast<std::uint32_t>(entities_.size() - 1);
}

void TypeTable::update_columns(const Schema& schema) {
  const std::size_t count = schema.attribute_count(type_);
  while (columns_.size() < count) {
    const AttributeId id(static_cast<std::uint32_t>(columns_.size()));
    const std::string& name = schema.attribute_name(type_, id);
    AttributeColumn& column = columns_.emplace_back();
    column.kind = schema.attribute_kind(type_, id);
    column.name_hash = hash64(name);
    if (name == "location" && column.kind == ValueKind::point) location_ = id;
  }
}

template <typename T, typename Incoming, typename Write>
void TypeTable::apply_cells(CellChunks<T>& chunks, const Column& incoming,
                            std::span<const Timestamp> observed_at,
                            std::span<const std::uint32_t> rows, std::span<RowOutcome> outcome,
                            Column* present, Incoming value_of, Write write) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i + kPrefetchRows < rows.size()) chunks.prefetch(rows[i + kPrefetchRows]);
    if (incoming.valid[i] != 0 && outcome[i] != RowOutcome::duplicate) {
      Cell<T>& cell = chunks.at(rows[i], cells_);
      const Timestamp time = known_time(observed_at[i]);
      const auto value = value_of(i);
      if (FICUS_PLANTED(ignore_time_of_observation) || time > cell.observed_at ||
          (time == cell.observed_at && !(cell.value == value))) {
        write(cell, value, rows[i]);
        cell.observed_at = time;
        outcome[i] = RowOutcome::applied;
      }
    }
    if (present != nullptr) push_present(chunks.find(rows[i]), *present);
  }
}

void TypeTable::apply(const Column& incoming, std::span<const Timestamp> observed_at,
                      std::span<const std::uint32_t> rows, std::span<RowOutcome> outcome,
                      Column* present) {
  FICUS_CHECK(incoming.attribute.index() < columns_.size());
  AttributeColumn& column = columns_[incoming.attribute.index()];
  FICUS_CHECK(column.kind == incoming.kind);
  FICUS_CHECK(incoming.size() == rows.size() && observed_at.size() == rows.size() &&
              outcome.size() == rows.size());
  const auto set = [](auto& cell, const auto& value, std::uint32_t) { cell.value = value; };
  switch (incoming.kind) {
    case ValueKind::none:
      return;
    case ValueKind::boolean:
    case ValueKind::number:
      return apply_cells(
          column.numbers, incoming, observed_at, rows, outcome, present,
          [&](std::size_t i) { return incoming.numbers[i]; }, set);
    case ValueKind::time:
      return apply_cells(
          column.times, incoming, observed_at, rows, outcome, present,
          [&](std::size_t i) { return incoming.times[i]; }, set);
    case ValueKind::point: {
      const bool is_indexed = location_ == incoming.attribute;
      return apply_cells(
          column.points, incoming, observed_at, rows, outcome, present,
          [&](std::size_t i) { return incoming.points[i]; },
          [&](Cell<GeoPoint>& cell, GeoPoint value, std::uint32_t row) {
            if (is_indexed && cell.is_known()) grid_.move(row, cell.value, value);
            if (is_indexed && !cell.is_known()) grid_.insert(row, value);
            cell.value = value;
          });
    }
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return apply_cells(
          column.texts, incoming, observed_at, rows, outcome, present,
          [&](std::size_t i) { return incoming.texts[i]; },
          [&](Cell<std::string>& cell, std::string_view value, std::uint32_t) {
            text_bytes_ += static_cast<std::size_t>(assign_text(cell.value, value));
          });
  }
}

void TypeTable::read(std::span<const std::uint32_t> rows, Column& present) const {
  const AttributeColumn* column = find_column(present.attribute);
  FICUS_CHECK(column != nullptr && column->kind == present.kind);
  AttributeColumn::visit_chunks(*column, [&](const auto& chunks) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i + kPrefetchRows < rows.size()) chunks.prefetch(rows[i + kPrefetchRows]);
      push_present(chunks.find(rows[i]), present);
    }
  });
}

std::size_t TypeTable::attributes_bytes() const {
  std::size_t bytes = text_bytes_ + entities_.capacity() * sizeof(EntityId) +
                      columns_.capacity() * sizeof(AttributeColumn);
  for (const AttributeColumn& column : columns_) bytes += column.memory_bytes();
  return bytes;
}

}  // namespace ficus::twin
