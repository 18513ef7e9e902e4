#include "codec/json/json_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "codec/json/json_check.h"
#include "codec/json/json_writer.h"

namespace ficus::json {
namespace {

TEST(JsonDocument, GivesValuesInAnyOrder) {
  JsonDocument document;
  const JsonValue root =
      document
          .parse(
              R"({"a": {"b": [1, 2.5, {"c": "deep"}]}, "t": 1732320000123456789, "big": 18446744073709551615,
                     "yes": true, "no": false, "nil": null, "text": "a\u00e9\n\"\ud83d\ude00", "": 7})")
          .value();
  EXPECT_EQ(root.kind(), JsonKind::object);
  EXPECT_EQ(root.member("text").as_text(), "a\xC3\xA9\n\"\xF0\x9F\x98\x80");
  EXPECT_EQ(root.member("t").as_integer(), 1732320000123456789);
  EXPECT_EQ(root.member("big").as_integer(), std::nullopt);
  EXPECT_EQ(root.member("big").as_number(), 18446744073709551615.0);
  EXPECT_TRUE(root.member("yes").as_boolean());
  EXPECT_FALSE(root.member("no").as_boolean());
  EXPECT_EQ(root.member("nil").kind(), JsonKind::null);
  EXPECT_EQ(root.member("").as_number(), 7);
  const JsonValue list = root.member("a").member("b");
  EXPECT_EQ(list.kind(), JsonKind::array);
  EXPECT_EQ(list.element(1).as_number(), 2.5);
  EXPECT_EQ(list.element(1).as_integer(), std::nullopt);
  EXPECT_EQ(list.element(2).member("c").as_text(), "deep");
  EXPECT_EQ(list.element(3).kind(), JsonKind::missing);
  EXPECT_EQ(list.member("x").kind(), JsonKind::missing);
  EXPECT_EQ(root.element(0).kind(), JsonKind::missing);
  EXPECT_EQ(root.member("nothing").member("x").element(1).kind(), JsonKind::missing);
  EXPECT_EQ(JsonValue().as_integer(), std::nullopt);
  std::string text;
  root.member("a").append_json(text);
  JsonValue().append_json(text);
  EXPECT_EQ(text, R"({"b":[1,2.5,{"c":"deep"}]})");
}

TEST(JsonDocument, WalksArraysAndObjects) {
  JsonDocument document;
  const JsonValue root = document.parse(R"({"l": [10, [], 30], "o": {"x": 1, "y": {}}})").value();
  std::string seen;
  for (JsonItems items(root.member("l")); items.next();) {
    seen += items.value().kind() == JsonKind::number ? "n" : json_kind_name(items.value().kind());
  }
  EXPECT_EQ(seen, "nan arrayn");
  seen.clear();
  for (JsonItems items(root.member("o")); items.next();) seen += items.key();
  EXPECT_EQ(seen, "xy");
  for (JsonItems items(root.member("l").element(0)); items.next();) FAIL();
  for (JsonItems items((JsonValue())); items.next();) FAIL();
  EXPECT_FALSE(JsonItems(root.member("l").element(1)).next());
}

TEST(JsonDocument, AcceptsScalarsAndAByteOrderMark) {
  JsonDocument document;
  EXPECT_EQ(document.parse("21.5").value().as_number(), 21.5);
  EXPECT_EQ(document.parse(" \"ON\" ").value().as_text(), "ON");
  EXPECT_EQ(document.parse("\xEF\xBB\xBF[1]").value().element(0).as_number(), 1);
}

TEST(JsonDocument, TheFirstOfTwoEqualKeysCounts) {
  JsonDocument document;
  EXPECT_EQ(document.parse(R"({"a":1,"a":2})").value().member("a").as_number(), 1);
}

TEST(JsonDocument, IsReusable) {
  JsonDocument document;
  for (std::size_t size : {10U, 100'000U, 3U, 5000U}) {
    const std::string text = "[\"" + std::string(size, 'x') + "\"]";
    EXPECT_EQ(document.parse(text).value().element(0).as_text().size(), size);
    EXPECT_FALSE(document.parse(text.substr(0, text.size() - 1)));
  }
}

TEST(JsonDocument, SaysWhereTheTextGoesWrong) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "not JSON: byte 0: expected a value"},
      {"{\"a\":1", "not JSON: byte 6: expected ',' or '}'"},
      {"{\"a\" 1}", "not JSON: byte 5: expected ':' after the member name"},
      {"{a:1}", "not JSON: byte 1: expected a member name in double quotes or '}'"},
      {"{\"a\":1,}", "not JSON: byte 7: expected a member name in double quotes"},
      {"[1 2]", "not JSON: byte 3: expected ',' or ']'"},
      {"[1,]", "not JSON: byte 3: expected a value"},
      {"[1]x", "not JSON: byte 3: expected the end of the text"},
      {"[01]", "not JSON: byte 1: a number has a leading zero"},
      {"[1.]", "not JSON: byte 3: expected a digit after '.'"},
      {"[1e]", "not JSON: byte 3: expected a digit of the exponent"},
      {"[-]", "not JSON: byte 2: expected a digit"},
      {"[\"abc]", "not JSON: byte 1: a text that does not end"},
      {"[\"a\\x\"]", "not JSON: byte 3: an unknown escape"},
      {"[\"\\u12g4\"]", "not JSON: byte 6: expected four hexadecimal digits after '\\u'"},
      {"[\"\\ud800\"]", "not JSON: byte 2: half a surrogate pair"},
      {"[\"a\nb\"]", "not JSON: byte 3: a control character inside a text"},
      {"[\"ab\xff\"]", "not JSON: byte 4: bytes that are not UTF-8"},
      {"[nul]", "not JSON: byte 1: expected a value"},
      {"[1e999]", "not JSON: byte 1: a number too large for a double"},
      {"[123456789012345678901234567890]", "not JSON: byte 1: an integer of more than 64 bits"},
  };
  JsonDocument document;
  for (const auto& [text, message] : cases) {
    const auto result = document.parse(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, ErrorCode::invalid_input);
    EXPECT_EQ(result.error().message, message) << text;
  }
}

