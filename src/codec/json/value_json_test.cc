#include "codec/json/value_json.h"

#include <gtest/gtest.h>

namespace ficus::json {
namespace {

TEST(ValueJson, WritesEveryKind) {
  const auto text_of = [](const Value& value) {
    std::string out;
    JsonWriter json(out);
    write_value(value, json);
    return out;
  };
  EXPECT_EQ(text_of({}), "null");
  EXPECT_EQ(text_of(Value::boolean(true)), "true");
  EXPECT_EQ(text_of(Value::number(3.5)), "3.5");
  EXPECT_EQ(text_of(Value::time({0})), R"("1970-01-01T00:00:00Z")");
  EXPECT_EQ(text_of(Value::point({119.3, 26.1})), R"({"type":"Point","coordinates":[119.3,26.1]})");
  EXPECT_EQ(text_of(Value::text("a\"b")), R"("a\"b")");
  EXPECT_EQ(text_of(Value::of_text_kind(ValueKind::json, "[1]")), "[1]");
}

TEST(ValueJson, WritesARowWithoutWhatItLacks) {
  Schema schema;
  const TypeId type = schema.intern_type("Vehicle").value();
  const AttributeId speed = schema.intern_attribute(type, "speed", ValueKind::number).value();
  const AttributeId line = schema.intern_attribute(type, "line", ValueKind::text).value();
  ObservationBatch rows(type);
  rows.begin_row("urn:1", {0});
  rows.set_number(speed, 4);
  rows.begin_row("urn:2", {1000});
  rows.set_text(line, ValueKind::text, "K2路");
  rows.finish();
  std::string out;
  JsonWriter json(out);
  write_row(rows, 1, schema, json);
  EXPECT_EQ(
      out,
      R"({"id":"urn:2","type":"Vehicle","line":"K2路","observedAt":"1970-01-01T00:00:00.001Z"})");
}

}  // namespace
}  // namespace ficus::json
