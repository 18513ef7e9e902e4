// Points in zones: prepared polygons against the plain test, one zone and many.
//   cmake --preset bench && cmake --build --preset bench --target zone_bench &&
//   build/bench/bin/zone_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "model/zone_set.h"

namespace ficus {
namespace {

constexpr std::size_t kPoints = 1 << 16;

// A coast-like outline: the distance from the center wanders from corner to corner.
Polygon outline(Random& random, GeoPoint center, double radius, int corners) {
  Polygon polygon;
  double r = radius * 0.8;
  for (int i = 0; i < corners; ++i) {
    const double angle = 2 * std::numbers::pi * i / corners;
    r = std::clamp(r + radius * random.between(-4, 4) / corners, radius * 0.5, radius);
    polygon.outer.push_back(
        {center.longitude + r * std::cos(angle), center.latitude + r * std::sin(angle)});
  }
  polygon.outer.push_back(polygon.outer.front());
  return polygon;
}

std::vector<GeoPoint> points(Random& random) {
  std::vector<GeoPoint> out;
  for (std::size_t i = 0; i < kPoints; ++i) {
    out.push_back({random.between(119, 120), random.between(25.8, 26.8)});
  }
  return out;
}

ZoneSet city(Random& random, int zones, int corners, double radius) {
  ZoneSet set;
  for (int i = 0; i < zones; ++i) {
    const GeoPoint center{random.between(119, 120), random.between(25.8, 26.8)};
    if (!set.add("zone " + std::to_string(i), "school",
                 {{outline(random, center, radius, corners)}})) {
      std::abort();
    }
  }
  set.build_index();
  return set;
}

void one_zone_plain(benchmark::State& state) {
  Random random(1);
  const Polygon polygon = outline(random, {119.5, 26.3}, 0.5, static_cast<int>(state.range(0)));
  const std::vector<GeoPoint> at = points(random);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(contains(polygon, at[i++ % kPoints]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(one_zone_plain)->Arg(30)->Arg(1000);

void one_zone_prepared(benchmark::State& state) {
  Random random(1);
  ZoneSet set;
  if (!set.add("z", "",
               {{outline(random, {119.5, 26.3}, 0.5, static_cast<int>(state.range(0)))}})) {
    std::abort();
  }
  set.build_index();
  const ZoneSelection zone = *set.select("z");
  const std::vector<GeoPoint> at = points(random);
  std::vector<std::uint8_t> inside(2048);
  std::size_t i = 0;
  for (auto _ : state) {
    set.contains(zone, std::span(at).subspan(i % kPoints, 2048), inside);
    benchmark::DoNotOptimize(inside.data());
    i += 2048;
  }
  state.SetItemsProcessed(state.iterations() * 2048);
}
BENCHMARK(one_zone_prepared)->Arg(30)->Arg(1000)->Arg(20000);

// Whether a point is in any of n zones of a kind.
void any_of_kind(benchmark::State& state) {
  Random random(1);
  const ZoneSet set = city(random, static_cast<int>(state.range(0)), 30,
                           0.5 / std::sqrt(static_cast<double>(state.range(0))));
  const ZoneSelection kind = *set.select("school");
  const std::vector<GeoPoint> at = points(random);
  std::vector<std::uint8_t> inside(2048);
  std::size_t i = 0;
  for (auto _ : state) {
    set.contains(kind, std::span(at).subspan(i % kPoints, 2048), inside);
    benchmark::DoNotOptimize(inside.data());
    i += 2048;
  }
  state.SetItemsProcessed(state.iterations() * 2048);
  state.counters["bytes_per_zone"] =
      static_cast<double>(set.memory_bytes()) / static_cast<double>(set.size());
}
BENCHMARK(any_of_kind)->Arg(100)->Arg(10'000);

void all_zones_at(benchmark::State& state) {
  Random random(1);
  const ZoneSet set = city(random, static_cast<int>(state.range(0)), 30,
                           0.5 / std::sqrt(static_cast<double>(state.range(0))));
  const std::vector<GeoPoint> at = points(random);
  std::vector<ZoneId> found;
  std::size_t i = 0;
  for (auto _ : state) {
    set.zones_at(at[i++ % kPoints], found);
    benchmark::DoNotOptimize(found.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(all_zones_at)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace ficus

BENCHMARK_MAIN();
