#include "engine/shard.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/memory_disk.h"
#include "engine/history_rebuild.h"
#include "history/history_testing.h"
#include "log/crash_disk.h"
#include "log/segments.h"
#include "log/snapshot.h"

namespace ficus {
namespace {

// Counts what is committed, or refuses.
class FakeHistory final : public history::UnaskedHistory {
 public:
  Result<std::vector<std::uint64_t>> positions() override { return std::vector{position.load()}; }
  Status append(history::Rows rows) override {
    pending_ += rows.batch->row_count();
    return {};
  }
  void note_given(const history::HistoryGap& gap) override { given.push_back(gap); }
  Status append_quarantine(std::string_view, Timestamp,
                           std::span<const QuarantinedItem> items) override {
    quarantined += items.size();
    return {};
  }
  Status commit(std::span<const std::uint64_t> positions) override {
    if (refuses) return fail(ErrorCode::overloaded, "refuses");
    committed_rows += std::exchange(pending_, 0);
    position = positions[0];
    return {};
  }
  void restart() { pending_ = 0; }  // what was not committed is gone with the process

  std::atomic<bool> refuses = false;
  std::atomic<std::uint64_t> position = 0;
  std::atomic<std::uint64_t> committed_rows = 0;
  std::atomic<std::uint64_t> quarantined = 0;
  std::vector<history::HistoryGap> given;

 private:
  std::uint64_t pending_ = 0;
};

// Runs completions at once.
class Sink final : public DeliverySink {
 public:
  void deliver(Delivery delivery) override {
    for (Completed& completed : delivery.completed) completed.done(completed.status);
    settled += delivery.settled.size();
  }
  std::size_t settled = 0;
};

class ShardTest : public ::testing::Test {
 protected:
  ShardTest() {
    options_.directory = "log";
    options_.log.sync_place = SyncPlace::inline_with_commit;
    feed_options_.commit_interval = Micros::from_millis(1);
    feed_options_.retry_after = Micros::from_millis(1);
  }

  // As at a start of the process.
  void open() {
    shard_.reset();
    feed_.reset();
    history_.restart();
    schema_ = std::make_unique<Schema>();
    vehicle_ = *schema_->intern_type("Vehicle");
    speed_ = *schema_->intern_attribute(vehicle_, "speed", ValueKind::number);
    const AlertAttributes alert = *AlertAttributes::declare(*schema_);
    const auto new_state = [&] {
      auto rules = rules::RuleBook::compile("", "rules.sql", *schema_, zones_);
      EXPECT_TRUE(rules);
      return std::make_unique<ShardState>(*schema_, *std::move(rules), alert, ShardStateOptions{});
    };
    const std::uint64_t position = history_.position;
    feed_.emplace(history_, clock_, feed_options_, history::FeedEvents{}, std::span(&position, 1));
    const ShardParts parts{.disk = *used_disk_,
                           .clock = clock_,
                           .logger = logger_,
                           .history = *feed_,
                           .followers = followers_};
    auto gaps = rebuild_history(parts, options_, position, wanted_, new_state);
    ASSERT_TRUE(gaps) << gaps.error().message;
    gaps_ = *std::move(gaps);
    auto shard = Shard::open(parts, options_, new_state(), position);
    ASSERT_TRUE(shard) << shard.error().message;
    shard_ = *std::move(shard);
  }
  SourceBatch rows(int count) {
    ObservationBatch batch(vehicle_);
    for (int i = 0; i < count; ++i) {
      batch.begin_row(fmt::format("urn:ngsi-ld:Vehicle:{}", next_++), clock_.now());
      batch.set_number(speed_, i);
    }
    batch.finish();
    SourceBatch all;
    all.received_at = clock_.now();
    all.observations.push_back(std::move(batch));
    return all;
  }
  void submit(SourceBatch batch) {
    ASSERT_TRUE(shard_->queue().try_push(
        Shard::Heard{"gps", std::move(batch), [this](const Status& status) {
                       (status ? acknowledged_ : failed_) += 1;
                       if (!status) failure_code_ = status.error().code;
                     }}));
  }
  // Never waits.
  bool turn() {
    shard_->queue().wake();
    return shard_->turn({}, sink_);
  }
  // Everything to its end; how many turns that took.
  int stop() {
    shard_->take_no_more();
    int turns = 1;
    while (turn()) ++turns;
    return turns;
  }

