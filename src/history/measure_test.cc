#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <filesystem>
#include <tuple>

#include "base/random.h"
#include "history/feed.h"
#include "history/history_test_support.h"

namespace ficus::history {
namespace {

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// 2000 buses that wander about, each heard once a second: nothing that compresses by itself.
class Buses {
 public:
  explicit Buses(Schema& schema) : type_(schema.intern_type("Vehicle").value()) {
    for (const auto& [name, kind, decimals] : {std::tuple{"speed", ValueKind::number, 1},
                                               {"heading", ValueKind::number, 0},
                                               {"location", ValueKind::point, 6},
                                               {"line", ValueKind::text, -1},
                                               {"passengers", ValueKind::number, 0},
                                               {"doorsOpen", ValueKind::boolean, -1},
                                               {"temperature", ValueKind::number, 2}}) {
      AttributeInfo info;
      info.name = name;
      info.kind = kind;
      info.decimals = decimals;
      ids_.push_back(schema.declare_attribute(type_, info).value());
    }
    for (int i = 0; i < kBuses; ++i) {
      places_.push_back({119.2 + random_.unit() * 0.3, 26.0 + random_.unit() * 0.2});
      temperatures_.push_back(20);
    }
  }

  std::shared_ptr<const ObservationBatch> second(int second) {
    ObservationBatch batch(type_);
    for (int i = 0; i < kBuses; ++i) {
      GeoPoint& place = places_[static_cast<std::size_t>(i)];
      double& temperature = temperatures_[static_cast<std::size_t>(i)];
      place.longitude = std::round(place.longitude * 1e6 + random_.between(-150, 150)) / 1e6;
      place.latitude = std::round(place.latitude * 1e6 + random_.between(-150, 150)) / 1e6;
      temperature = std::round((temperature + random_.between(-0.05, 0.05)) * 100) / 100;
      batch.begin_row(fmt::format("urn:ngsi-ld:Vehicle:bus-{:05}", i),
                      {second * 1'000'000LL + static_cast<std::int64_t>(random_.below(900'000))});
      batch.set_number(ids_[0], std::round(random_.between(0, 600)) / 10);
      batch.set_number(ids_[1], static_cast<double>(random_.below(360)));
      batch.set_point(ids_[2], place);
      batch.set_text(ids_[3], ValueKind::text, fmt::format("line {}", i % 120));
      batch.set_number(ids_[4], static_cast<double>(random_.below(60)));
      batch.set_boolean(ids_[5], random_.chance(0.1));
      batch.set_number(ids_[6], temperature);
    }
    batch.finish();
    return std::make_shared<const ObservationBatch>(std::move(batch));
  }

  static constexpr int kBuses = 2000;

 private:
  TypeId type_;
  Random random_{7};
  std::vector<AttributeId> ids_;
  std::vector<GeoPoint> places_;
  std::vector<double> temperatures_;
};

// Figures, not a test: run with --gtest_also_run_disabled_tests --gtest_filter='*Measure*'.
TEST(HistoryMeasure, DISABLED_FeedAndSeal) {
  constexpr int kBatches = 1000;
  constexpr int kRowsEach = Buses::kBuses;
  DuckHistoryOptions options;
  TestCity city(options);
  std::vector<std::shared_ptr<const ObservationBatch>> batches;
  Buses buses(city.schema);
  for (int i = 0; i < kBatches; ++i) batches.push_back(buses.second(i));
  const std::uint64_t start[] = {0};
  const Micros began = city.clock.monotonic();
  const double cpu_began = cpu_seconds();
  {
    HistoryFeed feed(*city.history, city.clock, {.queue_items_max = 64}, {}, start);
    for (int i = 0; i < kBatches; ++i) {
      FeedItem item;
      item.position_end = static_cast<std::uint64_t>(i + 1);
      Rows rows;
      rows.batch = batches[static_cast<std::size_t>(i)];
      rows.source = "buses";
      item.rows.push_back(std::move(rows));
      ASSERT_TRUE(feed.push(std::move(item)));
    }
    ASSERT_TRUE(feed.flush_and_stop(Micros::from_seconds(60)));
  }
  const double rows = double{kBatches} * kRowsEach;
  const double feed_seconds = (city.clock.monotonic() - began).seconds();
  const double feed_cpu = cpu_seconds() - cpu_began;
  city.close();
  fmt::print(
      "unsealed: {:.1f} bytes a row\n",
      static_cast<double>(std::filesystem::file_size(city.options.directory + "/history.duckdb")) /
          rows);
  city.options.tail_rows_max = 1000;
  city.open();
  const double cpu_sealing = cpu_seconds();
  const Micros sealing = city.clock.monotonic();
  ASSERT_EQ(city.maintain(Timestamp::from_seconds(1)).sealed.size(), 1U);
  const HistoryFigures figures = city.history->figures();
  fmt::print(
      "fed {} rows of 7 attributes in {:.2f} s: {:.0f} rows/s; {:.2f} s of processor: {:.0f} "
      "rows/s\n",
      rows, feed_seconds, rows / feed_seconds, feed_cpu, rows / feed_cpu);
  fmt::print("sealed in {:.2f} s ({:.2f} s of processor): {:.2f} bytes a row\n",
             (city.clock.monotonic() - sealing).seconds(), cpu_seconds() - cpu_sealing,
             static_cast<double>(figures.bytes_sealed) / rows);
  const Micros asking = city.clock.monotonic();
  TextSink sink;
  SeriesRequest request{.type = "Vehicle",
                        .id = "urn:ngsi-ld:Vehicle:bus-00003",
                        .attributes = {"speed"},
                        .from = Timestamp::from_seconds(100),
                        .to = Timestamp::from_seconds(3700),
                        .limits = {}};
  ASSERT_TRUE(city.history->series(request, sink));
  fmt::print("one vehicle: {} readings in {:.2f} ms\n", sink.rows.size(),
             (city.clock.monotonic() - asking).seconds() * 1000);
}

}  // namespace
}  // namespace ficus::history
