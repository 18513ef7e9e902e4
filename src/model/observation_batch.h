#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"
#include "model/value.h"

namespace ficus {

// Strings of many rows in one piece of memory.
class TextColumn {
 public:
  std::size_t size() const { return ends_.size(); }
  std::string_view operator[](std::size_t row) const {
    const std::size_t begin = row == 0 ? 0 : ends_[row - 1];
    return std::string_view(bytes_).substr(begin, ends_[row] - begin);
  }
  void push_back(std::string_view text) {
    bytes_.append(text);
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  }
  void clear() {
    ends_.clear();
    bytes_.clear();
  }
  std::size_t bytes() const { return bytes_.size(); }

  friend bool operator==(const TextColumn&, const TextColumn&) = default;

 private:
  std::vector<std::uint32_t> ends_;
  std::string bytes_;
};

// One attribute of every row of a batch. `valid[row]` is 0 where the row does not carry the
// attribute. Only the vector that fits the kind is filled; it has one element a row.
struct Column {
  AttributeId attribute;
  ValueKind kind = ValueKind::none;
  std::vector<std::uint8_t> valid;
  std::vector<double> numbers;   // number; boolean as 0 or 1
  std::vector<Timestamp> times;  // time
  std::vector<GeoPoint> points;  // point
  TextColumn texts;              // text, geometry, relationship, json

  Column() = default;
  Column(AttributeId id, ValueKind k) : attribute(id), kind(k) {}

  std::size_t size() const { return valid.size(); }
  void push_none();
  // REQUIRES of each: the kind fits.
  void push_number(double v) {
    valid.push_back(1);
    numbers.push_back(v);
  }
  void push_boolean(bool v) { push_number(v ? 1 : 0); }
  void push_time(Timestamp v) {
    valid.push_back(1);
    times.push_back(v);
  }
  void push_point(GeoPoint v) {
    valid.push_back(1);
    points.push_back(v);
  }
  void push_text(std::string_view v) {
    valid.push_back(1);
    texts.push_back(v);
  }
  // REQUIRES: value.kind() is the column's kind or none.
  void push(const Value& value);
  // Appends row `row` of `other`. REQUIRES: same kind.
  void push_from(const Column& other, std::size_t row);
  Value value(std::size_t row) const;
  void clear();

  friend bool operator==(const Column&, const Column&) = default;
};

// Observations of entities of one type, stored by column: row r says that entity ids[r] was
// observed at observed_at[r] to have the values of row r. Built at the edge, then moved, then
// shared read-only.
//
// Building: begin_row, then set_* on the columns the row carries, then the next begin_row ... and
// finish().
class ObservationBatch {
 public:
  static constexpr std::size_t kRowsMax = 2048;

  explicit ObservationBatch(TypeId type) : type_(type) {}

  TypeId type() const { return type_; }
  std::size_t row_count() const { return observed_at_.size(); }
  bool is_full() const { return row_count() >= kRowsMax; }
  const TextColumn& ids() const { return ids_; }
  std::span<const Timestamp> observed_at() const { return observed_at_; }
  std::span<const Column> columns() const { return columns_; }
  const Column* find(AttributeId attribute) const;  // null if no row carries it

  // Starts a row of the entity with this id (a URI).
  void begin_row(std::string_view id, Timestamp observed_at);
  // Take back the row begun last.
  void drop_row();
  // The values of the row begun last; a second value for the same attribute in one row replaces the
  // first. REQUIRES: every call for one attribute uses the kind that the schema has for it.
  void set_number(AttributeId attribute, double v);
  void set_boolean(AttributeId attribute, bool v);
  void set_time(AttributeId attribute, Timestamp v);
  void set_point(AttributeId attribute, GeoPoint v);
  void set_text(AttributeId attribute, ValueKind kind, std::string_view v);
  void set(AttributeId attribute, const Value& v);
  // Pads the columns to full length. Call once, after the last row.
  void finish();

  // For decoders: takes over columns that are already whole. REQUIRES: all of ids.size() rows.
  static ObservationBatch from_columns(TypeId type, TextColumn ids,
                                       std::vector<Timestamp> observed_at,
                                       std::vector<Column> columns);
  // A new batch with only these rows, in this order.
  ObservationBatch select(std::span<const std::uint32_t> rows) const;

  // Same type, rows and columns (in the same order).
  friend bool operator==(const ObservationBatch& a, const ObservationBatch& b) {
    return a.type_ == b.type_ && a.ids_ == b.ids_ && a.observed_at_ == b.observed_at_ &&
           a.columns_ == b.columns_;
  }

 private:
  // The column for the attribute, padded up to (not including) the current row.
  Column& column_for_row(AttributeId attribute, ValueKind kind);

  TypeId type_;
  TextColumn ids_;
  std::vector<Timestamp> observed_at_;
  std::vector<Column> columns_;
  std::size_t next_column_ = 0;  // rows usually carry their attributes in the same order
};

}  // namespace ficus
