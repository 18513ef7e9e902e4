#include "codec/json/json_writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ficus::json {
namespace {

TEST(JsonWriter, WritesNestedValues) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("a").integer(-5).key("b").begin_array().end_array();
  json.key("c").begin_array().boolean(true).null().begin_object().end_object().number(1.5);
  json.end_array();
  json.key("t").time(Timestamp::from_seconds(0)).key("r").raw("[1,2]").key("s").text("x");
  json.end_object();
  EXPECT_EQ(
      out,
      R"({"a":-5,"b":[],"c":[true,null,{},1.5],"t":"1970-01-01T00:00:00Z","r":[1,2],"s":"x"})");
}

TEST(JsonWriter, Escapes) {
  std::string out;
  JsonWriter json(out);
  json.text(std::string_view("\"\\\n\r\t\b\x01\x1f\x7f\0/福", 14));
  EXPECT_EQ(out, "\"\\\"\\\\\\n\\r\\t\\u0008\\u0001\\u001f\x7f\\u0000/福\"");
}

TEST(JsonWriter, RepairsWhatIsNotUtf8) {
  std::string out;
  append_quoted("a\xff\xe7\xa6\"\xe7\xa6\x8f", out);
  EXPECT_EQ(out, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\\\"\xE7\xA6\x8F\"");
}

TEST(JsonWriter, NumbersAreShortestAndNeverNan) {
  const auto text = [](double value) {
    std::string out;
    JsonWriter(out).number(value);
    return out;
  };
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(3), "3");
  EXPECT_EQ(text(-0.0), "-0");
  EXPECT_EQ(text(1e300), "1e+300");
  EXPECT_EQ(text(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(text(5e-324), "5e-324");
  EXPECT_EQ(text(std::nan("")), "null");
  EXPECT_EQ(text(std::numeric_limits<double>::infinity()), "null");
  std::string out;
  JsonWriter(out).integer(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(out, "-9223372036854775808");
}

}  // namespace
}  // namespace ficus::json
