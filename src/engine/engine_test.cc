// The engine as its users see it: two shards look like one.
#include "engine/engine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_disk.h"
#include "engine/no_history_testing.h"

namespace ficus {
namespace {

constexpr std::uint64_t kPositions[] = {0, 0};
constexpr std::string_view kRules =
    "CREATE RULE fast AS INSERT INTO Alert (severity) SELECT 'high' FROM Vehicle WHERE speed > 60;";
constexpr std::string_view kOtherRules =
    "CREATE RULE slow AS INSERT INTO Alert (severity) SELECT 'low' FROM Vehicle WHERE speed < 5;";

class CompletingSink final : public DeliverySink {
 public:
  void deliver(Delivery delivery) override {
    for (Completed& completed : delivery.completed) completed.done(completed.status);
  }
};

// Two shards in the test's thread.
class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    EXPECT_TRUE(AlertAttributes::declare(schema_));
    options_.data_directory = "data";
    options_.shards = 2;
    options_.log.sync_place = SyncPlace::inline_with_commit;
    options_.rules = compiled(kRules);
    options_.configuration = {"start", {{"rules.sql", 1}}};
    open();
  }

  rules::RuleSetPtr compiled(std::string_view text) {
    const rules::RuleFile file{"rules.sql", std::string(text)};
    auto set = rules::RuleSet::compile({&file, 1}, schema_, std::make_shared<ZoneSet>());
    EXPECT_TRUE(set) << set.error().message;
    return *std::move(set);
  }
  void open() {
    engine_.reset();
    feed_.emplace(history_, clock_, history::FeedOptions{.commit_interval = {}},
                  history::FeedEvents{}, kPositions);
    auto opened = Engine::open({.disk = disk_,
                                .clock = clock_,
                                .logger = logger_,
                                .schema = schema_,
                                .history = *feed_,
                                .history_positions = kPositions,
                                .intake = &intake_},
                               options_);
    ASSERT_TRUE(opened) << opened.error().message;
    engine_ = *std::move(opened);
    gps_ = engine_->intern_source("gps");
  }

  // Vehicles `begin` to `end`, each as fast as its number.
  SourceBatch vehicles(int begin, int end) {
    SourceBatch batch;
    batch.source = gps_;
    batch.received_at = clock_.now();
    ObservationBatch& rows = batch.observations.emplace_back(vehicle_);
    for (int i = begin; i < end; ++i) {
      rows.begin_row(id(i), clock_.now());
      rows.set_number(speed_, i);
    }
    rows.finish();
    return batch;
  }
  Completion acknowledge() {
    return [this](const Status& status) {
      EXPECT_TRUE(status);
      ++acknowledged_;
    };
  }
  void hear(SourceBatch batch) {
    const int before = acknowledged_;
    ASSERT_TRUE(engine_->try_submit(std::move(batch), acknowledge()));
    while (acknowledged_ == before) turn();
  }
  void turn() { (void)engine_->turn(sink_); }

  // What the engine answers to ask(on_answer).
  template <typename T, typename Ask>
  T answer(Ask ask) {
    std::optional<T> answered;
    ask([&](T answer) { answered.emplace(std::move(answer)); });
    while (!answered) turn();
    return *std::move(answered);
  }
  auto find(const std::string& id) {
    return answer<Result<twin::EntityView>>([&](auto on) { engine_->find(id, std::move(on)); });
  }
  auto query(const twin::EntityQuery& query) {
    return answer<Result<twin::QueryAnswer>>(
        [&](auto on) { engine_->query(query, std::move(on)); });
  }
  // An operator acknowledges the alert.
  auto operate(const std::string& alert, const std::string& only_of_department = "") {
    AlertCommand command;
    command.alert_id = alert;
    command.by = "operator";
    command.only_of_department = only_of_department;
    return answer<Result<twin::EntityView>>(
        [&](auto on) { engine_->operate_alert(std::move(command), std::move(on)); });
  }
  EngineStatus status() {
    return answer<EngineStatus>([&](auto on) { engine_->status(std::move(on)); });
  }
  SourceBooks books() {
    using All = std::map<std::string, SourceBooks, std::less<>>;
    return answer<All>([&](auto on) { engine_->books(std::move(on)); })["gps"];
  }
  Status change(std::string_view rules) {
    return answer<Status>([&](auto on) {
      engine_->change({"test", {{"rules.sql", 2}}}, compiled(rules), std::move(on));
    });
  }
  twin::EntityQuery all_of(TypeId type) {
    twin::EntityQuery query;
    query.type = type;
    query.order.by = twin::OrderBy::id;
    query.limit = 1000;
    query.count_total = true;
    return query;
  }
  std::vector<std::string> alert_ids() {
    std::vector<std::string> ids;
    const auto answer = query(all_of(alert_.type));
    EXPECT_TRUE(answer);
    for (const twin::EntityView& alert : answer->entities) ids.push_back(alert.id);
    return ids;
  }
  // The one alert there is.
  std::string alert_id() {
    const std::vector<std::string> ids = alert_ids();
    EXPECT_EQ(ids.size(), 1U);
    return ids.empty() ? "" : ids.front();
  }
  static std::string id(int number) { return fmt::format("urn:ngsi-ld:Vehicle:{:02}", number); }

