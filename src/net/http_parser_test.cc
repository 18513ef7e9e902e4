#include "net/http_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace ficus::net {
namespace {

struct Parsed {
  HttpParseError error = HttpParseError::none;
  bool is_done = false;
  std::string body;
  HttpHead head;
  std::size_t consumed = 0;
};

// Feeds `text` in parts of `step` bytes the way a connection does: what is not consumed is shown
// again.
Parsed parse(std::string_view text, std::size_t step,
             HttpParser::Kind kind = HttpParser::Kind::request, HttpParserLimits limits = {}) {
  HttpParser parser(kind, limits);
  Parsed result;
  for (std::size_t end = 0; end < text.size() && !parser.is_done();) {
    end = std::min(text.size(), end + step);
    while (!parser.is_done() && result.consumed < end) {
      const HttpParser::Step got = parser.put(text.substr(result.consumed, end - result.consumed));
      result.consumed += got.consumed;
      result.body += got.piece;
      result.error = got.error;
      if (got.error != HttpParseError::none) return result;
      if (got.consumed == 0) break;
    }
  }
  result.is_done = parser.is_done();
  result.head = parser.head();
  return result;
}

constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n";
constexpr std::string_view kPost =
    "POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\nhello world";
constexpr std::string_view kChunked =
    "POST /in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n";

TEST(HttpParser, ReadsAnySplitting) {
  for (const std::string_view text : {kGet, kPost, kChunked}) {
    for (std::size_t step = 1; step <= text.size(); ++step) {
      const Parsed got = parse(text, step);
      ASSERT_EQ(got.error, HttpParseError::none) << text << step;
      ASSERT_TRUE(got.is_done) << text << step;
      EXPECT_EQ(got.consumed, text.size());
      EXPECT_EQ(got.body, text == kGet ? "" : "hello world");
    }
  }
  const Parsed get = parse(kGet, 1000);
  EXPECT_EQ(get.head.method, "GET");
  EXPECT_EQ(get.head.target, "/a?b=c");
  EXPECT_TRUE(get.head.keeps_alive);
  EXPECT_EQ(get.head.headers.find("accept"), "*/*");
  const Parsed post = parse(kPost, 1000);
  EXPECT_TRUE(post.head.expects_continue);
  EXPECT_EQ(post.head.content_length, 11u);
  const Parsed chunked = parse(kChunked, 1000);
  EXPECT_TRUE(chunked.head.is_chunked);
  EXPECT_FALSE(chunked.head.headers.find("Trailer")) << "a trailer is no header";
}

TEST(HttpParser, IsNeverDoneBeforeTheEnd) {
  for (const std::string_view text : {kGet, kPost, kChunked}) {
    for (std::size_t size = 0; size < text.size(); ++size) {
      for (const std::size_t step : {std::size_t{1}, std::size_t{7}, size + 1}) {
        const Parsed got = parse(text.substr(0, size), step);
        EXPECT_EQ(got.error, HttpParseError::none);
        EXPECT_FALSE(got.is_done) << text.substr(0, size);
      }
    }
  }
}

TEST(HttpParser, ReadsAnEmptyChunkedBodyByteByByte) {
  // Found by the fuzzer: the library underneath asserts on it.
  const Parsed got =
      parse("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1);
  EXPECT_EQ(got.error, HttpParseError::none);
  EXPECT_TRUE(got.is_done);
  EXPECT_EQ(got.body, "");
}

TEST(HttpParser, StopsAtTheEndOfTheFirstOfTwo) {
  const Parsed got = parse(std::string(kPost) + std::string(kGet), 1000);
  EXPECT_TRUE(got.is_done);
  EXPECT_EQ(got.consumed, kPost.size());
}

TEST(HttpParser, RefusesWhatCouldBeReadInTwoWays) {
  const std::string begin = "POST / HTTP/1.1\r\nHost: x\r\n";
  const std::string end = "\r\n0\r\n\r\n";
  const std::pair<std::string, HttpParseError> cases[] = {
      {begin + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + end,
       HttpParseError::malformed},
      {begin + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" + end,
       HttpParseError::malformed},
      {begin + "Content-Length: 5\r\nContent-Length: 6\r\n" + end, HttpParseError::malformed},
      {begin + "Content-Length: 5\r\nContent-Length: 5\r\n" + end, HttpParseError::malformed},
      {begin + "Content-Length: 5, 5\r\n" + end, HttpParseError::malformed},
      {begin + "Content-Length: +5\r\n" + end, HttpParseError::malformed},
      {begin + "Content-Length: -5\r\n" + end, HttpParseError::malformed},
      {begin + "Content-Length: 0x5\r\n" + end, HttpParseError::malformed},
      {begin + "Content-Length: 5 5\r\n" + end, HttpParseError::malformed},
      {begin + "Content-Length: \r\n" + end, HttpParseError::malformed},
      {begin + "Content-Length: 99999999999999999999999\r\n" + end, HttpParseError::malformed},
      {begin + "Content-Length : 5\r\n" + end, HttpParseError::malformed},
      {begin + "Transfer-Encoding : chunked\r\n" + end, HttpParseError::malformed},
      {begin + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + end,
       HttpParseError::malformed},
      {begin + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n" + end,
       HttpParseError::malformed},
      {begin + "Transfer-Encoding: identity\r\n" + end, HttpParseError::unsupported_encoding},
      {begin + "Transfer-Encoding: gzip, chunked\r\n" + end, HttpParseError::unsupported_encoding},
      {begin + "Transfer-Encoding: chunked, gzip\r\n" + end, HttpParseError::unsupported_encoding},
      {begin + "Transfer-Encoding: xchunked\r\n" + end, HttpParseError::unsupported_encoding},
      {begin + "Transfer-Encoding: \"chunked\"\r\n" + end, HttpParseError::unsupported_encoding},
      {"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + end,
       HttpParseError::malformed},
      {"GET / HTTP/1.1\r\n\r\n", HttpParseError::malformed},  // no Host
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", HttpParseError::malformed},
      {"GET / HTTP/1.1\nHost: x\n\n", HttpParseError::unsupported_version},  // bare LF
      {"GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", HttpParseError::malformed},
      {"GET / HTTP/1.1\r\nHost: x\r\nA\x01: b\r\n\r\n", HttpParseError::malformed},
      {"GET / HTTP/1.1\r\nHost: x\r\nA: b" + std::string(1, '\0') + "c\r\n\r\n",
       HttpParseError::malformed},
      {"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c: d\r\n\r\n", HttpParseError::malformed},  // folded
      {begin + "Content-Length: 5\r\n\t6\r\n" + end, HttpParseError::malformed},
      {begin + "Transfer-Encoding:\r\n chunked\r\n" + end, HttpParseError::malformed},
      {"GET / HTTP/1.1\r\n Host: x\r\n\r\n", HttpParseError::malformed},
      {"GET / HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n", HttpParseError::malformed},
      {"GET / HTTP/1.1\r\nHost: x\r\nA: b\nC: d\r\n\r\n", HttpParseError::malformed},
      {"GET /\r\nHost: x\r\n\r\n", HttpParseError::malformed},  // HTTP/0.9
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", HttpParseError::unsupported_version},
      {"G\xff / HTTP/1.1\r\n\r\n", HttpParseError::malformed},
      {" GET / HTTP/1.1\r\nHost: x\r\n\r\n", HttpParseError::malformed},
  };
  for (const auto& [text, expected] : cases) {
    for (const std::size_t step : {text.size(), std::size_t{1}}) {
      const Parsed got = parse(text, step);
      EXPECT_FALSE(got.is_done) << text;  // byte by byte a bare LF only never ends a line
      if (step > 1) {
        EXPECT_EQ(got.error, expected) << text;
      }
    }
  }
}

TEST(HttpParser, RefusesBrokenChunks) {
  const std::string begin = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* chunks : {"x\r\n", "5\r\nhelloX", "-1\r\n", "+1\r\n", "0x5\r\n",
                             "fffffffffffffffff\r\n", "5 \r\nhello\r\n", "5\nhello\r\n0\r\n\r\n",
                             "0\r\nBad Trailer\r\n\r\n", "0\r\nContent-Length: 5\r\n\r\n"}) {
    EXPECT_EQ(parse(begin + chunks + "\r\n\r\n", 1000).error, HttpParseError::malformed) << chunks;
  }
  EXPECT_EQ(parse(begin + "5;" + std::string(40'000, 'x'), 1000).error, HttpParseError::malformed);
  EXPECT_EQ(parse(begin + "0\r\nA: " + std::string(40'000, 'x'), 1000).error,
            HttpParseError::malformed);
}

TEST(HttpParser, BoundsTheHeader) {
  const HttpParserLimits limits{.header_bytes_max = 1000, .fields_max = 10};
  const std::string begin = "GET / HTTP/1.1\r\nHost: x\r\n";
  const auto with = [&](const std::string& fields, std::size_t step) {
    return parse(begin + fields + "\r\n", step, HttpParser::Kind::request, limits).error;
  };
  std::string many;
  for (int i = 0; i < 10; ++i) many += "A: b\r\n";
  for (const std::size_t step : {std::size_t{1}, std::size_t{100}, std::size_t{100'000}}) {
    EXPECT_EQ(with("A: " + std::string(900, 'x') + "\r\n", step), HttpParseError::none);
    EXPECT_EQ(with("A: " + std::string(1000, 'x') + "\r\n", step),
              HttpParseError::header_too_large);
    EXPECT_EQ(with("A: " + std::string(50'000, 'x') + "\r\n", step),
              HttpParseError::header_too_large);
    EXPECT_EQ(with(many, step), HttpParseError::header_too_large) << "fields";
    EXPECT_EQ(
        parse("GET /" + std::string(5000, 'x'), step, HttpParser::Kind::request, limits).error,
        HttpParseError::header_too_large);
    // Fields that arrive one at a time and are consumed one at a time count together.
    std::string trickle;
    for (int i = 0; i < 8; ++i) trickle += "A: " + std::string(150, 'x') + "\r\n";
    EXPECT_EQ(with(trickle, step), HttpParseError::header_too_large);
  }
}

TEST(HttpParser, ReadsResponses) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const auto kind = HttpParser::Kind::response;
  EXPECT_EQ(parse(head + "Content-Length: 2\r\n\r\nhi", 3, kind).body, "hi");
  EXPECT_TRUE(parse("HTTP/1.1 204 No Content\r\n\r\n", 3, kind).is_done);
  EXPECT_TRUE(parse(head + "Content-Length: 2\r\n\r\n", 3, HttpParser::Kind::response_without_body)
                  .is_done);
  EXPECT_EQ(parse(head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi", 100, kind).error,
            HttpParseError::malformed);
  HttpParser until_end(kind, {});
  std::string text = head + "\r\npart";
  const auto first = until_end.put(text);
  const auto second = until_end.put(std::string_view(text).substr(first.consumed));
  EXPECT_EQ(second.piece, "part");
  EXPECT_FALSE(until_end.is_done());
  EXPECT_TRUE(until_end.put_end());
  HttpParser cut(kind, {});
  text = head + "Content-Length: 9\r\n\r\nshort";
  const auto header = cut.put(text);
  cut.put(std::string_view(text).substr(header.consumed));
  EXPECT_FALSE(cut.put_end());
}

}  // namespace
}  // namespace ficus::net
