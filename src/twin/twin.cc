#include "twin/twin.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "base/hash.h"
#include "base/planted.h"
#include "twin/query_run.h"
#include "twin/twin_capture.h"
#include "twin/type_table.h"

namespace ficus::twin {
namespace {

constexpr std::size_t kPrefetchRows = 16;

std::size_t text_bytes_of(const ObservationBatch& batch) {
  std::size_t bytes = 0;
  for (const Column& column : batch.columns()) bytes += column.texts.bytes();
  return bytes;
}

bool has_text(const ObservationBatch& batch, std::size_t row) {
  for (const Column& column : batch.columns()) {
    if (holds_text(column.kind) && !column.texts[row].empty()) return true;
  }
  return false;
}

TwinLimits within_bounds(TwinLimits limits) {
  limits.entities_max = std::min(limits.entities_max, std::size_t{0xfffffff0U});
  limits.id_bytes_max = std::min(limits.id_bytes_max, EntityIndex::kIdBytesMax);
  limits.duplicate_window_rows = std::max(limits.duplicate_window_rows, std::size_t{1});
  return limits;
}

// Adds the values of a column to the fingerprints of the rows. A sum, so that the order of a
// batch's columns does not matter.
void add_column(const Column& column, std::uint64_t seed, std::span<std::uint64_t> sums) {
  const auto add = [&](auto&& word_of) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (column.valid[i] != 0) sums[i] += word_of(i);
    }
  };
  switch (column.kind) {
    case ValueKind::none:
      return;
    case ValueKind::boolean:
    case ValueKind::number:
      return add([&](std::size_t i) {
        return hash_mix(seed, std::bit_cast<std::uint64_t>(column.numbers[i]));
      });
    case ValueKind::time:
      return add([&](std::size_t i) {
        return hash_mix(seed, static_cast<std::uint64_t>(column.times[i].micros));
      });
    case ValueKind::point:
      return add([&](std::size_t i) {
        const GeoPoint p = column.points[i];
        return hash_mix(hash_mix(seed, std::bit_cast<std::uint64_t>(p.longitude)),
                        std::bit_cast<std::uint64_t>(p.latitude));
      });
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return add([&](std::size_t i) { return hash64(column.texts[i], seed); });
  }
}

}  // namespace

Twin::Twin(Schema& schema, TwinLimits limits)
    : schema_(schema), limits_(within_bounds(limits)), duplicates_(limits_.duplicate_window_rows) {}

Twin::~Twin() = default;

TypeTable& Twin::table(TypeId type) {
  if (type.index() >= tables_.size()) tables_.resize(type.index() + 1);
  std::unique_ptr<TypeTable>& table = tables_[type.index()];
  if (!table) table = std::make_unique<TypeTable>(type, schema_);
  return *table;
}

const TypeTable* Twin::find_table(TypeId type) const {
  return type.index() < tables_.size() ? tables_[type.index()].get() : nullptr;
}

std::size_t Twin::entity_count(TypeId type) const {
  const TypeTable* table = find_table(type);
  return table == nullptr ? 0 : table->size();
}

std::size_t Twin::text_bytes() const {
  std::size_t bytes = 0;
  for (const auto& table : tables_) {
    if (table) bytes += table->text_bytes();
  }
  return bytes;
}

Status Twin::check_ids(const ObservationBatch& batch) const {
  for (std::size_t row = 0; row < batch.row_count(); ++row) {
    const std::size_t bytes = batch.ids()[row].size();
    if (!is_usable_id(batch.ids()[row])) {
      return invalid(fmt::format(
          "row {}: an id has 1 to {} bytes, this one {}: shorten it or raise twin.id_bytes_max",
          row, limits_.id_bytes_max, bytes));
    }
  }
  return {};
}

