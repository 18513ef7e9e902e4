// Rule texts from anywhere: they compile or are refused with a place, and what compiles can run.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "rules/rule_book.h"
#include "rules/testing/fake_twin.h"

namespace {

using namespace ficus;

void run(rules::RuleBook& book, const Schema& schema) {
  rules::testing::FakeTwin twin(schema);
  std::vector<rules::Emission> out;
  const rules::testing::Reading readings[] = {
      {"Vehicle",
       "v1",
       Timestamp{1'000'000},
       {{"speed", Value::number(50)}, {"plate", Value::text("闽A")}}},
      {"Vehicle", "v2", Timestamp{2'000'000}, {{"location", Value::point({0.5, 0.5})}}},
      {"Vehicle",
       "v1",
       Timestamp{3'000'000},
       {{"parked", Value::boolean(true)}, {"speed", Value::number(-1)}}}};
  twin.observe(readings, Timestamp{3'000'000}, book, out);
  book.advance(Timestamp{INT64_MAX}, SIZE_MAX, twin, out);
  std::string bytes;
  book.encode(bytes);
  for (const rules::Emission& emission : out)
    FICUS_CHECK(emission.rule.index() < book.rule_count());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Schema schema;
  const TypeId vehicle = *schema.intern_type("Vehicle");
  FICUS_CHECK(schema.intern_attribute(vehicle, "speed", ValueKind::number).has_value());
  FICUS_CHECK(schema.intern_attribute(vehicle, "plate", ValueKind::text).has_value());
  FICUS_CHECK(schema.intern_attribute(vehicle, "parked", ValueKind::boolean).has_value());
  FICUS_CHECK(schema.intern_attribute(vehicle, "location", ValueKind::point).has_value());
  FICUS_CHECK(schema.intern_attribute(vehicle, "seen", ValueKind::time).has_value());
  ZoneSet zones;
  FICUS_CHECK(zones.add("no1", "school", MultiPolygon{{to_polygon({0, 0, 1, 1})}}).has_value());
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto book = rules::RuleBook::compile(text, "f.sql", schema, zones);
  if (!book) {
    FICUS_CHECK(book.error().message.starts_with("f.sql:"));
    return 0;
  }
  run(*book, schema);
  return 0;
}
