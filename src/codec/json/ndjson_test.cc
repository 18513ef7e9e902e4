#include "codec/json/ndjson.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ficus::json {
namespace {

// The lines of `text` when it arrives in pieces of `step` bytes; a line that is too long is marked.
std::vector<std::string> split(std::string_view text, std::size_t step, std::size_t limit) {
  NdjsonSplitter splitter(limit);
  std::vector<std::string> lines;
  const auto keep = [&](const NdjsonSplitter::Line& line) {
    lines.push_back((line.is_too_long ? "!" : "") + std::string(line.text));
  };
  for (; !text.empty(); text.remove_prefix(std::min(step, text.size()))) {
    const std::string chunk(text.substr(0, step));  // its memory is gone after the round
    splitter.feed(chunk);
    while (const auto line = splitter.next()) keep(*line);
  }
  if (const auto line = splitter.finish()) keep(*line);
  return lines;
}

TEST(Ndjson, SplitsAlikeHoweverTheBytesArrive) {
  const std::string text = "{\"a\":1}\n\n{\"b\":22}\r\n  \r\n[3]\nxxxxxxxxxxxxxxxxxxxxx\n{\"c\":4}";
  const std::vector<std::string> expected{"{\"a\":1}", "{\"b\":22}", "[3]", "!xxxxxxxxxx",
                                          "{\"c\":4}"};
  for (std::size_t step = 1; step <= text.size(); ++step) {
    EXPECT_EQ(split(text, step, 10), expected) << step;
  }
}

TEST(Ndjson, EndsWithOrWithoutANewline) {
  EXPECT_EQ(split("1\n2\n", 3, 100), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(split("1\n2", 3, 100), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(split("", 3, 100), std::vector<std::string>{});
  EXPECT_EQ(split("\n\n\r\n", 1, 100), std::vector<std::string>{});
  EXPECT_EQ(split("aaaaaaaa", 3, 5), std::vector<std::string>{"!aaaaa"});
  EXPECT_EQ(split("aaaaa\nb", 3, 5), (std::vector<std::string>{"aaaaa", "b"}));
}

}  // namespace
}  // namespace ficus::json
