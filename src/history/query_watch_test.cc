#include "history/query_watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/clock.h"

namespace ficus::history {
namespace {

constexpr Micros kNever{INT64_MAX};

class QueryWatchMemory : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = DuckDatabase::open({.path = ":memory:",
                                      .directory = testing::TempDir(),
                                      .spill_directory = testing::TempDir(),
                                      .memory_bytes_max = 1 << 30});
    ASSERT_TRUE(opened) << opened.error().message;
    database = std::move(*opened);
    connection = *DuckConnection::open(*database);
    // An index stays in memory, so that much is in use whatever runs.
    ASSERT_TRUE(connection->run("CREATE TABLE kept (number BIGINT PRIMARY KEY)"));
    ASSERT_TRUE(connection->run("INSERT INTO kept SELECT range FROM range(200000)"));
    watch.set_database(database.get());
  }
  void TearDown() override { watch.set_database(nullptr); }

  std::unique_ptr<DuckDatabase> database;
  std::unique_ptr<DuckConnection> connection;
  ManualClock clock{Timestamp{0}};
  QueryWatch watch{clock};
};

TEST_F(QueryWatchMemory, WhatIsInUseIsPutDownToTheQueriesThatRun) {
  QueryWatch::Guard guard(watch, *connection, kNever, 100'000);
  while (!guard.stopped()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(*guard.stopped(), StopReason::memory);
}

// A count of rows must not end because a tail is being sorted into a file beside it.
TEST_F(QueryWatchMemory, ButWhatGrewWhileTheHistorySealsIsNot) {
  watch.set_upkeep(true);
  clock.advance(Micros::from_seconds(3600));
  QueryWatch::Guard guard(watch, *connection, kNever, 100'000);
  // Some looks: that it goes on cannot be waited for.
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  EXPECT_FALSE(guard.stopped());
}

}  // namespace
}  // namespace ficus::history