Status Twin::check_room(const ObservationBatch& batch) const {
  const std::size_t texts = text_bytes_of(batch);
  if (texts > 0 && text_bytes() + texts > limits_.text_bytes_max) {
    return fail(ErrorCode::overloaded,
                fmt::format("the texts of the twin are full ({} bytes): raise twin.text_bytes_max",
                            limits_.text_bytes_max));
  }
  // Only near the limit is it worth knowing which entities are new.
  if (entities_.size() + batch.row_count() <= limits_.entities_max) return {};
  std::vector<std::string_view> unknown;
  for (std::size_t row = 0; row < batch.row_count(); ++row) {
    const std::string_view id = batch.ids()[row];
    if (entities_.find(batch.type(), EntityIndex::hash(id), id).is_none()) unknown.push_back(id);
  }
  if (unknown.empty()) return {};  // also where there are more than a lowered limit allows
  std::ranges::sort(unknown);
  const auto repeated = std::ranges::unique(unknown);
  if (entities_.size() + unknown.size() - repeated.size() <= limits_.entities_max) return {};
  return fail(ErrorCode::overloaded,
              fmt::format("the twin is full ({} entities): cannot add '{}', raise "
                          "twin.entities_max",
                          limits_.entities_max, unknown.front()));
}

void Twin::acceptable_rows(const ObservationBatch& batch, std::vector<std::uint32_t>& rows) const {
  rows.clear();
  const bool has_text_room = text_bytes() + text_bytes_of(batch) <= limits_.text_bytes_max;
  std::vector<std::string_view> added;  // sorted
  for (std::uint32_t row = 0; row < batch.row_count(); ++row) {
    const std::string_view id = batch.ids()[row];
    if (!is_usable_id(id)) continue;
    if (!has_text_room && has_text(batch, row)) continue;
    if (entities_.find(batch.type(), EntityIndex::hash(id), id).is_none()) {
      const auto place = std::ranges::lower_bound(added, id);
      if (place == added.end() || *place != id) {
        if (entities_.size() + added.size() >= limits_.entities_max) continue;
        added.insert(place, id);
      }
    }
    rows.push_back(row);
  }
}

Status Twin::apply(const ObservationBatch& batch, std::span<const AttributeId> wanted,
                   AppliedRows& out) {
  if (!trusts_rows_) {
    FICUS_TRY_VOID(check_ids(batch));
    FICUS_TRY_VOID(check_room(batch));
  }
  TypeTable& table = this->table(batch.type());
  table.update_columns(schema_);
  resolve(batch, table, out);
  find_duplicates(batch, table, out);

  out.present.resize(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const AttributeColumn* column = table.find_column(wanted[i]);
    FICUS_CHECK(column != nullptr);
    Column& present = out.present[i];
    present.clear();
    present.attribute = wanted[i];
    present.kind = column->kind;
  }
  for (const Column& column : batch.columns()) {
    Column* present = nullptr;
    for (Column& candidate : out.present) {
      if (candidate.attribute == column.attribute) present = &candidate;
    }
    // Two columns of one attribute: the second has the last word.
    if (present != nullptr) present->clear();
    if (capture_ != nullptr && !FICUS_PLANTED(snapshot_sees_later_values)) {
      capture_->keep(table, column.attribute, rows_);
    }
    table.apply(column, batch.observed_at(), rows_, out.outcome, present);
  }
  for (Column& present : out.present) {
    if (present.size() != batch.row_count()) table.read(rows_, present);
  }

  out.applied_count = out.late_count = out.duplicate_count = 0;
  for (const RowOutcome outcome : out.outcome) {
    out.applied_count += outcome == RowOutcome::applied;
    out.late_count += outcome == RowOutcome::late;
    out.duplicate_count += outcome == RowOutcome::duplicate;
  }
  return {};
}

