// What a mapped message costs: the goal is two million small documents a second on one core through
// parsing and seven paths.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/memory_disk.h"
#include "codec/json/json_path.h"
#include "codec/json/json_writer.h"
#include "connect/mapping/sources_file.h"

namespace ficus::connect {
namespace {

// 150 bytes, as a vehicle's tracker sends them.
constexpr std::string_view kDocument =
    R"({"id":"bus-00712","line":"K2","ts":1795420800123,"lon":119.296512,"lat":26.074508,)"
    R"("spd":36.52,"dir":271.5,"sat":11,"on":true,"fuel":48.25,"st":"moving"})";

void parse_only(benchmark::State& state) {
  json::JsonDocument document;
  for (auto _ : state) benchmark::DoNotOptimize(document.parse(kDocument));
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kDocument.size()));
}
BENCHMARK(parse_only);

void parse_and_seven_paths(benchmark::State& state) {
  json::JsonDocument document;
  std::vector<json::JsonPath> paths;
  for (const char* path : {"$.id", "$.ts", "$.lon", "$.lat", "$.spd", "$.dir", "$.st"}) {
    paths.push_back(json::JsonPath::compile(path).value());
  }
  for (auto _ : state) {
    const auto root = document.parse(kDocument);
    for (const json::JsonPath& path : paths) benchmark::DoNotOptimize(path.find(*root));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse_and_seven_paths);

constexpr std::string_view kSources = R"(
sources:
  - name: vehicles
    mqtt: {topic: "city/{line}/vehicle/{vehicle}"}
    map:
      type: Vehicle
      id: "urn:ngsi-ld:Vehicle:{$.id}"
      observed_at: {path: $.ts, format: unix_ms}
      attributes:
        location: {point: [$.lon, $.lat]}
        speed: {path: $.spd, from_unit: KMH, unit: MTS}
        heading: {path: $.dir, kind: number, min: 0, max: 360}
        status: {path: $.st, kind: text}
)";

void map_whole_message(benchmark::State& state) {
  Schema schema;
  MemoryDisk disk;
  const auto file = SourcesFile::load(kSources, "sources.yaml", {schema, disk});
  if (!file) std::abort();
  const Mapping& mapping = *file->sources[0].mapping;
  MappingScratch scratch;
  SourceBatchBuilder builder(SourceId(0));
  const std::string_view placeholders[] = {"K2", "712"};
  const MappingInput input{"city/K2/vehicle/712", placeholders, kDocument, {1'795'420'801'000'000}};
  for (auto _ : state) {
    mapping.map(input, scratch, builder);
    if (builder.item_count() == 1024) {  // as a connector hands over what one read yielded
      benchmark::DoNotOptimize(builder.take(input.received_at));
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(map_whole_message);

void write_small_document(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    json::JsonWriter json(out);
    json.begin_object().key("id").text("urn:ngsi-ld:Vehicle:712").key("speed").number(36.52);
    json.key("location").begin_array().number(119.296512).number(26.074508).end_array();
    json.key("observedAt").time({1'795'420'800'123'000}).end_object();
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(write_small_document);

}  // namespace
}  // namespace ficus::connect

BENCHMARK_MAIN();
