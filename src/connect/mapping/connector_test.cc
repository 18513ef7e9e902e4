#include <gtest/gtest.h>

#include "connect/mapping/duration.h"
#include "connect/mapping/mapping_fixture.h"

// What sources.yaml says of the sources that we fetch from, and every mistake one can make there.

namespace ficus::connect {
namespace {

constexpr std::string_view kMap =
    "\n    map: {type: A, id: urn:a:1, observed_at: received, attributes: {}}";

std::string source(std::string_view connector) {
  return test::source_mistakes("sources:\n  - name: s\n    " + std::string(connector) +
                               std::string(kMap));
}

Connector loaded(std::string_view connector) {
  Schema schema;
  MemoryDisk disk;
  auto file =
      SourcesFile::load("sources:\n  - name: s\n    " + std::string(connector) + std::string(kMap),
                        "packs/city/sources.yaml", {schema, disk});
  if (!file) {
    ADD_FAILURE() << file.error().message;
    return {};
  }
  return file->sources.at(0).connector;
}

TEST(Connector, MqttClient) {
  const auto connector = loaded(
      "mqtt_client: {connect: 'mqtt://[::1]', topic: 'a/{b}', user: u, password: {file: p}, "
      "version: 3.1.1, qos: 0, session_expiry: 1h}");
  const auto& mqtt = std::get<MqttClientSource>(connector);
  EXPECT_EQ(mqtt.host_port, "[::1]:1883");
  EXPECT_EQ(mqtt.topic.filter(), "a/+");
  EXPECT_EQ(mqtt.client_id, "ficus-s");
  EXPECT_EQ(mqtt.password.file, "packs/city/p");
  EXPECT_FALSE(mqtt.is_v5);
  EXPECT_EQ(mqtt.qos, 0);
  EXPECT_EQ(mqtt.session_expiry, Micros::from_hours(1));
}

TEST(Connector, HttpPoll) {
  const auto connector = loaded(
      "http_poll: {url: 'http://a.b/c?d=e', every: 5m, headers: {Accept: x, Authorization: "
      "{environment: TOKEN}}, body: csv, csv: {delimiter: tab, encoding: GBK, columns: [a, b]}}");
  const auto& http = std::get<HttpPollSource>(connector);
  EXPECT_EQ(http.host_port, "a.b:80");
  EXPECT_EQ(http.target, "/c?d=e");
  EXPECT_EQ(http.every, Micros::from_seconds(300));
  ASSERT_EQ(http.headers.size(), 2U);
  EXPECT_EQ(http.headers[1].secret.variable, "TOKEN");
  EXPECT_EQ(http.csv.delimiter, '\t');
  EXPECT_EQ(http.csv.encoding, csv::TextEncoding::gb18030);
  EXPECT_EQ(http.csv.columns, (std::vector<std::string>{"a", "b"}));
}

TEST(Connector, Files) {
  const auto connector = loaded("files: {folder: in, names: '*.csv', quiet: 1s}");
  const auto& files = std::get<FilesSource>(connector);
  EXPECT_EQ(files.folder, "packs/city/in");
  EXPECT_EQ(files.names, "*.csv");
  EXPECT_EQ(files.quiet, Micros::from_seconds(1));
}

TEST(Connector, MistakesOfMqttClient) {
  const auto mistakes = [](std::string_view keys) {
    return source("mqtt_client: {topic: a, " + std::string(keys) + "}");
  };
  EXPECT_EQ(mistakes("connect: 'mqtt://h:1883'"), "");
  for (const std::string wrong : {"h:1883", "tcp://h:1", "mqtt://", "mqtt://h:0", "mqtt://h:70000",
                                  "mqtt://u:p@h", "mqtt://h/x", "mqtt://[::1"}) {
    EXPECT_EQ(mistakes("connect: '" + wrong + "'"),
              "s.yaml:3:38: expected mqtt://HOST:PORT or mqtts://HOST:PORT for 'connect', found '" +
                  wrong + "'");
  }
  EXPECT_EQ(mistakes("connect: 'mqtt://h', user: u, password: hunter2"),
            "s.yaml:3:69: a secret does not belong into this file: expected password: {file: PATH} "
            "or {environment: NAME}");
  EXPECT_EQ(mistakes("connect: 'mqtt://h', user: u, password: {file: a, environment: b}"),
            "s.yaml:3:69: expected password: {file: PATH} or {environment: NAME}");
  EXPECT_EQ(mistakes("connect: 'mqtt://h', password: {file: a}"),
            "s.yaml:3:60: a password needs a 'user'");
  EXPECT_EQ(mistakes("connect: 'mqtt://h', version: 4"),
            "s.yaml:3:59: expected 5.0 or 3.1.1 for 'version', found '4'");
  EXPECT_EQ(mistakes("connect: 'mqtt://h', tls: {ca: x}"),
            "s.yaml:3:55: 'tls' goes with mqtts:// or https:// only");
  EXPECT_EQ(mistakes("connect: 'mqtts://h', tls: {key: x}"),
            "s.yaml:3:56: 'certificate' and 'key' go together");
  EXPECT_NE(mistakes("connect: 'mqtt://h', qos: 2"), "");
  EXPECT_NE(mistakes("connect: 'mqtt://h', session_expiry: soon"), "");
}

TEST(Connector, MistakesOfHttpPoll) {
  const auto mistakes = [](std::string_view keys) {
    return source("http_poll: {" + std::string(keys) + "}");
  };
  EXPECT_EQ(mistakes("url: 'http://h'"), "");
  for (const std::string wrong : {"h/x", "ftp://h/x", "http://h:x/", "http://h/#a", "http://h/a b",
                                  "http://h/路", "http://me:pw@h/"}) {
    EXPECT_NE(mistakes("url: '" + wrong + "'").find("for 'url', percent-encoded"),
              std::string::npos)
        << wrong;
  }
  EXPECT_EQ(mistakes("url: 'http://h', headers: {Authorization: Bearer x}"),
            "s.yaml:3:59: a secret does not belong into this file: expected Authorization: {file: "
            "PATH} or {environment: NAME}");
  EXPECT_EQ(mistakes("url: 'http://h', headers: {'a b': x}"),
            "s.yaml:3:44: 'a b' is not a header's name");
  EXPECT_EQ(mistakes("url: 'http://h', headers: x"),
            "s.yaml:3:43: expected a map of headers, found a single value");
  EXPECT_NE(mistakes("url: 'http://h', every: 0s"), "");
  EXPECT_EQ(mistakes("url: 'http://h', body: xml"),
            "s.yaml:3:40: unknown body 'xml': expected json, lines or csv");
  EXPECT_EQ(mistakes("url: 'http://h', body: json, csv: {delimiter: ','}"),
            "s.yaml:3:51: 'csv' says how CSV is written, but the format is another");
  EXPECT_EQ(mistakes("url: 'http://h', csv: {encoding: EBCDIC}"),
            "s.yaml:3:50: unknown encoding 'EBCDIC': expected UTF-8 or GB18030 (also GBK, GB2312)");
  EXPECT_EQ(mistakes("url: 'http://h', csv: {delimiter: x}"),
            "s.yaml:3:51: expected ',', ';', '|' or tab for 'delimiter', found 'x'");
  EXPECT_EQ(mistakes("url: 'http://h', csv: {delimiter: '|', encoding: GBK}"),
            "s.yaml:3:51: '|' cannot be told apart from parts of characters in GB18030");
  EXPECT_NE(mistakes("url: 'http://h', csv: {columns: []}"), "");
}

TEST(Connector, MistakesOfFiles) {
  EXPECT_EQ(source("files: {folder: a, names: 'b/*.csv'}"),
            "s.yaml:3:12: 'names' is about names within the folder: it cannot hold '/'");
  EXPECT_EQ(source("files: {folder: a, format: json}"),
            "s.yaml:3:32: files of JSON are read line by line: expected format lines, csv or "
            "parquet");
  EXPECT_NE(source("files: {}"), "");
}

TEST(Duration, ReadsAndRefuses) {
  EXPECT_EQ(read_duration("15m"), Micros::from_seconds(900));
  EXPECT_EQ(read_duration("7d"), Micros::from_hours(168));
  for (const char* wrong : {"", "5", "-1s", "1.5h", "s", "1000001s", "5 s"}) {
    EXPECT_FALSE(read_duration(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace ficus::connect
