#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/memory_disk.h"
#include "engine/no_history_testing.h"
#include "engine/shard.h"

namespace ficus {

// Runs completions at once.
class CompletingSink final : public DeliverySink {
 public:
  void deliver(Delivery delivery) override {
    for (Completed& completed : delivery.completed) completed.done(completed.status);
  }
};

// A shard whose turns the test takes, on a disk that can lose power.
class District {
 public:
  explicit District(std::string rules, std::size_t step_edges_max = 4096)
      : rules_(std::move(rules)) {
    state_options_.step_edges_max = step_edges_max;
    options_.directory = "log";
    options_.log.sync_place = SyncPlace::inline_with_commit;
    options_.queue_items_max = 1000;
    feed_options_.commit_interval = {};  // the clock may stand still
  }

  CommitLogOptions& log_options() { return options_.log; }
  void use_rules(std::string rules) { rules_ = std::move(rules); }

  // As at a start of the process; what was open before is gone without a word.
  void open() {
    shard_.reset();
    feed_.reset();
    schema_ = std::make_unique<Schema>();
    vehicle_ = *schema_->intern_type("Vehicle");
    speed_ = *schema_->intern_attribute(vehicle_, "speed", ValueKind::number);
    alert_ = *AlertAttributes::declare(*schema_);
    const std::uint64_t position = 0;
    feed_.emplace(history_, clock, feed_options_, history::FeedEvents{}, std::span(&position, 1));
    options_.configuration = {"start", {{"rules.sql", std::hash<std::string>()(rules_)}}};
    auto state = std::make_unique<ShardState>(*schema_, book(rules_), alert_, state_options_);
    state_ = state.get();
    auto shard = Shard::open({.disk = disk,
                              .clock = clock,
                              .logger = logger_,
                              .history = *feed_,
                              .followers = followers_},
                             options_, std::move(state), 0);
    ASSERT_TRUE(shard) << shard.error().message;
    shard_ = *std::move(shard);
  }
  // As at an orderly end of the process, with a history that has everything.
  void stop() {
    shard_->take_no_more();
    do {
      shard_->queue().wake();
    } while (shard_->turn({}, sink_));
    EXPECT_TRUE(feed_->flush_and_stop(Micros::from_seconds(60)));
    EXPECT_TRUE(shard_->close());
  }
  void lose_power_and_open() {
    disk.lose_unsynced();
    open();
  }

  void hear(int begin, int end, double speed = 30) {
    SourceBatch batch;
    batch.received_at = clock.now();
    for (int i = begin; i < end; ++i) {
      if (batch.observations.empty() || batch.observations.back().is_full()) {
        batch.observations.emplace_back(vehicle_);
      }
      ObservationBatch& rows = batch.observations.back();
      rows.begin_row(id(i), clock.now());
      rows.set_number(speed_, speed);
    }
    for (ObservationBatch& rows : batch.observations) rows.finish();
    submit(Shard::Heard{"gps", std::move(batch), acknowledge()});
  }
  void reload(std::string rules) {
    rules_ = std::move(rules);
    submit(Shard::Change{
        {"Lin", {{"rules.sql", std::hash<std::string>()(rules_)}}}, book(rules_), acknowledge()});
  }
  // Returns whether more is due.
  bool turn() {
    const std::uint64_t before = shard_->log().end().offset;
    shard_->queue().wake();
    EXPECT_TRUE(shard_->turn({}, sink_));
    turn_bytes_max = std::max(turn_bytes_max, shard_->log().end().offset - before);
    ++turns;
    const auto due = state_->next_deadline();
    return (due && *due <= clock.now()) || shard_->queue().size() > 0;
  }
  void work_off() {
    while (turn()) {
    }
    // What waits in the shard's own list is not seen from outside.
    for (int i = 0; i < 3; ++i) (void)turn();
  }

  std::size_t alert_count() { return state_->twin().entity_count(alert_.type); }
  std::size_t open_alert_count() { return state_->open_alert_count(); }
  // Of which entities there is an alert in this state.
  std::multiset<std::string> about(std::string_view status) {
    std::multiset<std::string> entities;
    const twin::Twin& twin = state_->twin();
    for (std::uint32_t i = 0; i < twin.entity_count(); ++i) {
      const EntityId entity(i);
      if (twin.type_of(entity) != alert_.type) continue;
      if (twin.value(entity, alert_.status).as_text() != status) continue;
      entities.emplace(twin.value(entity, alert_.alert_source).as_text());
    }
    return entities;
  }
  std::string encoded() {
    std::string all;
    for (const auto& [name, bytes] : state_->encode()) all += name + bytes;
    return all;
  }
  static std::string id(int number) { return fmt::format("urn:ngsi-ld:Vehicle:{}", number); }
  Shard& shard() { return *shard_; }

  ManualClock clock{Timestamp::from_seconds(1'790'000'000)};
  MemoryDisk disk;
  int acknowledged = 0;
  int turns = 0;
  std::uint64_t turn_bytes_max = 0;

 private:
  rules::RuleBook book(const std::string& text) {
    const rules::RuleFile file{"rules.sql", text};
    auto set = rules::RuleSet::compile({&file, 1}, *schema_, std::make_shared<ZoneSet>());
    EXPECT_TRUE(set) << set.error().message;
    return {*std::move(set), *schema_};
  }
  Completion acknowledge() {
    return [this](const Status& status) {
      EXPECT_TRUE(status);
      ++acknowledged;
    };
  }
  // A sender waits while the queue is full.
  void submit(Shard::Item item) {
    while (!shard_->queue().try_push(std::move(item))) (void)turn();
  }

  std::string rules_;
  ShardStateOptions state_options_;
  ShardOptions options_;
  history::FeedOptions feed_options_;
  Logger logger_{clock, stderr, static_cast<LogLevel>(static_cast<int>(LogLevel::error) + 1)};
  NoHistory history_;
  std::atomic<bool> followers_ = false;
  CompletingSink sink_;
  std::unique_ptr<Schema> schema_;
  TypeId vehicle_;
  AttributeId speed_;
  AlertAttributes alert_;
  std::optional<history::HistoryFeed> feed_;
  std::unique_ptr<Shard> shard_;
  const ShardState* state_ = nullptr;  // the shard's; all happens on one thread
};

}  // namespace ficus
