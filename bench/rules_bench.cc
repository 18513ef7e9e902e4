// Rows a second through a rule book: twenty rules over vehicles, batches of 2048 rows.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/check.h"
#include "base/random.h"
#include "rules/rule_book.h"

namespace {

using namespace ficus;

constexpr std::size_t kRows = ObservationBatch::kRowsMax;
constexpr std::uint32_t kVehicles = 20'000;

std::string rule(int number, const std::string& where) {
  return fmt::format(
      "CREATE RULE r{} AS INSERT INTO Alert (category, description) SELECT 'traffic', 'speed ' || "
      "speed "
      "FROM Vehicle WHERE {};\n",
      number, where);
}

// Conditions that are rarely true, as those of alerts are.
std::string rules_of(int kind) {
  std::string text;
  for (int i = 0; i < 20; ++i) {
    switch (kind == 4 ? i % 4 : kind) {
      case 0:
        text += rule(i, fmt::format("speed > {} AND heading BETWEEN 10 AND 350 OR fuel * 2 < 1",
                                    118 + i % 2));
        break;
      case 1:
        text += rule(i, fmt::format("speed > {} AND within(location, zone('school'))", 80 + i));
        break;
      case 2:
        text += rule(i, fmt::format("held(speed > {}, INTERVAL '60 seconds')", 90 + i));
        break;
      default:
        text += rule(i, fmt::format("line = 'K{}' AND plate LIKE '闽A%9'", i));
        break;
    }
  }
  return text;
}

struct City {
  City() {
    const TypeId vehicle = *schema.intern_type("Vehicle");
    for (const char* name : {"speed", "heading", "fuel"}) {
      FICUS_CHECK(schema.intern_attribute(vehicle, name, ValueKind::number).has_value());
    }
    for (const char* name : {"line", "plate"}) {
      FICUS_CHECK(schema.intern_attribute(vehicle, name, ValueKind::text).has_value());
    }
    FICUS_CHECK(schema.intern_attribute(vehicle, "location", ValueKind::point).has_value());
    Random random(1);
    for (int i = 0; i < 200; ++i) {
      const double x = random.between(119.2, 119.4);
      const double y = random.between(26.0, 26.2);
      FICUS_CHECK(zones
                      .add(fmt::format("school{}", i), "school",
                           MultiPolygon{{to_polygon({x, y, x + 0.002, y + 0.002})}})
                      .has_value());
    }
    zones.build_index();
  }

  Schema schema;
  ZoneSet zones;
};

Value random_value(const std::string& name, Random& random) {
  if (name == "speed") return Value::number(random.between(0, 120));
  if (name == "heading") return Value::number(random.between(0, 360));
  if (name == "fuel") return Value::number(random.between(1, 60));
  if (name == "line") return Value::text(fmt::format("K{}", random.below(100)));
  if (name == "plate") return Value::text(fmt::format("闽A{:05}", random.below(100'000)));
  return Value::point({random.between(119.2, 119.4), random.between(26.0, 26.2)});
}

void rules_over_vehicles(benchmark::State& state) {
  City city;
  auto book = rules::RuleBook::compile(rules_of(static_cast<int>(state.range(0))), "bench.sql",
                                       city.schema, city.zones);
  FICUS_CHECK(book.has_value());
  const TypeId type = *city.schema.find_type("Vehicle");
  Random random(2);
  std::vector<Column> present;
  for (const AttributeId attribute : book->wanted(type)) {
    Column& column = present.emplace_back(attribute, city.schema.attribute_kind(type, attribute));
    const std::string& name = city.schema.attribute_name(type, attribute);
    for (std::size_t row = 0; row < kRows; ++row) column.push(random_value(name, random));
  }
  TextColumn ids;
  std::vector<EntityId> entities;
  std::vector<std::uint32_t> counted;
  for (std::uint32_t row = 0; row < kRows; ++row) {
    ids.push_back(fmt::format("urn:ngsi-ld:Vehicle:{}", row));
    entities.push_back(EntityId(static_cast<std::uint32_t>(random.below(kVehicles))));
    counted.push_back(row);
  }
  std::vector<rules::Emission> out;
  Timestamp now = Timestamp::from_seconds(1'767'225'600);
  std::vector<Timestamp> observed_at(kRows);
  std::uint64_t emissions = 0;
  for (auto _ : state) {
    now = now + Micros::from_seconds(1);
    std::fill(observed_at.begin(), observed_at.end(), now);
    out.clear();
    book->observe({type, &ids, observed_at, entities, present, counted}, now, out);
    emissions += out.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kRows));
  state.counters["emissions/batch"] =
      static_cast<double>(emissions) / static_cast<double>(state.iterations());
}
BENCHMARK(rules_over_vehicles)->ArgName("kind")->DenseRange(0, 4);

// Moving a deadline for every row, a million entities waiting.
void absence(benchmark::State& state) {
  City city;
  auto book = rules::RuleBook::compile(rule(0, "absent(INTERVAL '10 minutes')"), "bench.sql",
                                       city.schema, city.zones);
  FICUS_CHECK(book.has_value());
  const TypeId type = *city.schema.find_type("Vehicle");
  std::vector<Column> present = {Column(book->wanted(type)[0], ValueKind::number)};
  TextColumn ids;
  std::vector<EntityId> entities(kRows);
  std::vector<std::uint32_t> counted;
  for (std::uint32_t row = 0; row < kRows; ++row) {
    ids.push_back("urn:ngsi-ld:Vehicle:1");
    present[0].push_number(1);
    counted.push_back(row);
  }
  const std::vector<Timestamp> observed_at(kRows);
  std::vector<rules::Emission> out;
  std::uint32_t next = 0;
  const auto observe = [&] {
    for (EntityId& entity : entities) entity = EntityId(next++ % 1'000'000);
    book->observe({type, &ids, observed_at, entities, present, counted}, Timestamp{}, out);
  };
  while (next < 1'000'000) observe();
  for (auto _ : state) observe();
  FICUS_CHECK(out.empty());
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kRows));
}
BENCHMARK(absence);

}  // namespace

BENCHMARK_MAIN();
