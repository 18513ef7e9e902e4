#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "twin/snapshot_bytes.h"
#include "twin/twin.h"
#include "twin/type_table.h"

// The state of a twin as bytes, version 1. Little-endian, no padding:
//
//   "FICUSTW1"
//   u32 types; each, by ascending name:
//     u8 length, name; u32 attributes; each, by ascending name: u8 length, name; u8 kind
//   u32 entities; u16 type each; u16 id length each; the ids
//   for each type, for each attribute:
//     one bit a row of the type (least significant first): whether it is known
//     of the known: i64 observed_at each, then the values:
//     number f64; boolean u8; time i64; point 2 x f64; texts: u32 length each, the bytes
//   u64 rows in the present generation of the duplicate filter; u32 fingerprints, u64 each
//   ascending; the same of the former generation, without rows
//
// Only types with entities and attributes with values are written, so that equal states are equal
// bytes, whatever numbers the schema gave them. The log's snapshot files carry the checksum.
namespace ficus::twin {
namespace {

constexpr std::string_view kMagic = "FICUSTW1";

struct StoredAttribute {
  std::string name;
  ValueKind kind = ValueKind::none;
  AttributeId id;
};

struct StoredType {
  std::string name;
  TypeId id;
  std::vector<StoredAttribute> attributes;
};

std::unexpected<Error> corrupt(std::string what) {
  return fail(ErrorCode::corrupt, "the snapshot of the twin is damaged: " + std::move(what));
}

void put_name(std::string& out, const std::string& name) {
  put(out, static_cast<std::uint8_t>(name.size()));
  out.append(name);
}

// ---- encode

std::vector<std::uint32_t> known_rows(const AttributeColumn& column, std::size_t row_count) {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < row_count; ++row) {
    if (column.observed_at(row) != Timestamp::min()) rows.push_back(row);
  }
  return rows;
}

bool has_value(const AttributeColumn& column, std::size_t row_count) {
  for (std::uint32_t row = 0; row < row_count; ++row) {
    if (column.observed_at(row) != Timestamp::min()) return true;
  }
  return false;
}

void put_value(std::string& out, ValueKind kind, double v) {
  if (kind == ValueKind::boolean) {
    put(out, static_cast<std::uint8_t>(v != 0));
  } else {
    put(out, v);
  }
}
void put_value(std::string& out, ValueKind, Timestamp v) { put(out, v.micros); }
void put_value(std::string& out, ValueKind, GeoPoint v) {
  put(out, v.longitude);
  put(out, v.latitude);
}
void put_value(std::string& out, ValueKind, const std::string& v) { out.append(v); }

void put_column(std::string& out, const AttributeColumn& column, std::size_t row_count) {
  const std::vector<std::uint32_t> rows = known_rows(column, row_count);
  std::vector<std::uint8_t> bits((row_count + 7) / 8);
  for (const std::uint32_t row : rows) {
    bits[row / 8] = static_cast<std::uint8_t>(bits[row / 8] | 1U << row % 8);
  }
  put_all(out, std::span<const std::uint8_t>(bits));
  AttributeColumn::visit_chunks(column, [&](const auto& chunks) {
    for (const std::uint32_t row : rows) put(out, chunks.find(row)->observed_at.micros);
    if (holds_text(column.kind)) {
      for (const std::uint32_t row : rows) {
        put(out, static_cast<std::uint32_t>(column.texts.find(row)->value.size()));
      }
    }
    for (const std::uint32_t row : rows) put_value(out, column.kind, chunks.find(row)->value);
  });
}

void put_fingerprints(std::string& out, const FingerprintSet& set) {
  const std::vector<std::uint64_t> sorted = set.sorted();
  put(out, static_cast<std::uint32_t>(sorted.size()));
  put_all(out, std::span<const std::uint64_t>(sorted));
}

// ---- decode

Result<std::string> read_name(SnapshotBytes& in) {
  const std::string_view name = in.text(in.value<std::uint8_t>());
  if (in.has_failed() || !is_valid_name(name)) return corrupt("a name");
  return std::string(name);
}

Result<StoredType> read_type(SnapshotBytes& in) {
  StoredType type;
  FICUS_TRY(type.name, read_name(in));
  const auto count = in.value<std::uint32_t>();
  for (std::uint32_t i = 0; i < count; ++i) {
    StoredAttribute attribute;
    FICUS_TRY(attribute.name, read_name(in));
    const auto kind = in.value<std::uint8_t>();
    if (in.has_failed() || kind < 1 || kind > std::to_underlying(ValueKind::json)) {
      return corrupt(fmt::format("the kind of {}.{}", type.name, attribute.name));
    }
    attribute.kind = static_cast<ValueKind>(kind);
    if (i > 0 && attribute.name <= type.attributes.back().name) {
      return corrupt("attributes out of order in " + type.name);
    }
    type.attributes.push_back(std::move(attribute));
  }
  if (in.has_failed()) return corrupt("it ends within the types");
  return type;
}

Result<std::vector<StoredType>> read_types(SnapshotBytes& in) {
  std::vector<StoredType> types;
  const auto count = in.value<std::uint32_t>();
  for (std::uint32_t i = 0; i < count; ++i) {
    FICUS_TRY(StoredType type, read_type(in));
    if (i > 0 && type.name <= types.back().name) return corrupt("types out of order");
    types.push_back(std::move(type));
  }
  if (in.has_failed()) return corrupt("it ends within the types");
  return types;
}

Status intern(std::vector<StoredType>& types, Schema& schema) {
  for (StoredType& type : types) {
    FICUS_TRY(type.id, schema.intern_type(type.name));
    for (StoredAttribute& attribute : type.attributes) {
      FICUS_TRY(attribute.id, schema.intern_attribute(type.id, attribute.name, attribute.kind));
    }
  }
  return {};
}

// The rows whose bit is set. Fails on bits beyond the last row.
std::vector<std::uint32_t> read_rows(SnapshotBytes& in, std::size_t row_count, bool& is_sound) {
  const std::string_view bits = in.text((row_count + 7) / 8);
  std::vector<std::uint32_t> rows;
  for (std::size_t row = 0; row < bits.size() * 8; ++row) {
    if ((static_cast<unsigned char>(bits[row / 8]) >> row % 8 & 1) == 0) continue;
    is_sound = is_sound && row < row_count;
    rows.push_back(static_cast<std::uint32_t>(row));
  }
  is_sound = is_sound && !rows.empty() && !in.has_failed();
  return rows;
}

// The next `count` values of the kind into the column; `lengths` are those of texts. False if a
// value cannot be what encode wrote.
bool read_values(SnapshotBytes& in, std::size_t count, std::span<const std::uint32_t> lengths,
                 Column& column) {
  bool is_sound = true;
  switch (column.kind) {
    case ValueKind::none:
      return false;
    case ValueKind::boolean:
      for (const std::uint8_t v : in.values<std::uint8_t>(count)) {
        is_sound = is_sound && v <= 1;
        column.push_boolean(v != 0);
      }
      break;
    case ValueKind::number:
      for (const double v : in.values<double>(count)) column.push_number(v);
      break;
    case ValueKind::time:
      for (const std::int64_t v : in.values<std::int64_t>(count)) column.push_time({v});
      break;
    case ValueKind::point:
      for (const GeoPoint& v : in.values<GeoPoint>(count)) column.push_point(v);
      break;
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      for (const std::uint32_t length : lengths) column.push_text(in.text(length));
      break;
  }
  return is_sound && !in.has_failed();
}

// How many of the texts go into one column, whose size is limited to 32 bits.
std::size_t texts_that_fit(std::span<const std::uint32_t> lengths) {
  std::uint64_t bytes = 0;
  std::size_t count = 0;
  while (count < lengths.size() && bytes + lengths[count] <= UINT32_MAX) bytes += lengths[count++];
  return count;
}

Status read_column(SnapshotBytes& in, const StoredAttribute& attribute, TypeTable& table) {
  constexpr std::size_t kRowsAtOnce = 4096;
  bool is_sound = true;
  const std::vector<std::uint32_t> rows = read_rows(in, table.size(), is_sound);
  const std::vector<Timestamp> observed_at = in.values<Timestamp>(rows.size());
  std::vector<std::uint32_t> lengths;
  if (holds_text(attribute.kind)) lengths = in.values<std::uint32_t>(rows.size());
  if (!is_sound || in.has_failed() || std::ranges::count(observed_at, Timestamp::min()) > 0) {
    return corrupt("the times of " + attribute.name);
  }
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t count = std::min(kRowsAtOnce, rows.size() - begin);
    std::span<const std::uint32_t> next_lengths;
    if (!lengths.empty()) {
      count = texts_that_fit(std::span(lengths).subspan(begin, count));
      next_lengths = std::span(lengths).subspan(begin, count);
    }
    Column column(attribute.id, attribute.kind);
    if (!read_values(in, count, next_lengths, column)) {
      return corrupt("the values of " + attribute.name);
    }
    std::vector<RowOutcome> outcome(count, RowOutcome::late);
    table.apply(column, std::span(observed_at).subspan(begin, count),
                std::span(rows).subspan(begin, count), outcome, nullptr);
    begin += count;
  }
  return {};
}