  ManualClock clock_{Timestamp::from_seconds(1'790'000'000)};
  MemoryDisk disk_;
  Logger logger_{clock_, stderr, static_cast<LogLevel>(static_cast<int>(LogLevel::error) + 1)};
  Intake intake_{disk_, clock_, logger_, {.directory = "data"}};
  Schema schema_;
  const TypeId vehicle_ = *schema_.intern_type("Vehicle");
  const AttributeId speed_ = *schema_.intern_attribute(vehicle_, "speed", ValueKind::number);
  const AlertAttributes alert_ = *AlertAttributes::declare(schema_);
  NoHistory history_;
  std::optional<history::HistoryFeed> feed_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
  CompletingSink sink_;
  SourceId gps_;
  int acknowledged_ = 0;
};

TEST_F(EngineTest, ASourceHasOneNumber) {
  EXPECT_EQ(engine_->intern_source("gps"), gps_);
  EXPECT_NE(engine_->intern_source("meters"), gps_);
  EXPECT_EQ(engine_->source_name(gps_), "gps");
}

TEST_F(EngineTest, ABatchIsSharedOutAndAcknowledgedOnce) {
  hear(vehicles(0, 20));
  for (int i = 0; i < 5; ++i) turn();
  EXPECT_EQ(acknowledged_, 1);
  const EngineStatus now = status();
  ASSERT_EQ(now.shards.size(), 2U);
  EXPECT_GT(now.shards[0].entities_by_type.at("Vehicle"), 0U);
  EXPECT_GT(now.shards[1].entities_by_type.at("Vehicle"), 0U);
  EXPECT_EQ(
      now.shards[0].entities_by_type.at("Vehicle") + now.shards[1].entities_by_type.at("Vehicle"),
      20U);
  EXPECT_EQ(books().received, 20U);
  EXPECT_EQ(books().applied, 20U);
  ASSERT_EQ(engine_->logs().size(), 2U);
  for (const CommitLog* log : engine_->logs()) EXPECT_GT(log->durable().offset, 0U);
}

TEST_F(EngineTest, WhatHasNoRowsIsBookedAndAcknowledgedToo) {
  SourceBatch batch;
  batch.source = gps_;
  batch.quarantined.push_back({"topic", "not a number", "x"});
  batch.refused.push_back({"not_mapped", 3});
  hear(std::move(batch));
  SourceBatch empty;
  empty.source = gps_;
  hear(std::move(empty));
  const SourceBooks now = books();
  EXPECT_EQ(now.received, 4U);
  EXPECT_EQ(now.quarantined, 1U);
  EXPECT_EQ(now.refused(), 3U);
  EXPECT_TRUE(now.balanced());
}

TEST_F(EngineTest, OfABatchForAFullQueueNothingIsTaken) {
  options_.queue_batches_max = 1;
  open();
  ASSERT_TRUE(engine_->try_submit(vehicles(0, 20), acknowledge()));
  SourceBatch second = vehicles(20, 40);
  Completion done = acknowledge();
  EXPECT_FALSE(engine_->try_submit(std::move(second), std::move(done)));
  EXPECT_EQ(second, vehicles(20, 40));  // NOLINT(bugprone-use-after-move): untouched is the promise
  ASSERT_TRUE(done);
  while (acknowledged_ == 0) turn();
  ASSERT_TRUE(engine_->try_submit(std::move(second), std::move(done)));
  while (acknowledged_ == 1) turn();
  EXPECT_EQ(books().applied, 40U);
}

TEST_F(EngineTest, AnEntityIsFoundInWhicheverShardItIs) {
  hear(vehicles(0, 20));
  for (int i = 0; i < 20; ++i) {
    const auto found = find(id(i));
    ASSERT_TRUE(found) << i;
    EXPECT_EQ(found->id, id(i));
  }
  const auto missing = find("urn:ngsi-ld:Vehicle:none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_TRUE(missing.error().message.contains("Vehicle:none")) << missing.error().message;
}

TEST_F(EngineTest, PagesGoThroughAllShards) {
  hear(vehicles(0, 20));
  twin::EntityQuery page = all_of(vehicle_);
  page.offset = 5;
  page.limit = 3;
  const auto answer = query(page);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->total, 20U);
  ASSERT_EQ(answer->entities.size(), 3U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(answer->entities[static_cast<std::size_t>(i)].id, id(5 + i));
  }
}

TEST_F(EngineTest, AQuestionThatCannotBeAnsweredSaysWhy) {
  twin::EntityQuery by_distance;
  by_distance.order.by = twin::OrderBy::distance;  // from nowhere
  const auto answer = query(by_distance);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::invalid_input);
}

TEST_F(EngineTest, AnAlertIsOperatedInWhicheverShardItIs) {
  hear(vehicles(61, 71));
  EXPECT_EQ(alert_ids().size(), 10U);
  for (const std::string& id : alert_ids()) {
    const auto acknowledged = operate(id);
    ASSERT_TRUE(acknowledged) << acknowledged.error().message;
    EXPECT_EQ(acknowledged->find(alert_.status)->value.as_text(), "acknowledged");
    EXPECT_EQ(acknowledged->find(alert_.acknowledged_by)->value.as_text(), "operator");
  }
}

TEST_F(EngineTest, AnOperatorHearsWhyAnAlertStays) {
  const auto unknown = operate("urn:ngsi-ld:Alert:none");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::not_found);
  EXPECT_TRUE(unknown.error().message.contains("Alert:none")) << unknown.error().message;

