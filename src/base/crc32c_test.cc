#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "base/random.h"

namespace ficus {

std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t crc);

namespace {

TEST(Crc32c, PublishedValues) {
  // RFC 3720, B.4: 32 bytes of zeros, of ones; and the customary check value of "123456789".
  EXPECT_EQ(crc32c(std::vector<std::byte>(32)), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0xff})), 0x62a8ab43U);
  const std::string_view digits = "123456789";
  EXPECT_EQ(crc32c(std::as_bytes(std::span(digits))), 0xe3069283U);
}

TEST(Crc32c, InstructionAgreesWithTableAndContinues) {
  Random random(7);
  std::vector<std::byte> bytes(1000);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random.next());
  const std::span<const std::byte> all(bytes);
  for (std::size_t length = 0; length < bytes.size(); length += 13) {
    const auto part = all.first(length);
    ASSERT_EQ(crc32c(part), crc32c_by_table(part, 0));
    ASSERT_EQ(crc32c(all.subspan(length), crc32c(part)), crc32c(all));
  }
}

}  // namespace
}  // namespace ficus
