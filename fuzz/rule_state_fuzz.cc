// Snapshots of rule state from anywhere: refused as corrupt, or taken and then usable.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "rules/rule_book.h"
#include "rules/testing/fake_twin.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ficus;
  Schema schema;
  const TypeId probe = *schema.intern_type("Probe");
  FICUS_CHECK(schema.intern_attribute(probe, "x", ValueKind::number).has_value());
  const ZoneSet zones;
  auto book = rules::RuleBook::compile(
      "CREATE RULE a AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE absent(INTERVAL '60 s');"
      "CREATE RULE h AS INSERT INTO Alert (v) SELECT x FROM Probe WHERE held(x > 5, INTERVAL '5 "
      "s');",
      "f.sql", schema, zones, {.entities_max = 1000});
  FICUS_CHECK(book.has_value());
  if (!book->decode(std::string_view(reinterpret_cast<const char*>(data), size))) return 0;
  rules::testing::FakeTwin twin(schema);
  const rules::testing::Reading readings[] = {
      {"Probe", "e0", Timestamp{INT64_MAX - 1}, {{"x", Value::number(9)}}},
      {"Probe", "e1", Timestamp{0}, {{"x", Value::number(9)}}}};
  std::vector<rules::Emission> out;
  twin.observe(readings, Timestamp{INT64_MAX}, *book, out);
  std::string bytes;
  book->encode(bytes);
  return 0;
}
