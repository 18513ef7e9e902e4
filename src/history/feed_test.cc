#include "history/feed.h"

#include <gtest/gtest.h>

#include "history/history_test_support.h"
#include "history/history_testing.h"

namespace ficus::history {
namespace {

// Remembers what it is told and refuses on demand.
class FakeHistory final : public UnaskedHistory {
 public:
  Result<std::vector<std::uint64_t>> positions() override { return std::vector<std::uint64_t>{0}; }
  Status append(Rows rows) override {
    pending += rows.batch->row_count();
    again += rows.is_again ? rows.batch->row_count() : 0;
    return {};
  }
  void note_given(const HistoryGap& gap) override { given.push_back(gap); }
  Status append_quarantine(std::string_view, Timestamp,
                           std::span<const QuarantinedItem> items) override {
    pending += items.size();
    return {};
  }
  Status commit(std::span<const std::uint64_t> positions) override {
    if (refusals > 0) {
      --refusals;
      return fail(ErrorCode::unavailable, "disk full");
    }
    committed += pending.exchange(0);
    last.assign(positions.begin(), positions.end());
    ++commits;
    return {};
  }
  Result<MaintenanceReport> maintain(Timestamp) override {
    ++maintained;
    if (maintenance_fails) return fail(ErrorCode::unavailable, "no maintenance today");
    MaintenanceReport report;
    report.sealed = {"a"};
    return report;
  }
  std::atomic<std::uint64_t> pending = 0;
  std::atomic<std::uint64_t> committed = 0;
  std::atomic<int> refusals = 0;
  std::atomic<int> commits = 0;
  std::atomic<int> maintained = 0;
  bool maintenance_fails = false;
  std::uint64_t again = 0;          // of the rows, were given again
  std::vector<HistoryGap> given;    // as the feed has noted it
  std::vector<std::uint64_t> last;  // read after the feed has stopped
};

FeedItem item(std::uint32_t shard, std::uint64_t position, int rows = 1) {
  ObservationBatch batch{TypeId(0)};
  for (int i = 0; i < rows; ++i) batch.begin_row("urn:a", {i});
  batch.finish();
  FeedItem out;
  out.shard = shard;
  out.position_end = position;
  Rows part;
  part.batch = std::make_shared<const ObservationBatch>(std::move(batch));
  out.rows.push_back(std::move(part));
  return out;
}

constexpr FeedOptions kQuick = {.commit_interval = Micros::from_millis(2),
                                .maintain_interval = Micros::from_millis(1),
                                .retry_after = Micros::from_millis(1)};

TEST(HistoryFeed, CommitsInIntervalsAndTellsPositions) {
  FakeHistory history;
  const SystemClock clock;
  const std::uint64_t start[] = {5, 7};
  HistoryFeed feed(history, clock, kQuick, {}, start);
  EXPECT_EQ(feed.committed_position(1), 7U);
  EXPECT_TRUE(feed.push(item(0, 10, 3)));
  EXPECT_TRUE(feed.push(item(1, 6, 100)));  // already there before the restart
  FeedItem last = item(1, 9);
  last.quarantined.resize(2);
  EXPECT_TRUE(feed.push(std::move(last)));
  while (feed.committed_position(1) != 9 || history.maintained == 0) std::this_thread::yield();
  EXPECT_EQ(feed.committed_position(0), 10U);
  EXPECT_EQ(history.committed, 6U);
  EXPECT_TRUE(feed.flush_and_stop({}));
  EXPECT_EQ(history.last, (std::vector<std::uint64_t>{10, 9}));
  EXPECT_FALSE(feed.push(item(0, 11)));
  EXPECT_FALSE(feed.try_push(item(0, 11)));
}

TEST(HistoryFeed, CommitsEarlyWhenManyRowsWait) {
  FakeHistory history;
  const SystemClock clock;
  const std::uint64_t start[] = {0};
  FeedOptions options;
  options.commit_interval = Micros::from_hours(1);
  options.commit_rows_max = 100;
  HistoryFeed feed(history, clock, options, {}, start);
  for (std::uint64_t i = 1; i <= 11; ++i) ASSERT_TRUE(feed.push(item(0, i, 30)));
  while (feed.committed_position(0) < 8) std::this_thread::yield();
  EXPECT_TRUE(feed.flush_and_stop({}));
  EXPECT_EQ(history.committed, 330U);
  EXPECT_EQ(history.commits, 3);
}

TEST(HistoryFeed, RetriesAndNeverDrops) {
  FakeHistory history;
  history.refusals = 20;
  const SystemClock clock;
  std::atomic<std::uint64_t> failures = 0;
  std::atomic<int> recovered = 0;
  FeedEvents events;
  events.failed = [&](const Error& error, std::uint64_t count) {
    EXPECT_EQ(error.message, "disk full");
    failures = count;
  };
  events.recovered = [&] { ++recovered; };
  const std::uint64_t start[] = {0};
  FeedOptions options = kQuick;
  options.queue_items_max = 4;
  HistoryFeed feed(history, clock, options, std::move(events), start);
  bool was_full = false;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    FeedItem next = item(0, i);
    if (feed.try_push(std::move(next))) continue;
    was_full = true;
    ASSERT_EQ(next.rows.size(), 1U);  // untouched
    ASSERT_TRUE(feed.push(std::move(next)));
  }
  EXPECT_TRUE(was_full);
  EXPECT_TRUE(feed.flush_and_stop(Micros::from_seconds(5)));
  EXPECT_EQ(history.committed, 200U);
  EXPECT_EQ(failures, 20U);
  EXPECT_EQ(recovered, 1);
}

TEST(HistoryFeed, WithoutAThreadItsOwnerRunsIt) {
  FakeHistory history;
  ManualClock clock({});
  const std::uint64_t start[] = {0};
  FeedOptions options = kQuick;
  options.place = FeedPlace::driven;
  options.queue_items_max = 2;
  HistoryFeed feed(history, clock, options, {}, start);
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_TRUE(feed.push(item(0, i)));  // makes room itself
  EXPECT_EQ(history.commits, 0);                                              // not due yet
  clock.advance(options.commit_interval);
  EXPECT_TRUE(feed.turn());
  EXPECT_EQ(feed.committed_position(0), 5U);
  history.refusals = 1;
  EXPECT_TRUE(feed.push(item(0, 6)));
  clock.advance(options.commit_interval);
  EXPECT_TRUE(feed.turn());
  EXPECT_EQ(feed.committed_position(0), 5U);
  EXPECT_TRUE(feed.flush_and_stop({}));
  EXPECT_EQ(feed.committed_position(0), 6U);
  EXPECT_FALSE(feed.push(item(0, 7)));
}

FeedOptions driven() {
  FeedOptions options = kQuick;
  options.place = FeedPlace::driven;
  return options;
}

// What lies before the positions, since a file of it is damaged: taken, noted, and no position.
TEST(HistoryFeed, TakesOlderRecordsThatAreGivenAgain) {
  FakeHistory history;
  ManualClock clock({});
  const std::uint64_t start[] = {0, 50};
  HistoryFeed feed(history, clock, driven(), {}, start);
  FeedItem older = item(1, 20, 3);
  older.again_after = 10;
  older.quarantined.resize(2);  // were never lost
  EXPECT_TRUE(feed.push(std::move(older)));
  EXPECT_EQ(feed.queue_size(), 1U);
  clock.advance(kQuick.commit_interval);
  EXPECT_TRUE(feed.turn());
  EXPECT_EQ(feed.queue_size(), 0U);
  EXPECT_EQ(feed.committed_position(1), 50U);
  EXPECT_EQ(history.again, 3U);
  EXPECT_EQ(history.committed, 3U) << "quarantined items twice";
  ASSERT_EQ(history.given.size(), 1U);
  EXPECT_EQ(history.given[0].shard, 1U);
  EXPECT_EQ(history.given[0].after, 10U);
  EXPECT_EQ(history.given[0].until, 20U);
  EXPECT_TRUE(history.given[0].is_of_files);
}

TEST(HistoryFeed, TasksRunBetweenCommitsUntilTheEnd) {
  FakeHistory history;
  const SystemClock clock;
  const std::uint64_t start[] = {0};
  std::atomic<int> done = 0;
  {
    HistoryFeed feed(history, clock, kQuick, {}, start);
    EXPECT_TRUE(feed.run_between_commits([&] { ++done; }));
    while (done == 0) std::this_thread::yield();
    EXPECT_TRUE(feed.run_between_commits([&] { ++done; }));
    EXPECT_TRUE(feed.flush_and_stop({}));
    EXPECT_EQ(done, 2) << "one that was accepted has run when the feed has ended";
    EXPECT_FALSE(feed.run_between_commits([&] { ++done; }));
    EXPECT_TRUE(feed.flush_and_stop({})) << "once more";
  }
  EXPECT_EQ(done, 2);
}

TEST(HistoryFeed, AMaintenanceThatFailsIsToldAndTriedAgain) {
  FakeHistory history;
  history.maintenance_fails = true;
  ManualClock clock({});
  const std::uint64_t start[] = {0};
  std::vector<std::string> told;
  FeedEvents events;
  events.failed = [&](const Error& error, std::uint64_t) { told.push_back(error.message); };
  events.maintained = [&](const MaintenanceReport& report) { told.push_back(report.sealed.at(0)); };
  HistoryFeed feed(history, clock, driven(), std::move(events), start);
  for (int i = 0; i < 2; ++i) {
    clock.advance(kQuick.maintain_interval);
    EXPECT_TRUE(feed.turn());
  }
  history.maintenance_fails = false;
  clock.advance(kQuick.maintain_interval);
  EXPECT_TRUE(feed.turn());
  EXPECT_EQ(told, (std::vector<std::string>{"no maintenance today", "no maintenance today", "a"}));
}

TEST(HistoryFeed, GivesUpAfterItsPatience) {
  FakeHistory history;
  history.refusals = 1'000'000;
  const SystemClock clock;
  const std::uint64_t start[] = {0};
  HistoryFeed feed(history, clock, kQuick, {}, start);
  ASSERT_TRUE(feed.push(item(0, 1)));
  const Status status = feed.flush_and_stop(Micros::from_millis(20));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "disk full");
  EXPECT_EQ(feed.committed_position(0), 0U);
}