  hear(vehicles(61, 62));
  const auto denied = operate(alert_id(), "health");
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, ErrorCode::denied);

  intake_.log_failed("log", {ErrorCode::disk_full, "the disk is full"});
  const auto refused = operate(alert_id());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::disk_full);
}

TEST_F(EngineTest, OtherRulesHoldInAllShards) {
  hear(vehicles(0, 20));
  EngineStatus before = status();
  ASSERT_EQ(before.rules.size(), 1U);
  EXPECT_EQ(before.rules[0].name, "fast");
  EXPECT_EQ(before.rules[0].from, "Vehicle");
  EXPECT_EQ(before.rules[0].into, "Alert");
  EXPECT_EQ(before.rules[0].file, "rules.sql");
  EXPECT_EQ(before.rules[0].raised, 0U);

  ASSERT_TRUE(change(kOtherRules));
  clock_.advance(Micros::from_seconds(1));
  hear(vehicles(0, 20));
  const EngineStatus after = status();
  ASSERT_EQ(after.rules.size(), 1U);
  EXPECT_EQ(after.rules[0].name, "slow");
  EXPECT_EQ(after.rules[0].raised, 5U) << "summed over the shards";
  EXPECT_EQ(after.shards[0].alerts_open + after.shards[1].alerts_open, 5U);
}

TEST_F(EngineTest, WhatARuleFailedWithIsKept) {
  RuleStatus sum, one, other;
  sum.rows_seen = 1;
  sum.nanoseconds = 2;
  one.rows_seen = 2;
  one.failures = 3;
  one.nanoseconds = 4;
  one.last_error = "first";
  other.last_error = "second";
  sum.add(one);
  sum.add(other);
  EXPECT_EQ(sum.rows_seen, 3U);
  EXPECT_EQ(sum.failures, 3U);
  EXPECT_EQ(sum.nanoseconds, 6);
  EXPECT_EQ(sum.last_error, "first");
}

TEST_F(EngineTest, StartsWithAllThatItHad) {
  hear(vehicles(0, 20));
  hear(vehicles(61, 62));
  const std::string alert = alert_id();
  ASSERT_TRUE(engine_->stop());
  open();
  EXPECT_EQ(query(all_of(vehicle_))->total, 21U);
  EXPECT_EQ(alert_id(), alert);
  EXPECT_EQ(books().applied, 21U);
}

TEST_F(EngineTest, WhoComesWhileItStopsIsToldSo) {
  hear(vehicles(61, 62));
  engine_->take_no_more();
  EXPECT_EQ(find(id(61)).error().code, ErrorCode::unavailable);
  EXPECT_EQ(query(all_of(vehicle_)).error().code, ErrorCode::unavailable);
  EXPECT_EQ(change(kOtherRules).error().code, ErrorCode::unavailable);
  SourceBatch batch = vehicles(0, 20);
  EXPECT_EQ(answer<Status>([&](auto on) {
              Completion done = std::move(on);
              EXPECT_TRUE(engine_->try_submit(std::move(batch), std::move(done)));
            })
                .error()
                .code,
            ErrorCode::unavailable);
}

// One thread a shard; the answers come on these.
TEST_F(EngineTest, ShardsHaveThreadsOfTheirOwn) {
  engine_->start(sink_);
  std::promise<void> durable;
  ASSERT_TRUE(engine_->try_submit(vehicles(0, 20), [&](const Status& status) {
    EXPECT_TRUE(status);
    durable.set_value();
  }));
  durable.get_future().wait();
  std::promise<std::size_t> total;
  engine_->query(all_of(vehicle_), [&](auto answer) { total.set_value(answer->total.value()); });
  EXPECT_EQ(total.get_future().get(), 20U);
  EXPECT_TRUE(engine_->stop());
}

}  // namespace
}  // namespace ficus
