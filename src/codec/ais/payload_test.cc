#include "codec/ais/payload.h"

#include <gtest/gtest.h>

namespace ficus::ais {
namespace {

TEST(AisPayload, ArmorAndBack) {
  // IEC 61162-1: all 64 characters in order of their values.
  const std::string all = "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw";
  Payload payload;
  ASSERT_TRUE(payload.append_armored(all, 0).has_value());
  ASSERT_EQ(payload.bit_count(), 384U);
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(payload.bits(i * 6, 6), i);
  int fill_bits = -1;
  EXPECT_EQ(payload.armored(fill_bits), all);
  EXPECT_EQ(fill_bits, 0);
}

TEST(AisPayload, FillBitsAreLeftOut) {
  for (int fill = 0; fill <= 5; ++fill) {
    Payload payload;
    ASSERT_TRUE(payload.append_armored("0w", fill).has_value());
    EXPECT_EQ(payload.bit_count(), 12U - static_cast<unsigned>(fill));
    int written = -1;
    payload.armored(written);
    EXPECT_EQ(written, fill);
  }
}

TEST(AisPayload, EveryOtherCharacterIsRefused) {
  int refused = 0;
  for (int c = 0; c < 256; ++c) {
    Payload payload;
    const std::string text(1, static_cast<char>(c));
    const auto added = payload.append_armored(text, 0);
    if (added) continue;
    EXPECT_EQ(added.error(), AisError::bad_armor);
    EXPECT_EQ(payload.bit_count(), 0U);
    ++refused;
  }
  EXPECT_EQ(refused, 256 - 64);
}

TEST(AisPayload, LimitAddsNothing) {
  Payload payload;
  ASSERT_TRUE(payload.append_armored(std::string(256, 'w'), 0).has_value());
  EXPECT_EQ(payload.bit_count(), Payload::kBitsMax);
  const auto added = payload.append_armored("0", 0);
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error(), AisError::too_long);
  payload.append(0, 32);
  EXPECT_EQ(payload.bit_count(), Payload::kBitsMax);
  EXPECT_TRUE(payload.append_armored("", 0).has_value());
}

TEST(AisPayload, BitsAcrossBytesAndBehindTheEnd) {
  Payload payload;
  payload.append(0b101, 3);
  payload.append(0xdeadbeef, 32);
  payload.append(0, 0);
  EXPECT_EQ(payload.bit_count(), 35U);
  EXPECT_EQ(payload.bits(3, 32), 0xdeadbeefU);
  EXPECT_EQ(payload.bits(3, 8), 0xdeU);
  EXPECT_EQ(payload.bits(31, 6), 0xfU);  // four of six bits came
  EXPECT_EQ(payload.bits(35, 8), 0U);
  EXPECT_EQ(payload.bits(5000, 32), 0U);
  EXPECT_FALSE(payload.bit(35));
}

TEST(AisPayload, SignedBits) {
  Payload payload;
  payload.append(static_cast<std::uint32_t>(-5), 7);
  payload.append(63, 7);
  payload.append(0x80000000U, 32);
  EXPECT_EQ(payload.signed_bits(0, 7), -5);
  EXPECT_EQ(payload.signed_bits(7, 7), 63);
  EXPECT_EQ(payload.signed_bits(14, 32), INT32_MIN);
}

TEST(AisPayload, TextEndsAtTheFirstAtSign) {
  Payload payload;
  payload.append_text("A b_?'~", 9);  // lower case is raised; '~' cannot be written
  EXPECT_EQ(payload.text(0, 9), "A B_?'");
  Payload cut;
  cut.append_text("AB@CD", 5);
  EXPECT_EQ(cut.text(0, 5), "AB");
  EXPECT_EQ(cut.text(0, 1), "A");
  EXPECT_EQ(cut.text(27, 5), "");  // less than a character left
}

}  // namespace
}  // namespace ficus::ais
