#include "access/access_control.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "access/access_test_support.h"

namespace ficus::access {
namespace {

using test::cheap_hash;
using test::Gate;

const std::string kToken = "ficus_" + std::string(64, 'a');

std::string users_text() {
  return fmt::format(R"(users:
  - name: wang
    password: "{}"
    department: 市交警支队
    roles: operator
  - name: gate-7
    certificate: gate-7.example
    roles: device
  - name: admin
    password: "{}"
    roles: administrator
tokens:
  - {{name: feed, user: gate-7, sha256: "{}", expires: 2026-12-01}}
)",
                     cheap_hash("correct"), cheap_hash("root"), to_hex(sha256(kToken)));
}

TEST(AccessControl, IsOpenWithoutUsers) {
  Gate gate;
  EXPECT_TRUE(gate.control->is_open());
  ASSERT_NE(gate.control->anonymous(), nullptr);
  EXPECT_TRUE(gate.control->anonymous()->may_administer());
  EXPECT_TRUE(gate.control->anonymous()->reads_everything());
  EXPECT_TRUE(gate.control->is_current(*gate.control->anonymous()));
}

TEST(AccessControl, RightAndWrongPasswords) {
  Gate gate;
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  EXPECT_FALSE(gate.control->is_open());
  EXPECT_EQ(gate.control->anonymous(), nullptr);
  const auto wang = gate.log_in("wang", "correct");
  ASSERT_TRUE(wang);
  EXPECT_EQ((*wang)->name(), "wang");
  EXPECT_EQ((*wang)->department(), "市交警支队");
  for (const auto& [user, password] : {std::pair<std::string, std::string>{"wang", "wrong"},
                                       {"wang", ""},
                                       {"nobody", "correct"},
                                       {"", "correct"},
                                       {"gate-7", ""},  // has no password at all
                                       {"wang", std::string(2000, 'x')},
                                       {std::string(2000, 'u'), "x"}}) {
    const auto result = gate.log_in(user, password, "10.9.9.9:1");
    ASSERT_FALSE(result) << user;
    EXPECT_EQ(result.error().code, ErrorCode::denied);
    EXPECT_EQ(result.error().message, "wrong user name or password");
  }
}

TEST(AccessControl, APasswordIsRememberedForAWhileAndForgottenByAReload) {
  Gate gate;
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  ASSERT_TRUE(gate.log_in("wang", "correct"));
  ASSERT_TRUE(gate.log_in("wang", "correct"));
  EXPECT_EQ(gate.control->counts().logins_remembered, 1U);
  EXPECT_FALSE(gate.log_in("wang", "Correct"));
  gate.clock.advance(Micros::from_seconds(601));
  ASSERT_TRUE(gate.log_in("wang", "correct"));
  EXPECT_EQ(gate.control->counts().logins_remembered, 1U);
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  ASSERT_TRUE(gate.log_in("wang", "correct"));
  EXPECT_EQ(gate.control->counts().logins_remembered, 1U);
}

TEST(AccessControl, APasswordIsRememberedAsLongAsItsUserIsConnected) {
  Gate gate;
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  {
    const auto connected = gate.log_in("wang", "correct");
    ASSERT_TRUE(connected);
    for (int i = 0; i < 100; ++i) {
      gate.clock.advance(Micros::from_seconds(300));
      gate.control->sweep();
    }
  }
  ASSERT_TRUE(gate.log_in("wang", "correct"));
  EXPECT_EQ(gate.control->counts().logins_remembered, 1U);
  gate.control->sweep();
  gate.clock.advance(Micros::from_seconds(601));
  gate.control->sweep();
  ASSERT_TRUE(gate.log_in("wang", "correct"));
  EXPECT_EQ(gate.control->counts().logins_remembered, 1U);
}

TEST(AccessControl, TokensStandForTheirUserUntilTheyExpire) {
  Gate gate;
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  const auto who = gate.control->by_token(kToken, "10.0.0.1:1");
  ASSERT_TRUE(who);
  EXPECT_EQ((*who)->name(), "gate-7");
  EXPECT_TRUE(gate.log_in("gate-7", kToken));  // as a password of its user
  EXPECT_FALSE(gate.log_in("wang", kToken));
  EXPECT_FALSE(gate.control->by_token("ficus_" + std::string(64, 'b'), "10.0.0.1:1"));
  EXPECT_FALSE(gate.control->by_token("", "10.0.0.1:1"));
  EXPECT_TRUE(gate.control->is_current(**who));
  gate.clock.advance(Micros::from_hours(24 * 30));
  EXPECT_FALSE(gate.control->by_token(kToken, "10.0.0.1:1"));
  EXPECT_FALSE(gate.control->is_current(**who));
}

TEST(AccessControl, CertificatesAreKnownByTheirCommonName) {
  Gate gate;
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  ASSERT_TRUE(gate.control->by_certificate("gate-7.example"));
  EXPECT_FALSE(gate.control->by_certificate("gate-8.example"));
  EXPECT_FALSE(gate.control->by_certificate(""));
}

TEST(AccessControl, AReloadKeepsWhoStands) {
  Gate gate;
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  const auto wang = gate.log_in("wang", "correct");
  const auto token = gate.control->by_token(kToken, "");
  ASSERT_TRUE(wang && token);
  const std::string cookie = gate.control->start_session(*wang);
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));  // the salt is fixed: same hash
  EXPECT_TRUE(gate.control->is_current(**wang));
  EXPECT_TRUE(gate.control->is_current(**token));
  EXPECT_NE(gate.control->by_session(cookie), nullptr);

  const auto broken = gate.control->reload("users: 7", "users.yaml");
  EXPECT_FALSE(broken);
  EXPECT_TRUE(gate.control->is_current(**wang));

  std::string changed = users_text();
  changed.replace(changed.find("operator"), 8, "viewer  ");
  ASSERT_TRUE(gate.control->reload(changed, "users.yaml"));
  EXPECT_FALSE(gate.control->is_current(**wang));
  EXPECT_TRUE(gate.control->is_current(**token));
  EXPECT_EQ(gate.control->by_session(cookie), nullptr);
}

