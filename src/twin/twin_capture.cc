#include "twin/twin_capture.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include "base/check.h"
#include "twin/snapshot_bytes.h"
#include "twin/twin.h"
#include "twin/twin_format.h"

namespace ficus::twin {
namespace {

std::uint32_t piece_count(std::uint32_t rows, std::uint32_t rows_per_piece) {
  return (rows + rows_per_piece - 1) / rows_per_piece;
}

// Fills what was reserved for it.
class Filler {
 public:
  explicit Filler(char* at) : at_(at) {}
  template <Plain T>
  void put(const T& value) {
    std::memcpy(at_, &value, sizeof(T));
    at_ += sizeof(T);
  }
  void put_text(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }

 private:
  char* at_;
};

void put_value(Filler& out, ValueKind kind, double v) {
  if (kind == ValueKind::boolean) {
    out.put(static_cast<std::uint8_t>(v != 0));
  } else {
    out.put(v);
  }
}
void put_value(Filler& out, ValueKind, Timestamp v) { out.put(v.micros); }
void put_value(Filler& out, ValueKind, GeoPoint v) {
  out.put(v.longitude);
  out.put(v.latitude);
}
void put_value(Filler& out, ValueKind, const std::string& v) { out.put_text(v); }

// Of the value of one cell, with the length of a text.
std::size_t value_bytes(ValueKind kind, const auto& value) {
  using T = std::remove_cvref_t<decltype(value)>;
  if constexpr (std::is_same_v<T, std::string>) {
    return sizeof(std::uint32_t) + value.size();
  } else if constexpr (std::is_same_v<T, double>) {
    return kind == ValueKind::boolean ? 1 : sizeof(double);
  } else {
    return std::is_same_v<T, GeoPoint> ? 2 * sizeof(double) : sizeof(std::int64_t);
  }
}

struct Encoded {
  std::uint32_t known_count = 0;
  std::string_view bytes;
};

template <std::size_t kRowsMax, typename T>
Encoded encode_cells(std::span<const Cell<T>> cells, ValueKind kind, BlockArena& memory) {
  std::array<std::uint16_t, kRowsMax> known;
  std::array<std::uint8_t, kRowsMax / 8> bits{};
  std::uint32_t count = 0;
  for (std::size_t row = 0; row < cells.size(); ++row) {
    known[count] = static_cast<std::uint16_t>(row);
    const bool is_known = cells[row].is_known();
    bits[row / 8] = static_cast<std::uint8_t>(bits[row / 8] | unsigned{is_known} << row % 8);
    count += is_known ? 1 : 0;
  }
  if (count == 0) return {};
  const std::size_t bits_bytes = (cells.size() + 7) / 8;
  std::size_t size = bits_bytes + count * sizeof(Timestamp);
  for (std::uint32_t i = 0; i < count; ++i) size += value_bytes(kind, cells[known[i]].value);
  char* const bytes = static_cast<char*>(memory.take(size, 1));
  Filler out(bytes);
  out.put_text({reinterpret_cast<const char*>(bits.data()), bits_bytes});
  for (std::uint32_t i = 0; i < count; ++i) out.put(cells[known[i]].observed_at.micros);
  if constexpr (std::is_same_v<T, std::string>) {
    for (std::uint32_t i = 0; i < count; ++i) {
      out.put(static_cast<std::uint32_t>(cells[known[i]].value.size()));
    }
  }
  for (std::uint32_t i = 0; i < count; ++i) put_value(out, kind, cells[known[i]].value);
  return {count, {bytes, size}};
}

Status put_fingerprints(const FingerprintSet& set, const TwinCapture::Put& put) {
  const std::vector<std::uint64_t> sorted = set.sorted();
  std::string count;
  twin::put(count, static_cast<std::uint32_t>(sorted.size()));
  FICUS_TRY_VOID(put(count));
  return put({reinterpret_cast<const char*>(sorted.data()), sorted.size() * sizeof(sorted[0])});
}

void put_name(std::string& out, const std::string& name) {
  put(out, static_cast<std::uint8_t>(name.size()));
  out.append(name);
}

}  // namespace

TwinCapture::TwinCapture(const Twin& twin)
    : twin_(twin),
      entity_count_(static_cast<std::uint32_t>(twin.entities_.size())),
      duplicates_(twin.duplicates_) {
  for (const auto& table : twin.tables_) {
    if (!table || table->size() == 0) continue;
    CapturedType& type = types_.emplace_back();
    type.name = twin.schema_.type_name(table->type());
    type.table = table.get();
    type.row_count = static_cast<std::uint32_t>(table->size());
    for (std::uint32_t i = 0; i < table->columns().size(); ++i) {
      const AttributeColumn& column = table->columns()[i];
      if (!column.has_value()) continue;
      const AttributeId id(i);
      type.columns.push_back({twin.schema_.attribute_name(table->type(), id), column.kind, id, {}});
      type.columns.back().pieces.resize(piece_count(type.row_count, kRowsPerPiece));
    }
    std::ranges::sort(type.columns, {}, &CapturedColumn::name);
    type.column_of.resize(table->columns().size(), kNone);
    for (std::uint32_t i = 0; i < type.columns.size(); ++i) {
      type.column_of[type.columns[i].id.index()] = i;
    }
  }
  std::ranges::sort(types_, {}, &CapturedType::name);
  type_of_.resize(twin.tables_.size(), kNone);
  for (std::uint32_t i = 0; i < types_.size(); ++i) type_of_[types_[i].table->type().index()] = i;
  entities_.reserve(piece_count(entity_count_, kEntitiesPerPiece));
}

void TwinCapture::keep(const TypeTable& table, AttributeId attribute,
                       std::span<const std::uint32_t> rows) {
  if (is_complete_ || table.type().index() >= type_of_.size()) return;
  const std::uint32_t place = type_of_[table.type().index()];
  if (place == kNone) return;
  CapturedType& type = types_[place];
  if (attribute.index() >= type.column_of.size()) return;
  const std::uint32_t column = type.column_of[attribute.index()];
  if (column == kNone) return;
  for (const std::uint32_t row : rows) {
    if (row < type.row_count) encode(type, type.columns[column], row / kRowsPerPiece);
  }
}

void TwinCapture::encode(const CapturedType& type, CapturedColumn& column, std::uint32_t number) {
  Piece& piece = column.pieces[number];
  if (piece.known_count != kNotYet) return;
  const std::uint32_t first = number * kRowsPerPiece;
  const std::uint32_t rows = std::min(kRowsPerPiece, type.row_count - first);
  values_done_ += rows;
  AttributeColumn::visit_chunks(*type.table->find_column(column.id), [&](const auto& chunks) {
    const auto* const cells = chunks.find(first);
    if (cells == nullptr) {
      piece.known_count = 0;
      return;
    }
    const Encoded encoded =
        encode_cells<kRowsPerPiece>(std::span(cells, rows), column.kind, memory_);
    piece.known_count = encoded.known_count;
    piece.bytes = encoded.bytes;
  });
}

void TwinCapture::encode_entities() {
  const std::uint32_t end = std::min(entity_count_, next_entity_ + kEntitiesPerPiece);
  values_done_ += end - next_entity_;
  EntityPiece& piece = entities_.emplace_back();
  for (; next_entity_ < end; ++next_entity_) {
    const EntityId entity(next_entity_);
    const std::string_view id = twin_.entities_.id(entity);
    put(piece.types, static_cast<std::uint16_t>(type_of_[twin_.entities_.type(entity).index()]));
    put(piece.lengths, static_cast<std::uint16_t>(id.size()));
    piece.ids.append(id);
  }
}

bool TwinCapture::encode_next_piece() {
  while (next_type_ < types_.size()) {
    CapturedType& type = types_[next_type_];
    if (next_column_ == type.columns.size()) {
      ++next_type_;
      next_column_ = 0;
    } else if (CapturedColumn& column = type.columns[next_column_];
               next_piece_ == column.pieces.size()) {
      ++next_column_;
      next_piece_ = 0;
    } else {
      encode(type, column, next_piece_++);
      return true;
    }
  }
  return false;
}

void TwinCapture::work(std::size_t values_max) {
  const std::uint64_t begin = values_done_;
  while (!is_complete_ && values_done_ - begin < values_max) {
    if (next_entity_ < entity_count_) {
      encode_entities();
    } else {
      is_complete_ = !encode_next_piece();
    }
  }
}

Status TwinCapture::write(const Put& put_bytes) const {
  FICUS_CHECK(is_complete_);
  std::string head(kMagic);
  put(head, static_cast<std::uint32_t>(types_.size()));
  for (const CapturedType& type : types_) {
    put_name(head, type.name);
    put(head, static_cast<std::uint32_t>(type.columns.size()));
    for (const CapturedColumn& column : type.columns) {
      put_name(head, column.name);
      put(head, column.kind);
    }
  }
  put(head, entity_count_);
  FICUS_TRY_VOID(put_bytes(head));
  for (const EntityPiece& piece : entities_) FICUS_TRY_VOID(put_bytes(piece.types));
  for (const EntityPiece& piece : entities_) FICUS_TRY_VOID(put_bytes(piece.lengths));
  for (const EntityPiece& piece : entities_) FICUS_TRY_VOID(put_bytes(piece.ids));
  for (const CapturedType& type : types_) {
    for (const CapturedColumn& column : type.columns) {
      FICUS_TRY_VOID(write_column(type, column, put_bytes));
    }
  }
  std::string rows;
  put(rows, static_cast<std::uint64_t>(duplicates_.present_rows()));
  FICUS_TRY_VOID(put_bytes(rows));
  FICUS_TRY_VOID(put_fingerprints(duplicates_.present(), put_bytes));
  return put_fingerprints(duplicates_.former(), put_bytes);
}

// Each kind of bytes of all pieces, then the next kind.
Status TwinCapture::write_column(const CapturedType& type, const CapturedColumn& column,
                                 const Put& put_bytes) const {
  constexpr std::array<char, kRowsPerPiece / 8> kNoneKnown{};
  const auto bits_bytes = [&](std::size_t piece) {
    const auto first = static_cast<std::uint32_t>(piece) * kRowsPerPiece;
    return (std::min(kRowsPerPiece, type.row_count - first) + 7) / 8;
  };
  for (std::size_t i = 0; i < column.pieces.size(); ++i) {
    const Piece& piece = column.pieces[i];
    const char* const bits = piece.known_count == 0 ? kNoneKnown.data() : piece.bytes.data();
    FICUS_TRY_VOID(put_bytes({bits, bits_bytes(i)}));
  }
  const std::size_t length_bytes = holds_text(column.kind) ? sizeof(std::uint32_t) : 0;
  // Times, lengths, and what is left: the values.
  for (int part = 0; part < 3; ++part) {
    for (std::size_t i = 0; i < column.pieces.size(); ++i) {
      const Piece& piece = column.pieces[i];
      if (piece.known_count == 0) continue;
      const std::size_t times_at = bits_bytes(i);
      const std::size_t lengths_at = times_at + piece.known_count * sizeof(std::int64_t);
      const std::size_t values_at = lengths_at + piece.known_count * length_bytes;
      const std::array<std::size_t, 4> at = {times_at, lengths_at, values_at, piece.bytes.size()};
      const auto from = static_cast<std::size_t>(part);
      FICUS_TRY_VOID(put_bytes(piece.bytes.substr(at[from], at[from + 1] - at[from])));
    }
  }
  return {};
}

}  // namespace ficus::twin