  MemoryDisk disk_;
  log::CrashDisk failing_disk_;
  Disk* used_disk_ = &disk_;
  SystemClock clock_;
  Logger logger_{clock_, stderr, static_cast<LogLevel>(static_cast<int>(LogLevel::error) + 1)};
  FakeHistory history_;
  ZoneSet zones_;
  std::atomic<bool> followers_ = true;
  Sink sink_;
  ShardOptions options_;
  history::FeedOptions feed_options_;
  std::vector<history::HistoryGap> gaps_;
  std::vector<history::HistoryGap> wanted_;
  std::unique_ptr<Schema> schema_;
  std::optional<history::HistoryFeed> feed_;
  std::unique_ptr<Shard> shard_;
  TypeId vehicle_;
  AttributeId speed_;
  int next_ = 0;
  int acknowledged_ = 0;
  int failed_ = 0;
  ErrorCode failure_code_ = ErrorCode::internal;
};

TEST_F(ShardTest, AcknowledgesWhatSurvivesAPowerLoss) {
  open();
  submit(rows(3));
  EXPECT_TRUE(turn());
  EXPECT_EQ(acknowledged_, 1);
  EXPECT_EQ(sink_.settled, 1U);
  disk_.lose_unsynced();
  open();
  std::size_t entities = 0;
  EXPECT_TRUE(shard_->ask(
      [&](const ShardState& state, const Shard&) { entities = state.twin().entity_count(); }));
  EXPECT_TRUE(turn());
  EXPECT_EQ(entities, 3U);
}

TEST_F(ShardTest, OnAFullDiskNothingIsAcknowledgedAndQuestionsAreAnswered) {
  open();
  disk_.set_capacity(0);
  submit(rows(1));
  EXPECT_TRUE(turn());
  submit(rows(1));  // is left in the queue
  EXPECT_TRUE(turn());
  EXPECT_EQ(shard_->queue().size(), 1U);
  EXPECT_EQ(acknowledged_, 0);
  bool answered = false;
  EXPECT_TRUE(shard_->ask([&](const ShardState&, const Shard&) { answered = true; }));
  EXPECT_TRUE(turn());
  EXPECT_TRUE(answered);
  disk_.set_capacity(UINT64_MAX);
  EXPECT_TRUE(turn());
  EXPECT_EQ(acknowledged_, 1);
  EXPECT_TRUE(turn());
  EXPECT_EQ(acknowledged_, 2);
  EXPECT_EQ(failed_, 0);
}

TEST_F(ShardTest, GivesUpOnAFullDiskWhenStopping) {
  open();
  disk_.set_capacity(0);
  submit(rows(1));
  EXPECT_TRUE(turn());
  submit(rows(1));  // is left in the queue, and hears of the end all the same
  EXPECT_LT(stop(), 100);
  EXPECT_EQ(acknowledged_, 0);
  EXPECT_EQ(failed_, 2);
  EXPECT_FALSE(shard_->ask([](const ShardState&, const Shard&) {}));
}

TEST_F(ShardTest, AfterAFailedSyncNothingIsAcknowledgedAndItStops) {
  used_disk_ = &failing_disk_;
  open();
  submit(rows(1));
  EXPECT_TRUE(turn());
  EXPECT_EQ(acknowledged_, 1);
  // As a file system that finds no room for blocks only now.
  failing_disk_.fail_sync(true, ErrorCode::overloaded);
  submit(rows(1));
  EXPECT_TRUE(turn());
  EXPECT_EQ(failed_, 1);
  // "overloaded" would read as refused and counted, durably: MQTT acknowledges that.
  EXPECT_EQ(failure_code_, ErrorCode::unavailable);
  failing_disk_.fail_sync(false);  // the device may forget, we do not
  submit(rows(1));
  EXPECT_EQ(stop(), 1);
  EXPECT_EQ(acknowledged_, 1);
}

// Batches beyond the limits of a record and of the log's buffer.
TEST_F(ShardTest, TakesVeryLargeBatchesInSlices) {
  options_.log.log.payload_bytes_max = std::size_t{6} << 20;
  options_.log.log.buffer_bytes_max = std::size_t{20} << 20;
  open();
  for (int i = 0; i < 2; ++i) {
    SourceBatch batch = rows(2000);
    for (int item = 0; item < 200; ++item) {
      batch.quarantined.push_back({"key", "reason", std::string(std::size_t{60} << 10, 'x')});
    }
    submit(std::move(batch));
  }
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(turn());  // a turn ends after some of them
  EXPECT_EQ(acknowledged_, 2);                      // each once, when all of it is durable
  SourceBooks books;
  EXPECT_TRUE(shard_->ask(
      [&](const ShardState& state, const Shard&) { books = state.books().all().at("gps"); }));
  EXPECT_TRUE(turn());
  EXPECT_EQ(books.received, 4400U);
  EXPECT_EQ(books.quarantined, 400U);
  EXPECT_TRUE(books.balanced());
  stop();
  EXPECT_TRUE(feed_->flush_and_stop(Micros::from_seconds(10)));
  EXPECT_EQ(history_.committed_rows, 4000U);
  EXPECT_EQ(history_.quarantined, 400U);
}

// There is nothing to write it for: without history's word the log is kept.
TEST_F(ShardTest, StopsWhileASnapshotIsTakenThatHistoryWouldNotAllow) {
  options_.history_patience_at_stop = Micros::from_millis(30);
  options_.log.snapshot_every_bytes = 1;
  options_.log.snapshot_values_a_turn = 1;
  history_.refuses = true;
  open();
  submit(rows(2000));
  EXPECT_TRUE(turn());
  EXPECT_TRUE(shard_->is_taking_snapshot());
  submit(rows(2000));
  stop();
  EXPECT_EQ(acknowledged_, 2);
  (void)feed_->flush_and_stop({});
  EXPECT_TRUE(shard_->close());
  EXPECT_TRUE(log::list_snapshots(disk_, "log")->empty());
}

// A history that takes nothing does not keep the brain from stopping; it gets everything at the
// next start.
TEST_F(ShardTest, AHistoryThatRefusesGetsItsRowsAtTheNextStart) {
  feed_options_.queue_items_max = 1;
  options_.history_patience_at_stop = Micros::from_millis(30);
  history_.refuses = true;
  open();
  for (int i = 0; i < 20; ++i) submit(rows(5));
  stop();  // which ends, after a while
  EXPECT_EQ(acknowledged_, 20);
  (void)feed_->flush_and_stop({});
  EXPECT_TRUE(shard_->close());
  EXPECT_EQ(history_.position, 0U);
  history_.refuses = false;
  open();
  submit(rows(5));
  stop();
  EXPECT_TRUE(feed_->flush_and_stop(Micros::from_seconds(10)));
  EXPECT_EQ(history_.committed_rows, 105U);
  EXPECT_EQ(history_.position, shard_->log().end().offset);
  EXPECT_TRUE(shard_->close());  // now with a snapshot
  EXPECT_EQ(shard_->log().last_snapshot().offset, history_.position);
}

// Some runs with a snapshot at the end of each; then history has lost everything.
class HistoryRebuild : public ShardTest {
 protected:
  void run() {
    open();
    EXPECT_TRUE(gaps_.empty());
    submit(rows(5));
    stop();
    EXPECT_TRUE(feed_->flush_and_stop(Micros::from_seconds(10)));
    EXPECT_TRUE(shard_->close());
    snapshots_.push_back(shard_->log().last_snapshot());
  }
  void lose_history(std::uint64_t position = 0) {
    history_.position = position;
    history_.committed_rows = 0;
  }
  std::uint64_t rows_after_start() {
    open();
    stop();
    EXPECT_TRUE(feed_->flush_and_stop(Micros::from_seconds(10)));
    EXPECT_TRUE(shard_->close());
    return history_.committed_rows;
  }
  std::vector<log::Position> snapshots_;
};

TEST_F(HistoryRebuild, GivesEverythingWhileTheLogIsWhole) {
  for (int i = 0; i < 3; ++i) run();
  lose_history();
  EXPECT_EQ(rows_after_start(), 15U);
  EXPECT_TRUE(gaps_.empty());
}

TEST_F(HistoryRebuild, GivesWhatHistoryLacksOnly) {
  for (int i = 0; i < 3; ++i) run();
  lose_history(snapshots_[1].offset);
  EXPECT_EQ(rows_after_start(), 5U);
  EXPECT_TRUE(gaps_.empty());
}

TEST_F(HistoryRebuild, NamesWhatTheLogNoLongerHas) {
  options_.log.log.segment_bytes_max = 1;  // a segment a record
  for (int i = 0; i < 4; ++i) run();
  ASSERT_GT(log::list_segments(disk_, "log").value().front().offset, 0U);
  lose_history();
  EXPECT_EQ(rows_after_start(), 5U);
  ASSERT_EQ(gaps_.size(), 1U);
  EXPECT_EQ(gaps_[0].after, 0U);
  EXPECT_EQ(gaps_[0].until, snapshots_[2].offset);
}

// A file of the second run was damaged; the database is sound.
TEST_F(HistoryRebuild, GivesTheStretchOfADamagedFileAgain) {
  for (int i = 0; i < 3; ++i) run();
  history_.committed_rows = 0;
  wanted_ = {{0, snapshots_[0].offset, snapshots_[1].offset, true}};
  EXPECT_EQ(rows_after_start(), 5U);
  EXPECT_TRUE(gaps_.empty());
  ASSERT_FALSE(history_.given.empty());
  EXPECT_EQ(history_.given.front().after, snapshots_[0].offset);
  EXPECT_EQ(history_.given.back().until, snapshots_[1].offset);
  EXPECT_EQ(history_.position, snapshots_[2].offset);
}

// Both at once: the newest part has never been in history, the oldest was damaged.
TEST_F(HistoryRebuild, GivesDamagedFilesAndWhatIsNewer) {
  for (int i = 0; i < 4; ++i) run();
  lose_history(snapshots_[2].offset);
  wanted_ = {{0, 0, snapshots_[0].offset, true}};
  EXPECT_EQ(rows_after_start(), 10U);
  EXPECT_TRUE(gaps_.empty());
}

// The rows lie behind the newest snapshot, in the part that the shard itself replays.
TEST_F(HistoryRebuild, GivesADamagedFileBehindTheNewestSnapshot) {
  run();
  open();
  submit(rows(7));
  stop();
  EXPECT_TRUE(feed_->flush_and_stop(Micros::from_seconds(10)));  // and no snapshot: a crash
  history_.committed_rows = 0;
  wanted_ = {{0, snapshots_[0].offset, history_.position, true}};
  EXPECT_EQ(rows_after_start(), 7U);
  EXPECT_TRUE(gaps_.empty());
}

TEST_F(HistoryRebuild, NamesWhatTheLogNoLongerHasOfADamagedFile) {
  options_.log.log.segment_bytes_max = 1;
  for (int i = 0; i < 4; ++i) run();
  history_.committed_rows = 0;
  wanted_ = {{0, 0, snapshots_[0].offset, true},
             {0, snapshots_[1].offset, snapshots_[3].offset, true}};
  EXPECT_EQ(rows_after_start(), 5U);
  ASSERT_EQ(gaps_.size(), 2U);
  EXPECT_TRUE(gaps_[0].is_of_files);
  EXPECT_EQ(gaps_[0].until, snapshots_[0].offset);
  EXPECT_EQ(gaps_[1].after, snapshots_[1].offset);
  EXPECT_EQ(gaps_[1].until, snapshots_[2].offset);
  EXPECT_TRUE(gaps_[1].is_of_files);
}

TEST_F(HistoryRebuild, WithoutAnOlderSnapshotAllBehindTheNewestIsLost) {
  options_.log.log.segment_bytes_max = 1;
  for (int i = 0; i < 4; ++i) run();
  ASSERT_TRUE(disk_.remove(log::snapshot_path("log", snapshots_[2])));
  lose_history();
  EXPECT_EQ(rows_after_start(), 0U);
  ASSERT_EQ(gaps_.size(), 1U);
  EXPECT_EQ(gaps_[0].until, snapshots_[3].offset);
}

}  // namespace
}  // namespace ficus