TEST(AccessControl, GuessingIsDelayedAndCounted) {
  Gate gate;
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  // The operator is known at the desk.
  ASSERT_TRUE(gate.log_in("wang", "correct", "10.0.0.1:1"));
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(gate.log_in("wang", fmt::format("guess {}", i), "10.6.6.6:1").error().code,
              ErrorCode::denied);
  }
  const auto delayed = gate.log_in("wang", "correct", "10.6.6.6:2");
  ASSERT_FALSE(delayed);
  EXPECT_EQ(delayed.error().code, ErrorCode::overloaded);
  EXPECT_EQ(delayed.error().message, "too many failed logins: try again in 1 s");
  EXPECT_EQ(gate.control->counts().logins_delayed, 1U);
  EXPECT_TRUE(gate.log_in("wang", "correct", "10.0.0.1:2"));
  // From elsewhere too, once the delay is over.
  gate.clock.advance(Micros::from_seconds(2));
  EXPECT_TRUE(gate.log_in("wang", "correct", "10.0.0.2:1"));
}

TEST(AccessControl, OneCheckServesAllWhoGaveTheSamePassword) {
  Gate gate;
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  int answers = 0;
  for (int i = 0; i < 100; ++i) {
    gate.control->log_in("wang", "correct", fmt::format("10.1.0.{}:1", i),
                         [&](const Result<PrincipalPtr>& who) { answers += who ? 1 : 0; });
  }
  EXPECT_EQ(gate.control->logins_waiting(), 1U);
  while (answers < 100) {
    if (!gate.tasks.run_one()) std::this_thread::yield();
  }
}

