#include "connect/mqtt/retained_messages.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "codec/mqtt/topic.h"

namespace ficus::connect {
namespace {

constexpr std::byte kByte[] = {std::byte{'x'}};

MessagePtr retained(std::string_view topic, std::string_view payload) {
  return Message::create(
      {.retain = true, .topic = topic, .payload = mqtt::Bytes(std::as_bytes(std::span(payload)))},
      Timestamp{});
}

// Few names, so that filters and topics meet often; empty levels and '$' among them.
std::string random_topic(Random& random, bool with_wildcards) {
  static constexpr const char* kLevels[] = {"a", "b", "", "$s", "ab"};
  std::string topic;
  for (std::uint64_t left = 1 + random.below(4); left > 0; --left) {
    if (with_wildcards && left == 1 && random.chance(0.3)) return topic + "#";
    topic += with_wildcards && random.chance(0.3) ? "+" : kLevels[random.below(5)];
    if (left > 1) topic += '/';
  }
  return topic.empty() ? "a" : topic;
}

TEST(RetainedMessages, FindsWhatAFilterMatches) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    RetainedMessages messages({});
    std::set<std::string> topics;
    for (int step = 0; step < 40; ++step) {
      const std::string topic = random_topic(random, false);
      const bool removes = random.chance(0.3);
      messages.set(retained(topic, removes ? "" : "x"));
      if (removes) {
        topics.erase(topic);
      } else {
        topics.insert(topic);
      }
      ASSERT_EQ(messages.size(), topics.size());
      const std::string filter = random_topic(random, true);
      std::set<std::string> wanted;
      for (const std::string& t : topics) {
        if (mqtt::matches(filter, t)) wanted.insert(t);
      }
      std::vector<MessagePtr> found;
      // In shares, as it is used.
      std::string after;
      for (bool is_all = false; !is_all;) {
        const auto looked = messages.match(
            {.filter = filter, .after = after, .looks_max = 1 + random.below(3)}, found);
        is_all = looked.is_all;
        after = looked.last;
      }
      std::set<std::string> got;
      for (const MessagePtr& message : found) got.emplace(message->topic());
      ASSERT_EQ(got, wanted) << "filter " << filter << ", seed " << seed;
      ASSERT_EQ(found.size(), got.size()) << "twice for " << filter;
    }
  }
}

TEST(RetainedMessages, KeepsTheNewestAndItsLimits) {
  RetainedMessages messages({.count_max = 2});
  messages.set(retained("a", "1"));
  messages.set(retained("b", "1"));
  EXPECT_FALSE(messages.has_room(*retained("c", "1")));
  EXPECT_TRUE(messages.has_room(*retained("a", "2")));  // in place of the old one
  messages.set(retained("a", "2"));
  EXPECT_EQ(messages.all().at("a")->publish().payload.size(), 1U);
  EXPECT_EQ(std::to_integer<char>(messages.all().at("a")->publish().payload[0]), '2');
  EXPECT_TRUE(messages.has_room(*retained("c", "")));  // nothing to remove
  messages.set(retained("b", ""));
  EXPECT_TRUE(messages.has_room(*retained("c", "1")));
}

TEST(RetainedMessages, CountsItsBytes) {
  const MessagePtr small = retained("a", "1");
  RetainedMessages messages({.bytes_max = 2 * small->bytes().size()});
  messages.set(small);
  EXPECT_FALSE(messages.has_room(*retained("b", std::string(100, 'x'))));
  EXPECT_TRUE(messages.has_room(*retained("b", "1")));
  messages.set(retained("b", "1"));
  EXPECT_TRUE(messages.has_room(*retained("b", "2")));
  EXPECT_FALSE(messages.has_room(*retained("c", "1")));
  messages.remove("a");
  messages.remove("a");
  EXPECT_EQ(messages.bytes(), small->bytes().size());
}

TEST(RetainedMessages, FindsWhatHasExpired) {
  RetainedMessages messages({});
  mqtt::Publish publish{.retain = true, .topic = "a", .payload = mqtt::Bytes(kByte)};
  publish.properties.message_expiry_interval_s = 10;
  messages.set(Message::create(publish, Timestamp::from_seconds(100)));
  messages.set(retained("b", "1"));
  EXPECT_EQ(messages.first_expired(Timestamp::from_seconds(109)), nullptr);
  const MessagePtr expired = messages.first_expired(Timestamp::from_seconds(110));
  ASSERT_NE(expired, nullptr);
  EXPECT_EQ(expired->topic(), "a");
  messages.set(retained("a", "2"));  // in its place, and does not expire
  EXPECT_EQ(messages.first_expired(Timestamp::from_seconds(110)), nullptr);
}

TEST(RetainedMessages, ASearchStopsAtItsLimits) {
  RetainedMessages messages({});
  for (int i = 10; i < 60; ++i) messages.set(retained("t/" + std::to_string(i), "1"));
  std::vector<MessagePtr> found;
  EXPECT_FALSE(messages.match({.filter = "t/#", .count_max = 7}, found).is_all);
  EXPECT_EQ(found.size(), 7U);
  const std::size_t bytes = found[0]->bytes().size();
  found.clear();
  EXPECT_EQ(messages.match({.filter = "t/#", .bytes_max = 3 * bytes}, found).last, "t/12");
  found.clear();
  EXPECT_TRUE(messages.match({.filter = "t/+", .after = "t/12", .up_to = "t/20"}, found).is_all);
  EXPECT_EQ(found.size(), 8U);
  found.clear();
  EXPECT_TRUE(messages.match({.filter = "u/#"}, found).last.empty());
}

}  // namespace
}  // namespace ficus::connect
