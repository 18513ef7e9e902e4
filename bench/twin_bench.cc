// The twin with 100 000 vehicles: apply, and the queries of a map.
//   cmake --preset bench && cmake --build --preset bench --target twin_bench &&
//   build/bench/bin/twin_bench
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/random.h"
#include "twin/twin.h"

namespace ficus::twin {
namespace {

constexpr std::uint32_t kVehicles = 100'000;
constexpr std::size_t kRows = 2048;

// Vehicles that drive around: each row moves one of them a little and changes six attributes more.
struct Fleet {
  Schema schema;
  TypeId type = *schema.intern_type("Vehicle");
  AttributeId speed = *schema.intern_attribute(type, "speed", ValueKind::number);
  AttributeId heading = *schema.intern_attribute(type, "heading", ValueKind::number);
  AttributeId fuel = *schema.intern_attribute(type, "fuelLevel", ValueKind::number);
  AttributeId seats = *schema.intern_attribute(type, "passengerCount", ValueKind::number);
  AttributeId door = *schema.intern_attribute(type, "doorOpen", ValueKind::boolean);
  AttributeId status = *schema.intern_attribute(type, "serviceStatus", ValueKind::text);
  AttributeId location = *schema.intern_attribute(type, "location", ValueKind::point);
  Random random{1};
  std::vector<GeoPoint> at;
  std::int64_t now = 1'700'000'000'000'000;

  Fleet() {
    for (std::uint32_t i = 0; i < kVehicles; ++i) {
      at.push_back({random.between(119.0, 119.6), random.between(25.8, 26.3)});
    }
  }

  void add_row(ObservationBatch& batch, std::uint32_t vehicle) {
    static constexpr const char* kStatus[] = {"in service", "out of service", "returning",
                                              "waiting at terminal"};
    GeoPoint& p = at[vehicle];
    p.longitude += random.between(-0.0005, 0.0005);
    p.latitude += random.between(-0.0005, 0.0005);
    now += 3;
    batch.begin_row("urn:ngsi-ld:Vehicle:fuzhou:" + std::to_string(vehicle), {now});
    batch.set_number(speed, random.between(0, 80));
    batch.set_number(heading, random.between(0, 360));
    batch.set_number(fuel, random.between(0, 100));
    batch.set_number(seats, static_cast<double>(random.below(60)));
    batch.set_boolean(door, random.chance(0.1));
    batch.set_text(status, ValueKind::text, kStatus[random.below(4)]);
    batch.set_point(location, p);
  }

  // Every vehicle once, in batches.
  std::vector<ObservationBatch> round() {
    std::vector<ObservationBatch> batches;
    for (std::uint32_t i = 0; i < kVehicles; ++i) {
      if (batches.empty() || batches.back().row_count() == kRows) batches.emplace_back(type);
      // Spread over the table, as vehicles report in no order.
      add_row(batches.back(), static_cast<std::uint32_t>(i * 48'271ULL % kVehicles));
    }
    for (ObservationBatch& batch : batches) batch.finish();
    return batches;
  }
};

void apply_all(Twin& twin, const std::vector<ObservationBatch>& batches,
               std::span<const AttributeId> wanted, AppliedRows& rows) {
  for (const ObservationBatch& batch : batches) {
    if (!twin.apply(batch, wanted, rows)) std::abort();
  }
}

void apply_known(benchmark::State& state, bool with_present) {
  Fleet fleet;
  Twin twin(fleet.schema, {});
  AppliedRows rows;
  apply_all(twin, fleet.round(), {}, rows);
  std::vector<AttributeId> wanted;
  if (with_present) wanted = {fleet.speed, fleet.location, fleet.status};
  std::uint64_t applied = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const std::vector<ObservationBatch> batches = fleet.round();
    state.ResumeTiming();
    apply_all(twin, batches, wanted, rows);
    applied += rows.applied_count;
  }
  benchmark::DoNotOptimize(applied);
  state.SetItemsProcessed(state.iterations() * kVehicles);
  const TwinMemory memory = twin.memory();
  state.counters["bytes_per_entity"] =
      static_cast<double>(memory.total() - memory.duplicates_bytes) / kVehicles;
  state.counters["duplicate_filter_bytes"] = static_cast<double>(memory.duplicates_bytes);
}
void apply_moving_vehicles(benchmark::State& state) { apply_known(state, false); }
void apply_with_present_values(benchmark::State& state) { apply_known(state, true); }
BENCHMARK(apply_moving_vehicles)->Unit(benchmark::kMillisecond);
BENCHMARK(apply_with_present_values)->Unit(benchmark::kMillisecond);

void apply_new_entities(benchmark::State& state) {
  Fleet fleet;
  const std::vector<ObservationBatch> batches = fleet.round();
  AppliedRows rows;
  for (auto _ : state) {
    Twin twin(fleet.schema, {});
    apply_all(twin, batches, {}, rows);
  }
  state.SetItemsProcessed(state.iterations() * kVehicles);
}
BENCHMARK(apply_new_entities)->Unit(benchmark::kMillisecond);

void query(benchmark::State& state, const EntityQuery& q, Fleet& fleet) {
  Twin twin(fleet.schema, {});
  AppliedRows rows;
  apply_all(twin, fleet.round(), {}, rows);
  std::size_t found = 0;
  for (auto _ : state) found += twin.query(q)->entities.size();
  state.counters["found"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}

void query_near_500_m(benchmark::State& state) {
  Fleet fleet;
  EntityQuery q;
  q.type = fleet.type;
  q.geo = GeoFilter{NearPoint{{119.3, 26.05}, 0, 500}, std::nullopt};
  q.order.by = OrderBy::distance;
  query(state, q, fleet);
}
BENCHMARK(query_near_500_m);

void query_top_20_by_speed(benchmark::State& state) {
  Fleet fleet;
  EntityQuery q;
  q.type = fleet.type;
  q.order = {OrderBy::attribute, fleet.speed, true};
  query(state, q, fleet);
}
BENCHMARK(query_top_20_by_speed)->Unit(benchmark::kMicrosecond);

void query_filter_and_count(benchmark::State& state) {
  Fleet fleet;
  EntityQuery q;
  q.type = fleet.type;
  q.filters = {{fleet.speed, Comparison::gt, Value::number(79)}};
  q.count_total = true;
  query(state, q, fleet);
}
BENCHMARK(query_filter_and_count)->Unit(benchmark::kMicrosecond);

void snapshot(benchmark::State& state) {
  Fleet fleet;
  Twin twin(fleet.schema, {});
  AppliedRows rows;
  apply_all(twin, fleet.round(), {}, rows);
  std::string bytes;
  for (auto _ : state) {
    bytes.clear();
    twin.encode(bytes);
  }
  state.counters["bytes_per_entity"] = static_cast<double>(bytes.size()) / kVehicles;
}
BENCHMARK(snapshot)->Unit(benchmark::kMillisecond);

void restore(benchmark::State& state) {
  Fleet fleet;
  Twin twin(fleet.schema, {});
  AppliedRows rows;
  apply_all(twin, fleet.round(), {}, rows);
  std::string bytes;
  twin.encode(bytes);
  for (auto _ : state) {
    Twin other(fleet.schema, {});
    if (!other.decode(bytes)) std::abort();
  }
}
BENCHMARK(restore)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ficus::twin

BENCHMARK_MAIN();