TEST(AccessControl, ParallelGuessesOfOneUserAreRefused) {
  Gate gate;
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  int busy = 0;
  int denied = 0;
  for (int i = 0; i < 10; ++i) {
    gate.control->log_in("wang", fmt::format("guess {}", i), fmt::format("10.1.0.{}:1", i),
                         [&](const Result<PrincipalPtr>& who) {
                           ++(who.error().code == ErrorCode::overloaded ? busy : denied);
                         });
  }
  while (busy + denied < 10) {
    if (!gate.tasks.run_one()) std::this_thread::yield();
  }
  EXPECT_EQ(denied, 4);
  EXPECT_EQ(busy, 6);
  EXPECT_EQ(gate.control->counts().logins_overloaded, 6U);
}

TEST(AccessControl, MayBeDestroyedWithLoginsUnderWay) {
  Gate gate;
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  bool is_called = false;
  gate.control->log_in("wang", "correct", "10.0.0.1:1",
                       [&](const Result<PrincipalPtr>&) { is_called = true; });
  gate.control->log_in("wang", "no", "10.0.0.1:1",
                       [&](const Result<PrincipalPtr>&) { is_called = true; });
  gate.control.reset();
  while (gate.tasks.run_one()) {
  }
  EXPECT_FALSE(is_called);
}

TEST(AccessControl, RecordsWhatMattersWithoutSecrets) {
  Gate gate;
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  (void)gate.log_in("wang", "correct", "10.0.0.1:5");
  (void)gate.log_in("wang", "Tr0ub4dor", "[2001:db8::7]:5");
  (void)gate.control->by_token("ficus_secretsecret", "10.0.0.3:5");
  const auto who = gate.log_in("admin", "root");
  gate.control->deny(&**who, "10.0.0.4:5", "POST /sql", "sql");
  ASSERT_EQ(gate.audit.events.size(), 5U);
  EXPECT_EQ(gate.audit.events[0].who, "wang");
  EXPECT_EQ(gate.audit.events[0].peer, "10.0.0.1");
  EXPECT_EQ(gate.audit.events[0].outcome, AuditOutcome::succeeded);
  EXPECT_EQ(gate.audit.events[1].peer, "2001:db8::/64");
  EXPECT_EQ(gate.audit.events[1].outcome, AuditOutcome::failed);
  EXPECT_EQ(gate.audit.events[4].action, AuditAction::access);
  EXPECT_EQ(gate.audit.events[4].outcome, AuditOutcome::denied);
  for (const AuditEvent& event : gate.audit.events) {
    EXPECT_EQ(event.object.find("Tr0ub4dor"), std::string::npos);
    EXPECT_EQ(event.object.find("secretsecret"), std::string::npos);
  }
}

TEST(AccessControl, AStrangerWritesLittleIntoAnEvent) {
  Gate gate;
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  const Principal unknown("nobody-here", "", Rights{}, 0);
  const std::string object(10'000, 'x');
  gate.control->audit(nullptr, "10.0.0.1:5", AuditAction::access, object);
  gate.control->audit(&unknown, "10.0.0.1:5", AuditAction::access, object);
  const auto who = gate.log_in("admin", "root");
  gate.control->audit(&**who, "10.0.0.1:5", AuditAction::run_sql, object);
  ASSERT_EQ(gate.audit.events.size(), 4U);
  EXPECT_LT(gate.audit.events[0].object.size(), 100U);
  EXPECT_LT(gate.audit.events[1].object.size(), 100U);
  EXPECT_EQ(gate.audit.events[3].object.size(), 4000U);
}

TEST(AccessControl, TellsTheRightsThatAUserHasNow) {
  Gate gate;
  EXPECT_NE(gate.control->user("anybody"), nullptr);  // open: everybody may do everything
  ASSERT_TRUE(gate.control->reload(users_text(), "users.yaml"));
  EXPECT_EQ(gate.control->user("wang")->name(), "wang");
  EXPECT_EQ(gate.control->user("nobody-here"), nullptr);
  EXPECT_EQ(gate.control->user(""), gate.control->anonymous());
}

}  // namespace
}  // namespace ficus::access
