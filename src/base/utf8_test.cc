#include "base/utf8.h"

#include <gtest/gtest.h>

namespace ficus {
namespace {

TEST(Utf8, AcceptsText) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8("city/福州/鼓楼区/传感器"));
  EXPECT_TRUE(is_valid_utf8("\xf4\x8f\xbf\xbf"));
}

TEST(Utf8, RefusesMalformed) {
  for (const char* text :
       {"\x80", "\xc0\xaf", "\xc1\x81", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "eight ok\xe7\xa6", "abc\xff"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << text;
  }
}

TEST(Utf8, APrefixCutsNoCharacter) {
  EXPECT_EQ(utf8_prefix("abc", 3), "abc");
  EXPECT_EQ(utf8_prefix("abc", 2), "ab");
  EXPECT_EQ(utf8_prefix("a福b", 3), "a");
  EXPECT_EQ(utf8_prefix("a福b", 4), "a福");
  EXPECT_EQ(utf8_prefix("福", 2), "");
}

}  // namespace
}  // namespace ficus