bool read_fingerprints(SnapshotBytes& in, std::vector<std::uint64_t>& out) {
  out = in.values<std::uint64_t>(in.value<std::uint32_t>());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == 0 || (i > 0 && out[i] <= out[i - 1])) return false;
  }
  return !in.has_failed();
}

}  // namespace

void Twin::encode(std::string& out) const {
  std::vector<StoredType> types;
  for (const auto& table : tables_) {
    if (!table || table->size() == 0) continue;
    StoredType type{schema_.type_name(table->type()), table->type(), {}};
    for (std::uint32_t i = 0; i < table->columns().size(); ++i) {
      const AttributeColumn& column = table->columns()[i];
      if (!has_value(column, table->size())) continue;
      type.attributes.push_back(
          {schema_.attribute_name(table->type(), AttributeId(i)), column.kind, AttributeId(i)});
    }
    std::ranges::sort(type.attributes, {}, &StoredAttribute::name);
    types.push_back(std::move(type));
  }
  std::ranges::sort(types, {}, &StoredType::name);

  out.append(kMagic);
  put(out, static_cast<std::uint32_t>(types.size()));
  std::vector<std::uint16_t> stored_type(tables_.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    stored_type[types[i].id.index()] = static_cast<std::uint16_t>(i);
    put_name(out, types[i].name);
    put(out, static_cast<std::uint32_t>(types[i].attributes.size()));
    for (const StoredAttribute& attribute : types[i].attributes) {
      put_name(out, attribute.name);
      put(out, attribute.kind);
    }
  }
  const auto count = static_cast<std::uint32_t>(entities_.size());
  put(out, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    put(out, stored_type[entities_.type(EntityId(i)).index()]);
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    put(out, static_cast<std::uint16_t>(entities_.id(EntityId(i)).size()));
  }
  for (std::uint32_t i = 0; i < count; ++i) out.append(entities_.id(EntityId(i)));
  for (const StoredType& type : types) {
    const TypeTable& table = *tables_[type.id.index()];
    for (const StoredAttribute& attribute : type.attributes) {
      put_column(out, *table.find_column(attribute.id), table.size());
    }
  }
  put(out, static_cast<std::uint64_t>(duplicates_.present_rows()));
  put_fingerprints(out, duplicates_.present());
  put_fingerprints(out, duplicates_.former());
}

