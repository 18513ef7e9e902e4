#include "codec/ais/tag_block.h"

#include <gtest/gtest.h>

#include "codec/ais/ascii.h"

namespace ficus::ais {
namespace {

std::string with_sum(const std::string& content) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const std::uint8_t sum = checksum(content);
  return content + '*' + kDigits[sum >> 4U] + kDigits[sum & 15U];
}

TEST(AisTagBlock, EveryField) {
  const std::string text =
      with_sum("g:2-3-1234,n:157036,s:r003669945,d:shore,t:hello,c:1428621738,x:skipped,alone");
  const TagBlock block = parse_tag_block(text);
  ASSERT_EQ(block.state, TagState::sound);
  EXPECT_EQ(block.source, "r003669945");
  EXPECT_EQ(block.destination, "shore");
  EXPECT_EQ(block.text, "hello");
  EXPECT_EQ(block.time, Timestamp::from_seconds(1428621738));
  EXPECT_EQ(block.line_count, 157036U);
  EXPECT_EQ(block.group, (TagGroup{.sentence = 2, .sentence_count = 3, .id = 1234}));
  EXPECT_EQ(tag_field(block.content, "x"), "skipped");
  EXPECT_FALSE(tag_field(block.content, "alone").has_value());
  EXPECT_FALSE(tag_field(block.content, "y").has_value());
}

TEST(AisTagBlock, PublishedExample) {
  const TagBlock block = parse_tag_block("g:1-2-27300,n:636994,s:b003669710,c:1428621738*5F");
  ASSERT_EQ(block.state, TagState::sound);
  EXPECT_EQ(block.source, "b003669710");
}

TEST(AisTagBlock, OldGroup) {
  const std::string text = with_sum("1G2:0125,c:1354204801");
  EXPECT_EQ(parse_tag_block(text).group, (TagGroup{.sentence = 1, .sentence_count = 2, .id = 125}));
}

TEST(AisTagBlock, TimeInSecondsOrMilliseconds) {
  const auto time_of = [](const std::string& value) {
    return parse_tag_block(with_sum("c:" + value)).time;
  };
  EXPECT_EQ(time_of("0"), Timestamp{0});
  EXPECT_EQ(time_of("9999999999"), Timestamp::from_seconds(9'999'999'999));
  EXPECT_EQ(time_of("1428621738123"), Timestamp{1'428'621'738'123'000});
  for (const std::string none : {"12415440354", "99999999999999", "", "-1", "12x", "1e9"}) {
    EXPECT_FALSE(time_of(none).has_value()) << none;
  }
}

TEST(AisTagBlock, GroupsThatAreNone) {
  for (const std::string group : {"", "1", "1-2", "1-2-", "0-2-1", "3-2-1", "1-2-3-4", "a-b-c",
                                  "1-10000-5", "1-2-99999999999", "-1-2-3"}) {
    const std::string text = with_sum("g:" + group);
    const TagBlock block = parse_tag_block(text);
    EXPECT_EQ(block.state, TagState::sound);
    EXPECT_FALSE(block.group.has_value()) << group;
  }
  for (const std::string code : {"G", "1G", "G2", "0G2", "3G2", "xG2"}) {
    const std::string text = with_sum(code + ":7");
    EXPECT_FALSE(parse_tag_block(text).group.has_value()) << code;
  }
}

TEST(AisTagBlock, States) {
  EXPECT_EQ(parse_tag_block("").state, TagState::malformed);
  EXPECT_EQ(parse_tag_block("s:x").state, TagState::malformed);
  EXPECT_EQ(parse_tag_block("s:x*").state, TagState::malformed);
  EXPECT_EQ(parse_tag_block("s:x*A").state, TagState::malformed);
  EXPECT_EQ(parse_tag_block("s:x*31junk").state, TagState::malformed);
  EXPECT_EQ(parse_tag_block("s:x*00").state, TagState::bad_checksum);
  EXPECT_EQ(parse_tag_block("*00").state, TagState::sound);
  const TagBlock bad = parse_tag_block("s:x,c:1428621738*00");
  EXPECT_EQ(bad.source, "");
  EXPECT_FALSE(bad.time.has_value());
}

TEST(AisTagBlock, EveryPrefixIsUnusable) {
  const std::string text = with_sum("g:1-2-27300,n:636994,s:b003669710,c:1428621738");
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(parse_tag_block(text.substr(0, length)).is_usable()) << length;
  }
}

}  // namespace
}  // namespace ficus::ais
