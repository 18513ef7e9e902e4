#include "net/event_loop.h"

#include <gtest/gtest.h>

#include <csignal>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "net/loopback_testing.h"

namespace ficus::net {
namespace {

TEST(EventLoop, RunsPostedTasksInOrderAndNotInsideTheCall) {
  EventLoop loop;
  std::vector<int> order;
  loop.post([&] {
    order.push_back(1);
    loop.post([&] { order.push_back(3); });
    order.push_back(2);
  });
  EXPECT_TRUE(order.empty());
  ASSERT_TRUE(run_until(loop, [&] { return order.size() == 3; }));
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(EventLoop, TakesTasksFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 5000;
  EventLoop loop;
  std::vector<int> next(kThreads, 0);  // touched on the loop's thread only
  int done = 0;
  bool in_order = true;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        loop.post([&, t, i] {
          in_order = in_order && next[t]++ == i && loop.is_loop_thread();
          if (++done == kThreads * kTasks) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, kThreads * kTasks);
  EXPECT_TRUE(in_order);
}

TEST(EventLoop, StopsFromAnotherThreadAndRunsAgain) {
  EventLoop loop;
  for (int i = 0; i < 2; ++i) {
    std::thread stopper([&] {
      EXPECT_TRUE(true);
      loop.stop();
    });
    loop.run();
    stopper.join();
  }
}

TEST(EventLoop, DestroysTasksThatNeverRan) {
  auto token = std::make_shared<int>(1);
  {
    EventLoop loop;
    loop.post([token] {});
    auto timer = std::make_shared<Timer>(loop);
    loop.post([timer] {});  // holds something of the loop
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Timer, FiresOnceAndCanBeRestarted) {
  EventLoop loop;
  Timer timer(loop);
  int fired = 0;
  timer.start_once(Micros::from_seconds(100), [&] { fired += 100; });
  timer.start_once(Micros::from_millis(1), [&] { ++fired; });
  EXPECT_TRUE(timer.is_running());
  ASSERT_TRUE(run_until(loop, [&] { return fired > 0; }));
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer.is_running());
}

TEST(Timer, RepeatsUntilCancelledFromItsCallback) {
  EventLoop loop;
  Timer timer(loop);
  int fired = 0;
  timer.start_repeating(Micros{500}, [&] {
    if (++fired == 3) timer.cancel();
  });
  ASSERT_TRUE(run_until(loop, [&] { return fired == 3; }));
  run_for(loop, Micros::from_millis(5));
  EXPECT_EQ(fired, 3);
}

TEST(Timer, MayBeDestroyedInItsCallback) {
  EventLoop loop;
  std::optional<Timer> timer(std::in_place, loop);
  bool fired = false;
  timer->start_repeating(Micros{100}, [&] {
    timer.reset();
    fired = true;
  });
  ASSERT_TRUE(run_until(loop, [&] { return fired; }));
  run_for(loop, Micros::from_millis(2));
}

TEST(Timer, CancelledOnTimeDoesNotFire) {
  EventLoop loop;
  Timer first(loop);
  Timer second(loop);
  int fired = 0;
  // Both are due in the same turn: whichever comes first cancels the other.
  first.start_once(Micros{1000}, [&] { ++fired, second.cancel(); });
  second.start_once(Micros{1000}, [&] { ++fired, first.cancel(); });
  run_for(loop, Micros::from_millis(5));
  EXPECT_EQ(fired, 1);
}

TEST(Timer, FollowsTheClockOfItsLoop) {
  ManualClock clock({});
  EventLoop loop(clock);
  Timer once(loop);
  Timer repeating(loop);
  std::string fired;
  once.start_once(Micros{30}, [&] { fired += 'o'; });
  repeating.start_repeating(Micros{20}, [&] { fired += 'r'; });
  loop.run_turn({});
  EXPECT_EQ(fired, "");
  clock.advance(Micros{20});
  loop.run_turn({});
  EXPECT_EQ(fired, "r");
  clock.advance(Micros{75});  // misses beats
  loop.run_turn({});
  EXPECT_EQ(fired, "ror");
  clock.advance(Micros{5});
  loop.run_turn({});
  EXPECT_EQ(fired, "rorr");
  repeating.cancel();
  loop.post([&] { fired += 'p'; });
  clock.advance(Micros{100});
  loop.run_turn({});
  EXPECT_EQ(fired, "rorrp");
}

TEST(EventLoop, ReportsSignals) {
  EventLoop loop;
  std::vector<int> seen;
  ASSERT_TRUE(loop.watch_signals([&](int signal) { seen.push_back(signal); }));
  std::raise(SIGHUP);
  ASSERT_TRUE(run_until(loop, [&] { return seen.size() == 1; }));
  std::raise(SIGTERM);
  ASSERT_TRUE(run_until(loop, [&] { return seen.size() == 2; }));
  EXPECT_EQ(seen, (std::vector<int>{SIGHUP, SIGTERM}));
}

}  // namespace
}  // namespace ficus::net
