#include "codec/ais/line_splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ficus::ais {
namespace {

using Lines = std::vector<std::pair<std::string, bool>>;

void drain(LineSplitter& splitter, Lines& out) {
  while (const auto line = splitter.next()) out.emplace_back(line->text, line->is_too_long);
}

// Feeds `text` in pieces of `step` bytes.
Lines split(std::string_view text, std::size_t step, std::size_t limit = kLineBytesMax) {
  LineSplitter splitter(limit);
  Lines out;
  for (std::size_t at = 0; at < text.size(); at += step) {
    splitter.feed(text.substr(at, step));
    drain(splitter, out);
  }
  splitter.finish();
  drain(splitter, out);
  return out;
}

TEST(AisLineSplitter, SameLinesHoweverTheBytesCome) {
  const std::string_view text = "one\r\ntwo\nthree\rfour\n\n\r\nfive";
  const Lines expected{
      {"one", false}, {"two", false}, {"three", false}, {"four", false}, {"five", false}};
  for (std::size_t step = 1; step <= text.size(); ++step) EXPECT_EQ(split(text, step), expected);
}

TEST(AisLineSplitter, LongLinesAreCutOnce) {
  const std::string_view text = "12345\n123456\nab\n1234567890123\nc\n123456";
  const Lines expected{{"12345", false}, {"12345", true}, {"ab", false},
                       {"12345", true},  {"c", false},    {"12345", true}};
  for (std::size_t step = 1; step <= text.size(); ++step) {
    EXPECT_EQ(split(text, step, 5), expected) << step;
  }
}

TEST(AisLineSplitter, AMegabyteWithoutLineEnd) {
  const std::string text(1'000'000, 'x');
  const Lines lines = split(text, 4096);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].first.size(), kLineBytesMax);
  EXPECT_TRUE(lines[0].second);
}

TEST(AisLineSplitter, GoesOnAfterTheEndOfADatagram) {
  LineSplitter splitter;
  Lines out;
  splitter.feed("unfinished");
  splitter.finish();
  drain(splitter, out);
  splitter.feed("next\n");
  drain(splitter, out);
  EXPECT_EQ(out, (Lines{{"unfinished", false}, {"next", false}}));
}

TEST(AisLineSplitter, RestOfALongLineEndsWithItsDatagram) {
  LineSplitter splitter(3);
  Lines out;
  splitter.feed("12345");
  splitter.finish();
  drain(splitter, out);
  splitter.feed("ab\n");
  drain(splitter, out);
  EXPECT_EQ(out, (Lines{{"123", true}, {"ab", false}}));
}

TEST(AisLineSplitter, DatagramHeader) {
  EXPECT_EQ(strip_datagram_header(std::string_view("UdPbC\0!AIVDM", 12)), "!AIVDM");
  EXPECT_EQ(strip_datagram_header("!AIVDM"), "!AIVDM");
  EXPECT_EQ(strip_datagram_header("UdPbC"), "UdPbC");
  EXPECT_EQ(strip_datagram_header(""), "");
}

}  // namespace
}  // namespace ficus::ais
