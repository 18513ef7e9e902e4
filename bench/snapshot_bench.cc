// What a snapshot costs the thread that takes it: a shard's state with a million entities of six
// attributes, twenty rules of which one holds and one waits for silence.
//   build/bench/bin/snapshot_bench [ENTITIES]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "engine/shard_state.h"

namespace {

using namespace ficus;

constexpr std::size_t kRows = ObservationBatch::kRowsMax;

double now_ms() {
  return std::chrono::duration<double, std::milli>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string rules_text() {
  std::string text;
  for (int i = 0; i < 20; ++i) {
    std::string where = fmt::format("speed > {} AND fuel < {}", 119, 2 + i);
    if (i == 18) where = "held(speed > 60, INTERVAL '10 minutes')";
    if (i == 19) where = "absent(INTERVAL '10 minutes')";
    text += fmt::format(
        "CREATE RULE r{} AS INSERT INTO Jam (level) SELECT speed FROM Vehicle WHERE {};\n", i,
        where);
  }
  return text;
}

struct City {
  Schema schema;
  ZoneSet zones;
  TypeId vehicle = *schema.intern_type("Vehicle");
  AttributeId speed = *schema.intern_attribute(vehicle, "speed", ValueKind::number);
  AttributeId heading = *schema.intern_attribute(vehicle, "heading", ValueKind::number);
  AttributeId fuel = *schema.intern_attribute(vehicle, "fuel", ValueKind::number);
  AttributeId status = *schema.intern_attribute(vehicle, "status", ValueKind::text);
  AttributeId route = *schema.intern_attribute(vehicle, "route", ValueKind::text);
  AttributeId location = *schema.intern_attribute(vehicle, "location", ValueKind::point);
  Random random{1};
  Timestamp now = Timestamp::from_seconds(1'790'000'000);

  SourceBatch batch(std::uint32_t entities, std::uint32_t first, bool spread) {
    static constexpr const char* kStatus[] = {"moving", "waiting", "out of service for repair"};
    ObservationBatch rows(vehicle);
    for (std::uint32_t i = 0; i < kRows && (spread || first + i < entities); ++i) {
      now = now + Micros{1};
      const std::uint64_t number = spread ? random.below(entities) : first + i;
      rows.begin_row(fmt::format("urn:ngsi-ld:Vehicle:fuzhou:{}", number), now);
      rows.set_number(speed, random.between(0, 118));
      rows.set_number(heading, random.between(0, 360));
      rows.set_number(fuel, random.between(5, 60));
      rows.set_text(status, ValueKind::text, kStatus[random.below(3)]);
      rows.set_text(route, ValueKind::text, fmt::format("K{}", random.below(100)));
      rows.set_point(location, {random.between(119.2, 119.4), random.between(26.0, 26.2)});
    }
    rows.finish();
    SourceBatch heard;
    heard.received_at = now;
    heard.observations.push_back(std::move(rows));
    return heard;
  }
};

std::size_t to_index(int i) { return static_cast<std::size_t>(i); }

template <typename Work>
double timed(Work&& work) {
  const double begin = now_ms();
  work();
  return now_ms() - begin;
}

}  // namespace

int main(int argc, char** argv) {
  const auto entities = static_cast<std::uint32_t>(argc > 1 ? std::atoi(argv[1]) : 1'000'000);
  City city;
  const AlertAttributes alerts = *AlertAttributes::declare(city.schema);
  auto rules = rules::RuleBook::compile(rules_text(), "bench.sql", city.schema, city.zones);
  FICUS_CHECK(rules.has_value());
  ShardState state(city.schema, *std::move(rules), alerts, {});
  const auto hear = [&](SourceBatch&& batch) {
    const Timestamp now = batch.received_at;
    FICUS_CHECK(state.hear("bench", std::move(batch), now).status.has_value());
  };
  for (std::uint32_t first = 0; first < entities; first += kRows) {
    hear(city.batch(entities, first, false));
  }
  // The duplicate filter in its usual state: both generations in use.
  for (int i = 0; i < 1000; ++i) hear(city.batch(entities, 0, true));
  fmt::print("entities {}\n", state.twin().entity_count());

  fmt::print("all at once {:.1f} ms\n", timed([&] { (void)state.encode(); }));
  for (int round = 0; round < 3; ++round) {
    // As in a shard's turns: a batch over random entities, then a share.
    std::vector<SourceBatch> batches;
    for (int i = 0; i < 200; ++i) batches.push_back(city.batch(entities, 0, true));
    double before = 0;
    for (int i = 0; i < 50; ++i) {
      before = std::max(before, timed([&] { hear(std::move(batches[to_index(i)])); }));
    }
    double batch_max = 0;
    double share_max = 0;
    const double begin = timed([&] { state.begin_capture(); });
    std::size_t shares = 0;
    for (; !state.is_captured(); ++shares) {
      if (50 + shares < batches.size()) {
        batch_max = std::max(batch_max, timed([&] { hear(std::move(batches[50 + shares])); }));
      }
      share_max = std::max(
          share_max, timed([&] { state.capture(CommitLogOptions{}.snapshot_values_a_turn); }));
    }
    const auto taken = state.take_capture();
    fmt::print(
        "begin {:.1f} ms, {} shares, longest {:.1f} ms; a batch at most {:.1f} ms, before "
        "{:.1f} ms; encoded aside {:.1f} ms\n",
        begin, shares, share_max, batch_max, before, timed([&] { (void)taken->sections(); }));
  }
  return 0;
}
