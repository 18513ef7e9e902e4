// What becomes of wills and sessions when users or their rights go.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "access/access_test_support.h"
#include "connect/mqtt/conformance/harness.h"

namespace ficus::connect::conformance {
namespace {

// Two users with a token each, as docs/SECURITY.md has them.
class Rights : public ::testing::Test {
 public:
  Rights() { set_users(all("wang", "#", "#") + all("li", "#", "#")); }

  static std::string token_of(std::string_view user) {
    return "ficus_" + access::to_hex(access::sha256(user));
  }
  static std::string all(std::string_view name, std::string_view publish,
                         std::string_view subscribe) {
    return fmt::format("{}:{}:{};", name, publish, subscribe);
  }
  // "NAME:PUBLISH:SUBSCRIBE;" each.
  void set_users(std::string_view users) {
    std::string text = "users:\n";
    std::string tokens = "tokens:\n";
    std::string roles = "roles:\n";
    while (!users.empty()) {
      const std::string_view one = users.substr(0, users.find(';'));
      users.remove_prefix(one.size() + 1);
      const std::string_view name = one.substr(0, one.find(':'));
      const std::string_view rest = one.substr(name.size() + 1);
      const std::string_view publish = rest.substr(0, rest.find(':'));
      text += fmt::format("  - {{name: {0}, certificate: {0}.example, roles: of-{0}}}\n", name);
      roles += fmt::format("  of-{}: {{publish: [\"{}\"], subscribe: [\"{}\"]}}\n", name, publish,
                           rest.substr(publish.size() + 1));
      tokens += fmt::format("  - {{name: of-{0}, user: {0}, sha256: \"{1}\"}}\n", name,
                            access::to_hex(access::sha256(token_of(name))));
    }
    const Status status = gate.control->reload(roles + text + tokens, "users.yaml");
    ASSERT_TRUE(status) << status.error().message << roles << text << tokens;
  }
  Client connected(std::string_view user, std::string_view id, std::uint32_t expiry_s = 0,
                   std::optional<std::uint32_t> will_delay_s = {}) {
    Client client = broker.client();
    mqtt::Connect connect = client.connect_packet(id, false, expiry_s);
    const std::string token = token_of(user);
    connect.password = bytes_of(token);
    if (will_delay_s) {
      connect.will.emplace();
      connect.will->topic = "will";
      connect.will->payload = bytes_of("gone");
      connect.will->properties.will_delay_interval_s = will_delay_s;
    }
    EXPECT_EQ(client.send(connect).heard().substr(0, 7), "CONNACK");
    return client;
  }

  access::test::Gate gate;
  Broker broker{{}, gate.control.get()};
};

TEST_F(Rights, AWillIsPublishedOnlyByTheRightsOfThen) {
  Client reader = connected("li", "reader");
  EXPECT_EQ(reader.subscribe("will", 0), "SUBACK #1: 0");
  connected("wang", "c-1", 100, 10).drop();
  broker.pass(11);
  EXPECT_EQ(reader.heard(), "PUBLISH will 'gone'");
  connected("wang", "c-1", 100, 10).drop();
  set_users(all("wang", "city/#", "#") + all("li", "#", "#"));  // no right to the will's topic
  broker.pass(11);
  EXPECT_EQ(reader.heard(), "");
  EXPECT_EQ(broker.counts().messages_refused, 1U);
}

TEST_F(Rights, AWillIsNotPublishedWhenTheRightWentWhileItsClientWasConnected) {
  Client reader = connected("li", "reader");
  EXPECT_EQ(reader.subscribe("will", 0), "SUBACK #1: 0");
  Client doomed = connected("wang", "c-1", 0, 0);
  set_users(all("wang", "city/#", "#") + all("li", "#", "#"));
  broker.pass(1);
  EXPECT_EQ(doomed.heard(), "DISCONNECT administrative_action; CLOSED");
  EXPECT_EQ(reader.heard(), "");
}

TEST_F(Rights, AWillIsAskedForItsRightAlsoAfterARestart) {
  connected("wang", "c-1", 100, 10).drop();
  connected("li", "c-2", 100, 10).drop();
  broker.crash();
  set_users(all("li", "#", "#"));
  Client reader = connected("li", "reader");
  EXPECT_EQ(reader.subscribe("will", 0), "SUBACK #1: 0");
  broker.pass(11);
  EXPECT_EQ(reader.heard(), "PUBLISH will 'gone'");  // that of li
}

TEST_F(Rights, TheSessionOfAUserWhoIsGoneEnds) {
  Client away = connected("wang", "c-1", 1000, 500);
  away.subscribe("city/#", 1);
  away.drop();
  Client other = connected("li", "c-2", 1000);
  other.subscribe("city/#", 1);
  other.drop();
  EXPECT_EQ(broker.counts().sessions, 2U);
  set_users(all("li", "#", "#"));
  broker.pass(1);
  EXPECT_EQ(broker.counts().sessions, 1U);
  EXPECT_EQ(broker.counts().subscriptions, 1U);
  broker.crash();
  EXPECT_EQ(broker.counts().sessions, 1U);
}

TEST_F(Rights, ASessionGetsNothingMoreThatItsUserMayNotHear) {
  Client away = connected("wang", "c-1", 1000);
  away.subscribe("city/#", 1);
  away.subscribe("home/#", 1);
  away.drop();
  Client sender = connected("li", "sender");
  sender.publish("city/1", "before", 1, 1);
  set_users(all("wang", "#", "home/#") + all("li", "#", "#"));
  broker.pass(1);
  EXPECT_EQ(broker.counts().subscriptions, 1U);
  EXPECT_EQ(broker.counts().messages_dropped.total(), 1U);
  sender.publish("city/1", "after", 1, 1);
  sender.publish("home/1", "mine", 1, 2);
  Client back = broker.client();
  mqtt::Connect connect = back.connect_packet("c-1", false, 1000);
  const std::string token = token_of("wang");
  connect.password = bytes_of(token);
  EXPECT_EQ(back.send(connect).heard(), "CONNACK present success; PUBLISH home/1 'mine' q1 #3");
}

}  // namespace
}  // namespace ficus::connect::conformance
