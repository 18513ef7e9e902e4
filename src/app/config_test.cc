#include "app/config.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/disk.h"

namespace ficus::app {
namespace {

TEST(Config, EmptyMeansDefaults) {
  const auto config = Config::parse("", "ficus.yaml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->http.listen, std::vector<std::string>{"127.0.0.1:8080"});
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
  config->mqtt.listen = {"nonsense"};
  EXPECT_FALSE(config->check());
}

TEST(Config, APortMayHaveSeveralAddresses) {
  const auto config = Config::parse(
      "http: {listen: ['127.0.0.1:8080', '[::1]:8080'], listen_tls: ''}\n"
      "mqtt: {listen: ['127.0.0.1:1883', '[::1]:1883']}\n",
      "f.yaml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->http.listen, (std::vector<std::string>{"127.0.0.1:8080", "[::1]:8080"}));
  EXPECT_TRUE(config->http.listen_tls.empty());
  EXPECT_TRUE(config->check());
  // Each of them is checked.
  const auto remote =
      Config::parse("http: {listen: ['127.0.0.1:8080', '0.0.0.0:8081']}\n", "f.yaml");
  ASSERT_TRUE(remote);
  const Status checked = remote->check();
  ASSERT_FALSE(checked);
  EXPECT_TRUE(checked.error().message.contains("0.0.0.0:8081")) << checked.error().message;
  EXPECT_FALSE(Config::parse("mqtt: {listen: ''}\n", "f.yaml")->check());
}

TEST(Config, RevocationListsNeedTheirAuthorities) {
  const auto config = Config::parse("tls: {crl_file: lists.pem}\n", "/etc/f.yaml");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->tls.crl_file, "/etc/lists.pem");
  EXPECT_FALSE(config->check());
}

TEST(Config, TlsPortsNeedACertificateAndMayBeAnywhere) {
  const auto check = [](const std::string& text) {
    const auto config = Config::parse(text + "access: {users: users.yaml}\n", "/etc/ficus/f.yaml");
    EXPECT_TRUE(config) << config.error().message;
    const Status checked = config->check();
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_NE(check("mqtt: {listen_tls: '0.0.0.0:8883'}\n").find("tls.certificate"),
            std::string::npos);
  const std::string pair = "tls: {certificate: a.crt, key: a.key}\n";
  EXPECT_EQ(check("mqtt: {listen_tls: ':8883'}\nhttp: {listen_tls: ':8443'}\n" + pair), "");
  EXPECT_NE(check("mqtt: {listen_tls: nonsense}\n" + pair).find("mqtt.listen_tls: "),
            std::string::npos);
  EXPECT_NE(check("http: {listen: ':80'}\n" + pair).find("use http.listen_tls"), std::string::npos);
  EXPECT_NE(check("tls: {client_certificate: required}\n").find("tls.client_ca"),
            std::string::npos);
  const auto config = Config::parse(
      "tls: {certificate: a.crt, key: /b.key, client_ca: ca.pem, client_certificate: required}\n",
      "/etc/ficus/f.yaml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->tls.certificate, "/etc/ficus/a.crt");
  EXPECT_EQ(config->tls.key, "/b.key");
  EXPECT_EQ(config->tls.client_ca, "/etc/ficus/ca.pem");
  EXPECT_TRUE(config->tls.requires_client_certificate);
  EXPECT_FALSE(Config::parse("tls: {client_certificate: maybe}\n", "f.yaml"));
}

TEST(Config, ListeningBeyondLoopbackNeedsUsersAndEncryption) {
  const auto check = [](std::string text) {
    const auto config = Config::parse("tls: {certificate: c.pem, key: k.pem}\n" + text, "f.yaml");
    if (!config) return config.error().message;
    const Status status = config->check();
    return status ? std::string() : status.error().message;
  };
  const std::string encrypted = "http: {listen_tls: ':8443'}\n";
  EXPECT_NE(check(encrypted).find("access.users"), std::string::npos);
  EXPECT_EQ(check(encrypted + "access: {users: users.yaml}\n"), "");
  EXPECT_EQ(check(encrypted + "allow_remote: true\n"), "");
  const std::string plain = "http: {listen: ':8080'}\naccess: {users: users.yaml}\n";
  EXPECT_NE(check(plain).find("not encrypted"), std::string::npos);
  EXPECT_EQ(check(plain + "allow_remote: true\n"), "");
}

// The example in docs/CONFIGURATION.md names every option with its default: it must be what it
// says.
TEST(Config, TheDocumentedExampleIsTheDefault) {
  PosixDisk disk;
  const auto text = read_file(disk, FICUS_SOURCE_DIR "/docs/CONFIGURATION.md", 1 << 20);
  ASSERT_TRUE(text) << text.error().message;
  std::string example;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    const std::string line = text->substr(at, end - at);
    if (line.starts_with("    ")) example += line.substr(4) + "\n";
    at = end + 1;
  }
  const auto config = Config::parse(example, "/x/docs.yaml");
  ASSERT_TRUE(config) << config.error().message;
  const Config defaults;
  EXPECT_EQ(config->packs, std::vector<std::string>{"/x/packs/demo-city"});
  EXPECT_EQ(config->http.listen, defaults.http.listen);
  EXPECT_EQ(config->http.listen_tls, defaults.http.listen_tls);
  EXPECT_EQ(config->mqtt.listen_tls, defaults.mqtt.listen_tls);
  EXPECT_EQ(config->tls.certificate, defaults.tls.certificate);
  EXPECT_EQ(config->tls.client_ca, defaults.tls.client_ca);
  EXPECT_EQ(config->tls.requires_client_certificate, defaults.tls.requires_client_certificate);
  EXPECT_EQ(config->tls.crl_file, defaults.tls.crl_file);
  EXPECT_EQ(config->http.connections_max, defaults.http.connections_max);
  EXPECT_EQ(config->http.held_mib_max, defaults.http.held_mib_max);
  EXPECT_EQ(config->http.body_bytes_per_second_min, defaults.http.body_bytes_per_second_min);
  EXPECT_EQ(config->http.answer_bytes_per_second_min, defaults.http.answer_bytes_per_second_min);
  EXPECT_EQ(config->live.clients_max, defaults.live.clients_max);
  EXPECT_EQ(config->live.clients_per_user_max, defaults.live.clients_per_user_max);
  EXPECT_EQ(config->mqtt.session_kib_max, defaults.mqtt.session_kib_max);
  EXPECT_EQ(config->mqtt.queued_mib_max, defaults.mqtt.queued_mib_max);
  EXPECT_EQ(config->mqtt.retained_messages_max, defaults.mqtt.retained_messages_max);
  EXPECT_EQ(config->log.snapshot_mib_every, defaults.log.snapshot_mib_every);
  EXPECT_EQ(config->twin.duplicate_window_rows, defaults.twin.duplicate_window_rows);
  EXPECT_EQ(config->history.tail_rows_max, defaults.history.tail_rows_max);
  EXPECT_EQ(config->sql.rows_max, defaults.sql.rows_max);
  EXPECT_EQ(config->alerts.reopen_within_seconds, defaults.alerts.reopen_within_seconds);
}

}  // namespace
}  // namespace ficus::app
