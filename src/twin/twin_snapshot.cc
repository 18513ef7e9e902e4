#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "twin/snapshot_bytes.h"
#include "twin/twin.h"
#include "twin/twin_capture.h"
#include "twin/twin_format.h"
#include "twin/type_table.h"

namespace ficus::twin {
namespace {

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
  TwinCapture capture(*this);
  capture.work(SIZE_MAX);
  const Status written = capture.write([&](std::string_view bytes) -> Status {
    out.append(bytes);
    return {};
  });
  FICUS_CHECK(written.has_value());
}

Status Twin::decode(std::string_view bytes) {
  FICUS_CHECK(capture_ == nullptr);
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
