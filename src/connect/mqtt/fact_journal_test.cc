#include "connect/mqtt/fact_journal.h"

#include <gtest/gtest.h>

#include "connect/mqtt/broker_state_testing.h"
#include "log/record.h"

namespace ficus::connect {
namespace {

// A step of three records.
std::vector<std::string> long_step(FactJournal& journal) {
  for (const char letter : {'a', 'b', 'c'}) {
    journal.next().append(FactJournal::kRecordBytes, letter);
  }
  return journal.take();
}

std::string text_of(const std::vector<std::string_view>& facts) {
  std::string text;
  for (const std::string_view one : facts) text += one.substr(0, 1);
  return text;
}

TEST(FactJournal, CutsAStepIntoRecordsBetweenFacts) {
  FactJournal journal;
  EXPECT_TRUE(journal.empty());
  journal.next() += "x";
  EXPECT_EQ(journal.bytes(), 3U);
  EXPECT_EQ(journal.step(), 1U);
  EXPECT_EQ(journal.take().size(), 1U);
  EXPECT_EQ(journal.step(), 2U);
  const std::vector<std::string> records = long_step(journal);
  ASSERT_EQ(records.size(), 3U);
  for (const std::string& record : records) {
    EXPECT_EQ(record.size(), FactJournal::kRecordBytes + 2);
  }
  EXPECT_TRUE(journal.empty());
  EXPECT_TRUE(journal.take().empty());
}

TEST(FactJournal, AStepWhoseEndIsMissingIsForgotten) {
  FactJournal journal;
  const std::vector<std::string> records = long_step(journal);
  journal.next() += "x";
  const std::string next = journal.take().front();
  StepReader reader;
  std::vector<std::string_view> facts;
  for (const std::string& record : records) {
    EXPECT_TRUE(facts.empty());
    ASSERT_TRUE(reader.add(record, facts));
  }
  EXPECT_EQ(text_of(facts), "abc");
  ASSERT_TRUE(reader.add(records[0], facts));
  ASSERT_TRUE(reader.add(records[1], facts));  // a crash
  EXPECT_TRUE(facts.empty());
  ASSERT_TRUE(reader.add(next, facts));
  EXPECT_EQ(text_of(facts), "x");
  ASSERT_TRUE(reader.add("", facts));
  EXPECT_TRUE(facts.empty());
  EXPECT_FALSE(reader.add("\x82 of another version", facts));
  EXPECT_FALSE(reader.add("\x83", facts));
}

// ---- whatever one call of the state writes down, no record is too long for the log

std::vector<std::string> take_checked(BrokerState& state) {
  std::vector<std::string> records = state.take_facts();
  for (const std::string& record : records) EXPECT_LE(record.size(), log::kPayloadBytesLimit / 4);
  return records;
}

TEST(FactJournal, ManySessionsEndAtOnce) {
  constexpr int kSessions = 20'000;
  const std::string padding(1000, 'x');
  BrokerState state({});
  for (int i = 0; i < kSessions; ++i) {
    Session& session = open(state, fmt::format("{}-{}", padding, i));
    subscribe(state, session, "city/#");
    state.set_will(session, message("w", "gone"), kHour);
    state.go_offline(session, kNow);
  }
  BrokerState again({});
  ASSERT_TRUE(replay(again, take_checked(state)));
  EXPECT_EQ(again.session_count(), kSessions);
  const Timestamp later = kNow + kHour + kHour;
  EXPECT_FALSE(state.expire(later, 1000));  // a share of it
  EXPECT_EQ(state.session_count(), kSessions - 1000);
  EXPECT_TRUE(state.expire(later));
  const std::vector<std::string> records = take_checked(state);
  EXPECT_GT(records.size(), 3U);
  ASSERT_TRUE(replay(again, records));
  EXPECT_EQ(again.session_count(), 0U);
  EXPECT_EQ(again.tree().size(), 0U);
  while (state.take_due_will(later)) {
  }
  ASSERT_TRUE(replay(again, take_checked(state)));
  EXPECT_EQ(again.will_count(), 0U);
}

TEST(FactJournal, AMessageForManySessions) {
  constexpr int kSessions = 20'000;
  const std::string padding(1000, 'x');
  BrokerState state({});
  for (int i = 0; i < kSessions; ++i) {
    subscribe(state, open(state, fmt::format("{}-{}", padding, i)), "city/#");
  }
  BrokerState again({});
  ASSERT_TRUE(replay(again, state.take_facts()));
  state.publish(message("city/1", std::string(1 << 20, 'x')), nullptr, kNow);
  const std::vector<std::string> records = take_checked(state);
  EXPECT_GT(records.size(), 1U);
  // A crash between them: nobody has it, so that its publisher may send it again.
  ASSERT_TRUE(again.replay(records[0], {}, {}));
  EXPECT_TRUE(again.find(padding + "-0")->queue.empty());
  ASSERT_TRUE(replay(again, records));
  for (int i = 0; i < kSessions; i += 19) {
    ASSERT_EQ(again.find(fmt::format("{}-{}", padding, i))->queue.size(), 1U);
  }
}

TEST(FactJournal, TheQueueOfASharedSubscriptionIsHandedOn) {
  constexpr std::size_t kMessages = 96;
  const std::string payload(1 << 20, 'x');
  for (const Micros expiry : {kHour, Micros{}}) {
    BrokerState state({.session_bytes_max = std::size_t{1} << 30});
    FakeClient two(state, 1);
    Session& one = open(state, "client-1", false, expiry);
    subscribe(state, one, "$share/g/#");
    for (std::size_t i = 0; i < kMessages; ++i) {
      state.publish(message("t", payload), nullptr, kNow);
    }
    BrokerState again({.session_bytes_max = std::size_t{1} << 30});
    ASSERT_TRUE(replay(again, take_checked(state)));
    two.payload_bytes_max = payload.size();
    Session& other = open(state, "client-2");
    two.connect(other);
    subscribe(state, other, "$share/g/#");
    state.go_offline(one, kNow);
    EXPECT_EQ(other.queue.size(), kMessages);
    EXPECT_EQ(state.counts().messages_moved, kMessages);
    // What the log has already is not written again.
    if (expiry == kHour) {
      EXPECT_LT(state.facts_bytes(), kMessages * 100);
    }
    ASSERT_TRUE(replay(again, take_checked(state)));
    EXPECT_EQ(again.find("client-2")->queue.size(), kMessages);
    EXPECT_EQ(durable_part(again), durable_part(state));
  }
}

}  // namespace
}  // namespace ficus::connect
