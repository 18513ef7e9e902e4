#include "codec/json/json_path.h"

#include <gtest/gtest.h>

namespace ficus::json {
namespace {

TEST(JsonPath, FindsValues) {
  JsonDocument document;
  const JsonValue root =
      document
          .parse(
              R"({"a": {"b": [{"c": 1}, {"c": 2}]}, "key with space": 3, "it's": 4, "车速": 5, "urn:x@y-z": 6})")
          .value();
  const auto number = [&](std::string_view path) {
    const JsonValue value = JsonPath::compile(path).value().find(root);
    return value.is_missing() ? -1 : value.as_number();
  };
  EXPECT_EQ(number("$.a.b[1].c"), 2);
  EXPECT_EQ(number("$['a']['b'][0].c"), 1);
  EXPECT_EQ(number("$['key with space']"), 3);
  EXPECT_EQ(number("$[\"key with space\"]"), 3);
  EXPECT_EQ(number("$['it\\'s']"), 4);
  EXPECT_EQ(number("$.车速"), 5);
  EXPECT_EQ(number("$.urn:x@y-z"), 6);
  EXPECT_EQ(number("$.a.b[2].c"), -1);
  EXPECT_EQ(number("$.a.c.d"), -1);
  EXPECT_EQ(number("$.a[0]"), -1);
  EXPECT_EQ(JsonPath().find(root).kind(), JsonKind::object);
  EXPECT_EQ(JsonPath::compile("$").value(), JsonPath());
}

TEST(JsonPath, KnowsFanOut) {
  EXPECT_TRUE(JsonPath::compile("$.a[*].b").value().fans_out());
  EXPECT_TRUE(JsonPath::compile("$.*").value().fans_out());
  EXPECT_FALSE(JsonPath::compile("$.a[0]").value().fans_out());
  const JsonPath path = JsonPath::compile("$.s[*].r.*").value();
  ASSERT_EQ(path.steps().size(), 4U);
  EXPECT_EQ(path.steps()[1].kind, JsonStep::Kind::each_element);
  EXPECT_EQ(path.steps()[3].kind, JsonStep::Kind::each_member);
}

TEST(JsonPath, SaysWhatIsWrong) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "column 1: expected '$' at the beginning"},
      {"a.b", "column 1: expected '$' at the beginning"},
      {"$.", "column 3: expected a name or '*' after '.'"},
      {"$..a", "column 3: expected a name or '*' after '.'"},
      {"$a", "column 2: expected '.' or '['"},
      {"$.a b", "column 4: expected '.' or '['"},
      {"$[", "column 3: expected an index, '*' or a quoted name after '['"},
      {"$[-1]", "column 3: expected an index, '*' or a quoted name after '['"},
      {"$[1", "column 4: expected ']'"},
      {"$['a", "column 5: expected a closing '"},
      {"$[9999999]", "column 10: expected an index of at most 1000000"},
      {"$\xff", "column 1: the path is not UTF-8"},
  };
  for (const auto& [text, message] : cases) {
    const auto result = JsonPath::compile(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().message, message) << text;
  }
  std::string deep = "$";
  for (int i = 0; i < 33; ++i) deep += ".a";
  EXPECT_FALSE(JsonPath::compile(deep));
}

}  // namespace
}  // namespace ficus::json
