#include <fmt/format.h>
#include <gtest/gtest.h>

#include "history/feed.h"
#include "history/history_test_support.h"

namespace ficus::history {
namespace {

// Figures, not a test: run with --gtest_also_run_disabled_tests --gtest_filter='*Measure*'.
TEST(HistoryMeasure, DISABLED_FeedAndSeal) {
  constexpr int kBatches = 1000;
  constexpr int kRowsEach = 2000;
  DuckHistoryOptions options;
  TestCity city(options);
  std::vector<std::shared_ptr<const ObservationBatch>> batches;
  for (int i = 0; i < kBatches; ++i) batches.push_back(city.vehicles(i * kRowsEach, kRowsEach));
  const std::uint64_t start[] = {0};
  const Micros began = city.clock.monotonic();
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
  city.close();
  city.options.tail_rows_max = 1000;
  city.open();
  const Micros sealing = city.clock.monotonic();
  ASSERT_EQ(city.maintain(Timestamp::from_seconds(1)).sealed.size(), 1U);
  const HistoryFigures figures = city.history->figures();
  fmt::print("fed {} rows of 7 attributes in {:.2f} s: {:.0f} rows/s\n", rows, feed_seconds,
             rows / feed_seconds);
  fmt::print("sealed in {:.2f} s: {:.2f} bytes a row\n",
             (city.clock.monotonic() - sealing).seconds(),
             static_cast<double>(figures.bytes_sealed) / rows);
  const Micros asking = city.clock.monotonic();
  TextSink sink;
  SeriesRequest request{.type = "Vehicle",
                        .id = "urn:ngsi-ld:Vehicle:v3",
                        .attributes = {"speed"},
                        .from = Timestamp::from_seconds(900'000),
                        .to = Timestamp::from_seconds(903'600),
                        .limits = {}};
  ASSERT_TRUE(city.history->series(request, sink));
  fmt::print("one vehicle, one hour: {} readings in {:.2f} ms\n", sink.rows.size(),
             (city.clock.monotonic() - asking).seconds() * 1000);
}

}  // namespace
}  // namespace ficus::history
