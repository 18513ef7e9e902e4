#include "model/observation_batch.h"

#include <utility>

#include "base/check.h"

namespace ficus {

void Column::push_none() {
  valid.push_back(0);
  switch (kind) {
    case ValueKind::boolean:
    case ValueKind::number:
      numbers.push_back(0);
      return;
    case ValueKind::time:
      times.push_back({});
      return;
    case ValueKind::point:
      points.push_back({});
      return;
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      texts.push_back({});
      return;
    case ValueKind::none:
      return;
  }
  std::unreachable();
}

void Column::push(const Value& value) {
  if (value.is_none()) return push_none();
  FICUS_CHECK(value.kind() == kind);
  switch (kind) {
    case ValueKind::boolean:
      return push_boolean(value.as_boolean());
    case ValueKind::number:
      return push_number(value.as_number());
    case ValueKind::time:
      return push_time(value.as_time());
    case ValueKind::point:
      return push_point(value.as_point());
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return push_text(value.as_text());
    case ValueKind::none:
      return;
  }
  std::unreachable();
}

void Column::push_from(const Column& other, std::size_t row) {
  FICUS_DCHECK(other.kind == kind);
  if (other.valid[row] == 0) return push_none();
  switch (kind) {
    case ValueKind::boolean:
    case ValueKind::number:
      return push_number(other.numbers[row]);
    case ValueKind::time:
      return push_time(other.times[row]);
    case ValueKind::point:
      return push_point(other.points[row]);
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return push_text(other.texts[row]);
    case ValueKind::none:
      return;
  }
  std::unreachable();
}

Value Column::value(std::size_t row) const {
  if (valid[row] == 0) return {};
  switch (kind) {
    case ValueKind::boolean:
      return Value::boolean(numbers[row] != 0);
    case ValueKind::number:
      return Value::number(numbers[row]);
    case ValueKind::time:
      return Value::time(times[row]);
    case ValueKind::point:
      return Value::point(points[row]);
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return Value::of_text_kind(kind, std::string(texts[row]));
    case ValueKind::none:
      return {};
  }
  std::unreachable();
}

void Column::clear() {
  valid.clear();
  numbers.clear();
  times.clear();
  points.clear();
  texts.clear();
}

const Column* ObservationBatch::find(AttributeId attribute) const {
  for (const Column& column : columns_) {
    if (column.attribute == attribute) return &column;
  }
  return nullptr;
}

void ObservationBatch::begin_row(std::string_view id, Timestamp observed_at) {
  ids_.push_back(id);
  observed_at_.push_back(observed_at);
  next_column_ = 0;
}

void ObservationBatch::drop_row() {
  FICUS_CHECK(!observed_at_.empty());
  finish();
  std::vector<std::uint32_t> kept(row_count() - 1);
  for (std::uint32_t row = 0; row < kept.size(); ++row) kept[row] = row;
  *this = select(kept);
}

Column& ObservationBatch::column_for_row(AttributeId attribute, ValueKind kind) {
  FICUS_DCHECK(!observed_at_.empty());
  Column* column = nullptr;
  if (next_column_ < columns_.size() && columns_[next_column_].attribute == attribute) {
    column = &columns_[next_column_];
  } else {
    for (next_column_ = 0; next_column_ < columns_.size(); ++next_column_) {
      if (columns_[next_column_].attribute == attribute) break;
    }
    if (next_column_ == columns_.size()) columns_.emplace_back(attribute, kind);
    column = &columns_[next_column_];
  }
  ++next_column_;
  FICUS_CHECK(column->kind == kind);
  const std::size_t row = row_count() - 1;
  if (column->size() > row) {  // a second value in one row: rebuild the column without the first
    Column shorter(attribute, kind);
    for (std::size_t r = 0; r < row; ++r) shorter.push_from(*column, r);
    *column = std::move(shorter);
  }
  while (column->size() < row) column->push_none();
  return *column;
}

void ObservationBatch::set_number(AttributeId attribute, double v) {
  column_for_row(attribute, ValueKind::number).push_number(v);
}
void ObservationBatch::set_boolean(AttributeId attribute, bool v) {
  column_for_row(attribute, ValueKind::boolean).push_boolean(v);
}
void ObservationBatch::set_time(AttributeId attribute, Timestamp v) {
  column_for_row(attribute, ValueKind::time).push_time(v);
}
void ObservationBatch::set_point(AttributeId attribute, GeoPoint v) {
  column_for_row(attribute, ValueKind::point).push_point(v);
}
void ObservationBatch::set_text(AttributeId attribute, ValueKind kind, std::string_view v) {
  FICUS_DCHECK(holds_text(kind));
  column_for_row(attribute, kind).push_text(v);
}
void ObservationBatch::set(AttributeId attribute, const Value& v) {
  if (!v.is_none()) column_for_row(attribute, v.kind()).push(v);
}

void ObservationBatch::finish() {
  for (Column& column : columns_) {
    while (column.size() < row_count()) column.push_none();
  }
}

ObservationBatch ObservationBatch::from_columns(TypeId type, TextColumn ids,
                                                std::vector<Timestamp> observed_at,
                                                std::vector<Column> columns) {
  ObservationBatch batch(type);
  FICUS_CHECK(ids.size() == observed_at.size());
  for (const Column& column : columns) FICUS_CHECK(column.size() == ids.size());
  batch.ids_ = std::move(ids);
  batch.observed_at_ = std::move(observed_at);
  batch.columns_ = std::move(columns);
  return batch;
}

ObservationBatch ObservationBatch::select(std::span<const std::uint32_t> rows) const {
  ObservationBatch out(type_);
  for (const std::uint32_t row : rows) {
    out.ids_.push_back(ids_[row]);
    out.observed_at_.push_back(observed_at_[row]);
  }
  for (const Column& column : columns_) {
    Column chosen(column.attribute, column.kind);
    for (const std::uint32_t row : rows) chosen.push_from(column, row);
    out.columns_.push_back(std::move(chosen));
  }
  return out;
}

}  // namespace ficus