TEST(HistoryFeed, ShardsFeedTheRealHistoryTogether) {
  DuckHistoryOptions options;
  options.shard_count = 3;
  options.tail_rows_max = 5000;
  TestCity city(options);
  const auto positions = city.history->positions().value();
  std::vector<std::shared_ptr<const ObservationBatch>> batches;
  for (int i = 0; i < 150; ++i) batches.push_back(city.vehicles(i * 100, 100));
  {
    std::atomic<int> problems = 0;
    FeedEvents events;
    events.failed = [&](const Error&, std::uint64_t) { ++problems; };
    FeedOptions feed_options;
    feed_options.commit_interval = Micros::from_millis(5);
    feed_options.maintain_interval = Micros::from_millis(20);
    feed_options.queue_items_max = 8;
    HistoryFeed feed(*city.history, city.clock, feed_options, std::move(events), positions);
    std::vector<std::thread> shards;
    for (std::uint32_t shard = 0; shard < 3; ++shard) {
      shards.emplace_back([&, shard] {
        for (std::uint64_t i = 0; i < 50; ++i) {
          FeedItem next;
          next.shard = shard;
          next.position_end = i + 1;
          Rows rows;
          rows.batch = batches[shard * 50 + i];
          rows.source = "shard";
          next.rows.push_back(std::move(rows));
          ASSERT_TRUE(feed.push(std::move(next)));
        }
      });
    }
    for (std::thread& thread : shards) thread.join();
    EXPECT_TRUE(feed.flush_and_stop(Micros::from_seconds(5)));
    EXPECT_EQ(problems, 0);
    for (std::uint32_t shard = 0; shard < 3; ++shard) {
      EXPECT_EQ(feed.committed_position(shard), 50U);
    }
  }
  EXPECT_EQ(city.one("SELECT count(*), count(DISTINCT \"observedAt\") FROM Vehicle"),
            "15000|15000");
}

}  // namespace
}  // namespace ficus::history
