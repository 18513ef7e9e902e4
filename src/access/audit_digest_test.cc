#include "access/audit_digest.h"

#include <gtest/gtest.h>

#include "access/access_test_support.h"

namespace ficus::access {
namespace {

AuditEvent failed_login(const ManualClock& clock, std::string peer) {
  return {.time = clock.now(),
          .who = "wang",
          .peer = std::move(peer),
          .action = AuditAction::log_in,
          .object = "password",
          .outcome = AuditOutcome::failed,
          .count = 1};
}

TEST(AuditDigest, PassesTheFirstOnAndCountsTheRest) {
  ManualClock clock(Timestamp::from_seconds(1000));
  test::AuditList out;
  AuditDigest digest(clock, out);
  for (int i = 0; i < 10; ++i) digest.record(failed_login(clock, "10.0.0.1"));
  ASSERT_EQ(out.events.size(), 1U);
  EXPECT_EQ(out.events[0].count, 1U);
  clock.advance(Micros::from_seconds(59));
  digest.sweep();
  EXPECT_EQ(out.events.size(), 1U);
  clock.advance(Micros::from_seconds(1));
  digest.sweep();
  ASSERT_EQ(out.events.size(), 2U);
  EXPECT_EQ(out.events[1].count, 9U);
  digest.record(failed_login(clock, "10.0.0.1"));
  EXPECT_EQ(out.events.size(), 3U);
  digest.flush();
  EXPECT_EQ(out.events.size(), 3U);  // nothing was held back
}

TEST(AuditDigest, LosesNoneOfManyKinds) {
  ManualClock clock(Timestamp::from_seconds(1000));
  test::AuditList out;
  AuditDigest digest(clock, out, 10);
  for (int i = 0; i < 100; ++i) {
    digest.record(failed_login(clock, "10.0.0." + std::to_string(i)));
  }
  EXPECT_EQ(out.events.size(), 11U);
  EXPECT_EQ(out.events[10].object, "of many kinds, by strangers");
  digest.flush();
  std::uint64_t sum = 0;
  for (const AuditEvent& event : out.events) sum += event.count;
  EXPECT_EQ(sum, 100U);
}

// Whoever asks for a thousand things without being anybody does not hide what a user does.
TEST(AuditDigest, StrangersCannotHideUsers) {
  ManualClock clock(Timestamp::from_seconds(1000));
  test::AuditList out;
  AuditDigest digest(clock, out);
  AuditEvent event = failed_login(clock, "10.0.0.1");
  for (int minute = 0; minute < 2; ++minute) {
    out.events.clear();
    event.who.clear();
    event.action = AuditAction::access;
    event.outcome = AuditOutcome::denied;
    for (int i = 0; i < 5000; ++i) {
      event.object = "GET /" + std::to_string(i);
      digest.record(event);
    }
    EXPECT_EQ(out.events.size(), 201U);
    event.who = "wang";
    event.object = "GET /alerts";
    digest.record(event);
    ASSERT_EQ(out.events.size(), 202U);
    EXPECT_EQ(out.events.back().object, "GET /alerts");
    clock.advance(AuditDigest::kWindow);
    digest.sweep();
  }
}

TEST(AuditDigest, HoldsBackNothingThatChangesSomething) {
  ManualClock clock(Timestamp::from_seconds(1000));
  test::AuditList out;
  AuditDigest digest(clock, out);
  AuditEvent step = failed_login(clock, "10.0.0.1");
  step.action = AuditAction::alert_step;
  for (int i = 0; i < 10; ++i) digest.record(step);
  EXPECT_EQ(out.events.size(), 10U);
}

}  // namespace
}  // namespace ficus::access
