#include "codec/json/value_json.h"

namespace ficus::json {
namespace {

void write_point(GeoPoint point, JsonWriter& out) {
  out.begin_object().key("type").text("Point").key("coordinates").begin_array();
  out.number(point.longitude).number(point.latitude);
  out.end_array().end_object();
}

// Without a copy of the text, since this is done for every row that somebody follows.
void write_cell(const Column& column, std::size_t row, JsonWriter& out) {
  switch (column.kind) {
    case ValueKind::text:
    case ValueKind::relationship:
      out.text(column.texts[row]);
      return;
    case ValueKind::geometry:
    case ValueKind::json:
      out.raw(column.texts[row]);
      return;
    case ValueKind::none:
    case ValueKind::boolean:
    case ValueKind::number:
    case ValueKind::time:
    case ValueKind::point:
      write_value(column.value(row), out);
      return;
  }
}

}  // namespace

void write_value(const Value& value, JsonWriter& out) {
  switch (value.kind()) {
    case ValueKind::none:
      out.null();
      return;
    case ValueKind::boolean:
      out.boolean(value.as_boolean());
      return;
    case ValueKind::number:
      out.number(value.as_number());
      return;
    case ValueKind::time:
      out.time(value.as_time());
      return;
    case ValueKind::point:
      write_point(value.as_point(), out);
      return;
    case ValueKind::text:
    case ValueKind::relationship:
      out.text(value.as_text());
      return;
    case ValueKind::geometry:
    case ValueKind::json:
      out.raw(value.as_text());
      return;
  }
}

void write_row(const ObservationBatch& rows, std::size_t row, const Schema& schema,
               JsonWriter& out) {
  out.begin_object();
  out.key("id").text(rows.ids()[row]);
  out.key("type").text(schema.type_name(rows.type()));
  for (const Column& column : rows.columns()) {
    if (column.valid[row] == 0) continue;
    out.key(schema.attribute_name(rows.type(), column.attribute));
    write_cell(column, row, out);
  }
  out.key("observedAt").time(rows.observed_at()[row]);
  out.end_object();
}

}  // namespace ficus::json
