#include "api/query_desk.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace ficus::api {
namespace {

class QueryDeskTest : public testing::Test {
 protected:
  QueryDesk::Work work(const std::string& name) {
    return [this, name](const Status& admitted, std::stop_token stop) {
      if (!admitted) {
        const std::lock_guard lock(mutex);
        dropped.push_back(name);
        return;
      }
      {
        const std::lock_guard lock(mutex);
        begun.push_back(name);
      }
      changed.notify_all();
      std::unique_lock lock(mutex);
      const std::stop_callback on_stop(stop, [this] { changed.notify_all(); });
      while (!stop.stop_requested() && !free.contains(name)) {
        changed.wait_for(lock, std::chrono::milliseconds(5));
      }
      (stop.stop_requested() ? stopped : done).push_back(name);
    };
  }
  std::uint64_t ask(QueryDesk& desk, const std::string& user, const std::string& name) {
    const std::uint64_t id = desk.next_id();
    last = desk.submit(id, user, name, work(name));
    return id;
  }
  void wait_for_begun(std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return begun.size() >= count; });
  }
  void let_go(const std::string& name) {
    const std::lock_guard lock(mutex);
    free.insert(name);
    changed.notify_all();
  }

  SystemClock clock;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> begun, done, stopped, dropped;
  std::set<std::string> free;
  Status last;
};

TEST_F(QueryDeskTest, OneUserDoesNotStarveAnother) {
  QueryDesk desk(
      clock,
      {.threads = 1, .running_per_user_max = 1, .waiting_per_user_max = 8, .waiting_max = 10});
  ask(desk, "greedy", "g1");
  wait_for_begun(1);
  for (const char* name : {"g2", "g3", "g4"}) ask(desk, "greedy", name);
  ask(desk, "modest", "m1");
  let_go("g1");
  wait_for_begun(2);
  for (const char* name : {"g2", "g3", "g4", "m1"}) let_go(name);
  wait_for_begun(5);
  const std::lock_guard lock(mutex);
  // Asked last, but the other user had been served more lately.
  EXPECT_EQ(begun[1], "m1");
  EXPECT_EQ(std::vector(begun.begin() + 2, begun.end()),
            (std::vector<std::string>{"g2", "g3", "g4"}));
}

TEST_F(QueryDeskTest, AUserKeepsAThreadFreeForOthers) {
  QueryDesk desk(
      clock,
      {.threads = 2, .running_per_user_max = 1, .waiting_per_user_max = 8, .waiting_max = 10});
  ask(desk, "greedy", "g1");
  ask(desk, "greedy", "g2");
  ask(desk, "modest", "m1");
  wait_for_begun(2);
  {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(std::set<std::string>(begun.begin(), begun.end()),
              (std::set<std::string>{"g1", "m1"}));
  }
  const std::vector<QueryState> all = desk.list(std::nullopt);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(all[0].is_running && all[1].is_running && !all[2].is_running);
  EXPECT_EQ(all[2].text, "g2");
  EXPECT_EQ(desk.list("modest").size(), 1U);
  EXPECT_EQ(desk.list("nobody").size(), 0U);
  let_go("g1");
  wait_for_begun(3);
}

TEST_F(QueryDeskTest, RefusesBeyondItsLimits) {
  QueryDesk desk(
      clock,
      {.threads = 1, .running_per_user_max = 1, .waiting_per_user_max = 2, .waiting_max = 3});
  ask(desk, "a", "a1");
  wait_for_begun(1);
  ask(desk, "a", "a2");
  ask(desk, "a", "a3");
  EXPECT_TRUE(last);
  ask(desk, "a", "a4");
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, ErrorCode::overloaded);
  EXPECT_TRUE(last.error().message.starts_with("2 of your queries wait already"));
  ask(desk, "b", "b1");
  EXPECT_TRUE(last);
  ask(desk, "c", "c1");
  ASSERT_FALSE(last);
  EXPECT_TRUE(last.error().message.starts_with("3 queries wait already"));
}

TEST_F(QueryDeskTest, CancelsWhatRunsAndWhatWaitsButNotAnothers) {
  {
    QueryDesk desk(clock, {.threads = 1, .running_per_user_max = 1});
    const std::uint64_t running = ask(desk, "a", "a1");
    wait_for_begun(1);
    const std::uint64_t waiting = ask(desk, "a", "a2");
    ask(desk, "a", "a3");
    EXPECT_FALSE(desk.cancel(running, "b"));
    EXPECT_FALSE(desk.cancel(waiting, "b"));
    EXPECT_FALSE(desk.cancel(999, std::nullopt));
    EXPECT_TRUE(desk.cancel(waiting, "a"));
    EXPECT_EQ(dropped, std::vector<std::string>{"a2"});
    EXPECT_FALSE(desk.cancel(waiting, "a"));
    EXPECT_TRUE(desk.cancel(running, std::nullopt));
    wait_for_begun(2);
  }  // the end stops what runs
  EXPECT_EQ(stopped, (std::vector<std::string>{"a1", "a3"}));
}

}  // namespace
}  // namespace ficus::api