Status Twin::decode(std::string_view bytes) {
  SnapshotBytes in(bytes);
  if (in.text(kMagic.size()) != kMagic) {
    return corrupt("it does not begin with " + std::string(kMagic));
  }
  FICUS_TRY(std::vector<StoredType> types, read_types(in));

  // All entities are read before anything is added to the schema, so that most damage leaves it be.
  const auto count = in.value<std::uint32_t>();
  const std::vector<std::uint16_t> entity_types = in.values<std::uint16_t>(count);
  const std::vector<std::uint16_t> id_bytes = in.values<std::uint16_t>(count);
  if (in.has_failed()) return corrupt("it ends within the entities");
  FICUS_TRY_VOID(intern(types, schema_));

  std::vector<std::unique_ptr<TypeTable>> tables;
  for (const StoredType& type : types) {
    if (type.id.index() >= tables.size()) tables.resize(type.id.index() + 1);
    tables[type.id.index()] = std::make_unique<TypeTable>(type.id, schema_);
  }
  EntityIndex entities;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string_view id = in.text(id_bytes[i]);
    if (entity_types[i] >= types.size() || id.empty()) return corrupt("an entity");
    const TypeId type = types[entity_types[i]].id;
    const std::uint64_t hash = EntityIndex::hash(id);
    if (!entities.find(type, hash, id).is_none()) return corrupt("an entity is there twice");
    TypeTable& table = *tables[type.index()];
    table.add_row(entities.insert(type, hash, id, static_cast<std::uint32_t>(table.size())));
  }
  for (const StoredType& type : types) {
    TypeTable& table = *tables[type.id.index()];
    if (table.size() == 0) return corrupt("no entity of " + type.name);
    for (const StoredAttribute& attribute : type.attributes) {
      if (Status status = read_column(in, attribute, table); !status) {
        return in_context(type.name + ": ", std::move(status).error());
      }
    }
  }

  const auto present_rows = in.value<std::uint64_t>();
  std::vector<std::uint64_t> present;
  std::vector<std::uint64_t> former;
  if (!read_fingerprints(in, present) || !read_fingerprints(in, former) ||
      present.size() > present_rows) {
    return corrupt("the duplicate filter");
  }
  if (!in.is_at_end()) return corrupt("there are bytes after its end");
  entities_ = std::move(entities);
  tables_ = std::move(tables);
  duplicates_.restore(present_rows, present, former);
  return {};
}

}  // namespace ficus::twin
