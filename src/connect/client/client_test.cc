#include <gtest/gtest.h>

#include "base/memory_disk.h"
#include "connect/client/back_off.h"
#include "connect/client/body_items.h"
#include "connect/client/http_poll_link.h"
#include "connect/client/secret_reader.h"
#include "connect/ingest/source_key.h"

namespace ficus::connect {
namespace {

TEST(BackOff, DoublesUpToALimitWithARandomHalf) {
  BackOff back_off(Micros::from_seconds(1), Micros::from_seconds(10), 7);
  std::int64_t whole = 1'000'000;
  for (int i = 0; i < 8; ++i) {
    const Micros wait = back_off.next();
    EXPECT_LE(wait.count, whole);
    EXPECT_GT(wait.count, whole / 2);
    whole = std::min<std::int64_t>(whole * 2, 10'000'000);
  }
  back_off.reset();
  EXPECT_LE(back_off.next().count, 1'000'000);
  BackOff same(Micros::from_seconds(1), Micros::from_seconds(10), 7);
  BackOff other(Micros::from_seconds(1), Micros::from_seconds(10), 8);
  EXPECT_NE(same.next(), other.next());
}

TEST(RetryAfter, SecondsAndDates) {
  const Timestamp now = Timestamp::from_seconds(784'111'700);  // 1994-11-06T08:48:20Z
  EXPECT_EQ(read_retry_after("120", now), Micros::from_seconds(120));
  EXPECT_EQ(read_retry_after("99999999999", now), Micros::from_hours(24));
  EXPECT_EQ(read_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Micros::from_seconds(77));
  EXPECT_EQ(read_retry_after("Sun, 06 Nov 1993 08:49:37 GMT", now), Micros{});
  for (const char* wrong : {"", "-1", "soon", "1.5", "Sun, 06 Nov 1994 08:49:37 CET",
                            "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, xx Nov 1994 08:49:37 GMT"}) {
    EXPECT_FALSE(read_retry_after(wrong, now)) << wrong;
  }
}

// Payloads and damaged pieces, one a line.
std::string items(std::string body, BodyFormat format, const CsvFormat& csv = {}) {
  auto read = BodyItems::open(std::move(body), format, csv);
  if (!read) return read.error().message;
  BodyItems moved = *std::move(read);
  std::string out;
  while (const auto item = moved.next()) {
    out += item->problem.empty() ? std::string(item->payload)
                                 : "! " + std::string(item->problem) + " : " +
                                       std::string(item->payload.substr(0, 20));
    out += '\n';
  }
  return out;
}

TEST(BodyItems, JsonLinesAndCsv) {
  EXPECT_EQ(items("[1,\n2]", BodyFormat::json), "[1,\n2]\n");
  EXPECT_EQ(items(" \n", BodyFormat::json), "");
  EXPECT_EQ(items("{\"a\":1}\r\n\n{\"a\":2}", BodyFormat::lines), "{\"a\":1}\r\n{\"a\":2}\n");
  EXPECT_EQ(items(std::string((1 << 20) + 1, 'x') + "\n2", BodyFormat::lines),
            "! a line is longer than 1 MiB : xxxxxxxxxxxxxxxxxxxx\n2\n");
  EXPECT_EQ(
      items("\xef\xbb\xbf"
            "a,b\n1,x\n2\n3,y,z\n\"4\"5\n6,\xff\n",
            BodyFormat::csv),
      "{\"a\":1,\"b\":\"x\"}\n{\"a\":2}\n! line 4: 3 cells, but 2 columns : 3,y,z\n"
      "! line 5: expected the delimiter or the end of the line after the closing quote : \"4\"5\n"
      "! line 6: not in the declared encoding : 6,\xff\n");
  EXPECT_EQ(
      items("\xb8\xa3;1\n", BodyFormat::csv,
            {.delimiter = ';', .encoding = csv::TextEncoding::gb18030, .columns = {"a", "b"}}),
      "{\"a\":\"福\",\"b\":1}\n");
  EXPECT_EQ(items("\xff,b\n1,2\n", BodyFormat::csv),
            "! line 1: the names of the columns are not in the declared encoding : \xff,b\n"
            "! line 2: the names of the columns could not be read : 1,2\n");
  EXPECT_EQ(items("", BodyFormat::csv), "");
}

TEST(BodyItems, FormatOfAContentType) {
  EXPECT_EQ(body_format_of("text/csv; charset=utf-8"), BodyFormat::csv);
  EXPECT_EQ(body_format_of("application/x-ndjson"), BodyFormat::lines);
  EXPECT_EQ(body_format_of("text/plain"), BodyFormat::json);
}

TEST(SecretReader, FilesAndVariables) {
  MemoryDisk disk;
  (void)disk.make_directories("d");
  const auto put = [&](std::string_view text) {
    ASSERT_TRUE(write_file_atomically(disk, "d/s", std::as_bytes(std::span(text))));
  };
  const SecretReader reader(disk, [](const std::string& name) {
    return name == "A" ? std::optional<std::string>("from a") : std::nullopt;
  });
  put("hunter2\r\nnot this\n");
  EXPECT_EQ(reader.read({.file = "d/s", .variable = {}}), "hunter2");
  EXPECT_EQ(reader.read({.file = {}, .variable = "A"}), "from a");
  EXPECT_EQ(reader.read({.file = {}, .variable = "B"}).error().message,
            "the environment variable B is not set");
  EXPECT_FALSE(reader.read({.file = "d/none", .variable = {}}));
  put("a\rInjected: header\n");
  const auto refused = reader.read({.file = "d/s", .variable = {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find("Injected"), std::string::npos);
}

TEST(SourceKey, TellsThePlaceholders) {
  SourceDeclaration source;
  source.name = "s";
  source.placeholders = {"line", "unit"};
  source.connector = HttpSource{source.placeholders};
  const std::string key = http_key(source, {"K 2&", "7"});
  EXPECT_EQ(key, "/ingest/s?line=K%202%26&unit=7");
  EXPECT_EQ(placeholders_of(source, key), (std::vector<std::string>{"K 2&", "7"}));
  EXPECT_EQ(placeholders_of(source, "/ingest/s"), (std::vector<std::string>{"", ""}));
  source.connector = MqttSource{*TopicPattern::compile("a/{line}/{unit}")};
  EXPECT_EQ(placeholders_of(source, "a/b/c"), (std::vector<std::string>{"b", "c"}));
  EXPECT_FALSE(placeholders_of(source, "x/b/c"));
  source.connector = FilesSource{};
  EXPECT_EQ(placeholders_of(source, "in/7.csv"), (std::vector<std::string>{"7.csv"}));
}

}  // namespace
}  // namespace ficus::connect