// Finds or adds the entity of every row, with the cache misses of several rows in flight at once.
void Twin::resolve(const ObservationBatch& batch, TypeTable& table, AppliedRows& out) {
  const std::size_t count = batch.row_count();
  id_hashes_.resize(count);
  rows_.resize(count);
  out.outcome.assign(count, RowOutcome::late);
  out.entity.resize(count);
  out.is_new_entity.assign(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    id_hashes_[i] = EntityIndex::hash(batch.ids()[i]);
    entities_.prefetch_slot(id_hashes_[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (i + 2 * kPrefetchRows < count) {
      entities_.prefetch_entity(id_hashes_[i + 2 * kPrefetchRows]);
    }
    if (i + kPrefetchRows < count) entities_.prefetch_id(id_hashes_[i + kPrefetchRows]);
    const std::string_view id = batch.ids()[i];
    EntityId entity = entities_.find(batch.type(), id_hashes_[i], id);
    if (entity.is_none()) [[unlikely]] {
      const auto row = static_cast<std::uint32_t>(table.size());
      entity = entities_.insert(batch.type(), id_hashes_[i], id, row);
      table.add_row(entity);
      out.is_new_entity[i] = 1;
      out.outcome[i] = RowOutcome::applied;
    }
    out.entity[i] = entity;
    rows_[i] = entities_.row(entity);
  }
}

void Twin::find_duplicates(const ObservationBatch& batch, TypeTable& table, AppliedRows& out) {
  const std::size_t count = batch.row_count();
  fingerprints_.assign(count, 0);
  for (const Column& column : batch.columns()) {
    FICUS_CHECK(column.attribute.index() < table.columns().size());
    add_column(column, table.columns()[column.attribute.index()].name_hash, fingerprints_);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto time = static_cast<std::uint64_t>(batch.observed_at()[i].micros);
    const std::uint64_t row = hash_mix(id_hashes_[i] + table.name_hash(), time);
    fingerprints_[i] = hash_mix(row, fingerprints_[i]);
    if (i < kPrefetchRows) duplicates_.prefetch(fingerprints_[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kPrefetchRows < count) duplicates_.prefetch(fingerprints_[i + kPrefetchRows]);
    if (duplicates_.is_repeated(fingerprints_[i])) out.outcome[i] = RowOutcome::duplicate;
    if (FICUS_PLANTED(drop_as_duplicate) && fingerprints_[i] % 64 == 0) {
      out.outcome[i] = RowOutcome::duplicate;
    }
  }
}

std::optional<EntityId> Twin::find_entity(std::string_view id, std::optional<TypeId> type) const {
  const std::uint64_t hash = EntityIndex::hash(id);
  if (type) {
    const EntityId entity = entities_.find(*type, hash, id);
    if (entity.is_none()) return std::nullopt;
    return entity;
  }
  std::vector<EntityId> found;
  entities_.find_all(hash, id, found);
  if (found.empty()) return std::nullopt;
  return *std::ranges::min_element(found);
}

std::optional<EntityView> Twin::find(std::string_view id) const {
  const std::optional<EntityId> found = find_entity(id);
  if (!found) return std::nullopt;
  return entity(*found);
}

EntityView Twin::entity(EntityId entity) const {
  FICUS_CHECK(entity.index() < entities_.size());
  EntityView view;
  view.id = entities_.id(entity);
  view.type = entities_.type(entity);
  const std::uint32_t row = entities_.row(entity);
  const std::span<const AttributeColumn> columns = find_table(view.type)->columns();
  for (std::uint32_t i = 0; i < columns.size(); ++i) {
    const Timestamp observed_at = columns[i].observed_at(row);
    if (observed_at == Timestamp::min()) continue;
    view.attributes.push_back({AttributeId(i), columns[i].value(row), observed_at});
  }
  return view;
}

Value Twin::value(EntityId entity, AttributeId attribute) const {
  FICUS_CHECK(entity.index() < entities_.size());
  const AttributeColumn* column = find_table(entities_.type(entity))->find_column(attribute);
  return column == nullptr ? Value() : column->value(entities_.row(entity));
}

Timestamp Twin::newest_observed_at(EntityId entity) const {
  FICUS_CHECK(entity.index() < entities_.size());
  Timestamp newest = Timestamp::min();
  for (const AttributeColumn& column : find_table(entities_.type(entity))->columns()) {
    newest = std::max(newest, column.observed_at(entities_.row(entity)));
  }
  return newest;
}

Result<QueryAnswer> Twin::query(const EntityQuery& query) const {
  QueryRun run(query, schema_, entities_, tables_);
  FICUS_TRY_VOID(run.check(limits_.query_entities_max));
  std::size_t total = 0;
  const bool is_near = query.geo && std::holds_alternative<NearPoint>(query.geo->area);
  QueryAnswer answer;
  for (const QueryRun::Match& match : run.run(total)) {
    answer.entities.push_back(entity(match.entity));
    if (is_near) answer.metres.push_back(match.metres);
  }
  if (query.count_total) answer.total = total;
  return answer;
}

TwinMemory Twin::memory() const {
  TwinMemory memory;
  memory.ids_bytes = entities_.memory_bytes();
  memory.duplicates_bytes = duplicates_.memory_bytes();
  for (const auto& table : tables_) {
    if (!table) continue;
    memory.attributes_bytes += table->attributes_bytes();
    memory.text_bytes += table->text_bytes();
    memory.locations_bytes += table->locations_bytes();
  }
  return memory;
}

}  // namespace ficus::twin