TEST(JsonDocument, LimitsSizeAndDepth) {
  JsonDocument document({.bytes_max = 100, .depth_max = 5});
  EXPECT_EQ(document.parse(std::string(101, ' ')).error().message,
            "not taken as JSON: 101 bytes, at most 100 are allowed");
  EXPECT_TRUE(document.parse("[[[[1]]]]"));
  EXPECT_EQ(document.parse("[[[[[[1]]]]]]").error().message,
            "not JSON: byte 5: nested deeper than 5 levels");
  JsonDocument usual;
  EXPECT_FALSE(usual.parse(std::string(1'000'000, '[')));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(usual.parse(objects));
}

constexpr const char* kSample =
    R"({"id":"bus-7","pos":[119.3,26.08],"speed":-3.5e1,"on":true,"off":false,"n":null,)"
    R"("list":[{"k":1},{"k":2}],"s":"\u798f\u5dde \"福州\"","e":{},"a":[]})";

TEST(JsonDocument, EveryPrefixIsAnErrorAndTheCheckerAgrees) {
  JsonDocument document;
  const std::string text = kSample;
  ASSERT_TRUE(document.parse(text)) << document.parse(text).error().message;
  EXPECT_FALSE(find_json_mistake(text, 64));
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto result = document.parse(std::string_view(text).substr(0, length));
    ASSERT_FALSE(result) << length;
    const auto mistake = find_json_mistake(std::string_view(text).substr(0, length), 64);
    ASSERT_TRUE(mistake);
    EXPECT_LE(mistake->offset, length);
  }
}

// The fast parser and the slow checker are two implementations of one thing.
TEST(JsonDocument, ParserAndCheckerAgreeOnDamagedTexts) {
  JsonDocument document;
  Random random(11);
  constexpr std::string_view kBytes = "{}[]\",:0123456789.eE+-\\utrfalsn \n\x01\xff\xe7";
  int valid = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string text = kSample;
    const std::uint64_t damages = 1 + random.below(3);
    for (std::uint64_t d = 0; d < damages; ++d) {
      text[random.below(text.size())] = kBytes[random.below(kBytes.size())];
    }
    const bool parsed = document.parse(text).has_value();
    valid += parsed ? 1 : 0;
    ASSERT_EQ(parsed, !find_json_mistake(text, 64)) << text;
  }
  EXPECT_GT(valid, 1000);
}

TEST(JsonDocument, ReadsBackWhatTheWriterWrites) {
  JsonDocument document;
  Random random(5);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (std::uint64_t n = random.below(40); n > 0; --n) {
      bytes.push_back(static_cast<char>(random.below(256)));
    }
    const double number = random.between(-1e6, 1e6);
    std::string text;
    JsonWriter(text).begin_object().key(bytes).number(number).key("t").text(bytes).end_object();
    const auto root = document.parse(text);
    ASSERT_TRUE(root) << root.error().message;
    JsonItems items(*root);
    ASSERT_TRUE(items.next());
    EXPECT_EQ(items.value().as_number(), number);
  }
}

}  // namespace
}  // namespace ficus::json
