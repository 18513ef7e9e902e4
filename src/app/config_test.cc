#include "app/config.h"

#include <gtest/gtest.h>

namespace ficus::app {
namespace {

TEST(Config, EmptyMeansDefaults) {
  const auto config = Config::parse("", "ficus.yaml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->http.listen, "127.0.0.1:8080");
  EXPECT_TRUE(config->check());
}

TEST(Config, ReadsSectionsAndResolvesPaths) {
  const auto config = Config::parse(
      "data_directory: store\npacks: [packs/a, /b]\nlog: {sync: interval}\ntwin:\n  entities_max: "
      "7\n",
      "/etc/ficus/ficus.yaml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->data_directory, "/etc/ficus/store");
  EXPECT_EQ(config->packs, (std::vector<std::string>{"/etc/ficus/packs/a", "/b"}));
  EXPECT_EQ(config->log.sync, log::SyncPolicy::interval);
  EXPECT_EQ(config->twin.entities_max, 7);
}

TEST(Config, NamesEveryMistakeWithItsPlace) {
  const auto config =
      Config::parse("shard: 2\nlog:\n  sync: somtimes\ntwin:\n  entities_max: many\n", "f.yaml");
  ASSERT_FALSE(config);
  const std::string& message = config.error().message;
  EXPECT_NE(message.find("f.yaml:1:1: "), std::string::npos) << message;
  EXPECT_NE(message.find("did you mean 'shards'"), std::string::npos) << message;
  EXPECT_NE(message.find("f.yaml:3:9: "), std::string::npos) << message;
  EXPECT_NE(message.find("f.yaml:5:17: "), std::string::npos) << message;
}

TEST(Config, ListeningBeyondLoopbackMustBeAllowed) {
  auto config = Config::parse("http: {listen: '0.0.0.0:8080'}\n", "f.yaml");
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->check());
  config->allow_remote = true;
  EXPECT_TRUE(config->check());
  config->mqtt.listen = "nonsense";
  EXPECT_FALSE(config->check());
}

}  // namespace
}  // namespace ficus::app
