#include "net/http_types.h"

#include <gtest/gtest.h>

namespace ficus::net {
namespace {

TEST(HttpHeaders, FindsFieldsWithoutCase) {
  HttpHeaders headers{{"Content-Type", "text/plain"}, {"X-A", "1"}, {"x-a", "2"}};
  EXPECT_EQ(headers.find("content-TYPE"), "text/plain");
  EXPECT_EQ(headers.find("x-A"), "1");
  EXPECT_EQ(headers.count("X-a"), 2u);
  EXPECT_FALSE(headers.find("X-B"));
  EXPECT_EQ(headers.at(2).value, "2");
  headers.add("Empty", "");
  EXPECT_EQ(headers.find("empty"), "");
  headers.clear();
  EXPECT_TRUE(headers.empty());
}

TEST(HttpHeaders, SplitsLists) {
  const HttpHeaders headers{
      {"Connection", "keep-alive, Upgrade"}, {"Connection", "x"}, {"Other", "y"}};
  EXPECT_TRUE(headers.has_token("connection", "upgrade"));
  EXPECT_TRUE(headers.has_token("Connection", "X"));
  EXPECT_FALSE(headers.has_token("Connection", "keep"));
  EXPECT_FALSE(headers.has_token("Connection", "y"));
}

TEST(HttpTarget, TakesPathAndQueryApart) {
  const auto target =
      HttpTarget::parse("/entities/urn%3Angsi-ld%3AVehicle%3A1%2F2/?limit=10&q=a+b%26c&flag&&=x");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/entities/urn:ngsi-ld:Vehicle:1/2");
  EXPECT_EQ(target->segments, (std::vector<std::string>{"entities", "urn:ngsi-ld:Vehicle:1/2"}));
  EXPECT_EQ(target->parameter("limit"), "10");
  EXPECT_EQ(target->parameter("q"), "a b&c");
  EXPECT_EQ(target->parameter("flag"), "");
  EXPECT_EQ(target->parameter("Limit"), std::nullopt);
  EXPECT_EQ(target->query.size(), 4u);
}

TEST(HttpTarget, KnowsTheForms) {
  EXPECT_EQ(HttpTarget::parse("/")->path, "/");
  EXPECT_TRUE(HttpTarget::parse("/")->segments.empty());
  EXPECT_EQ(HttpTarget::parse("*")->path, "*");
  EXPECT_EQ(HttpTarget::parse("http://city.cn:80/a/b?c=d")->path, "/a/b");
  EXPECT_EQ(HttpTarget::parse("http://city.cn")->path, "/");
  EXPECT_EQ(HttpTarget::parse("http://city.cn?x=1")->parameter("x"), "1");
  EXPECT_EQ(HttpTarget::parse("/a?b=c#d")->parameter("b"), "c");
  EXPECT_EQ(HttpTarget::parse("/a//b")->segments, (std::vector<std::string>{"a", "", "b"}));
}

TEST(HttpTarget, RefusesWhatIsBroken) {
  for (const char* text :
       {"", "a", "a/b", "://x", "/%", "/%4", "/%zz", "/a?b=%f", "/a?%g=b", "/a b", "/a\x7f",
        "/a\x01", "/../etc/passwd", "/a/./b", "/%2e%2E/x", "/a%00b"}) {
    const auto target = HttpTarget::parse(text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().code, ErrorCode::invalid_input);
  }
}

TEST(Percent, RoundTripsEveryByte) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(percent_decode(percent_encode(all), false), all);
  EXPECT_EQ(percent_encode("a-b_c.d~e f/中"), "a-b_c.d~e%20f%2F%E4%B8%AD");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode("a+b", false), "a+b");
}

TEST(HttpReason, NamesTheUsualCodes) {
  EXPECT_EQ(http_reason(404), "Not Found");
  EXPECT_EQ(http_reason(413), "Content Too Large");
  EXPECT_EQ(http_reason(299), "Unknown");
}

}  // namespace
}  // namespace ficus::net
