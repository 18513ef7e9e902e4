#include "access/digest.h"

#include <gtest/gtest.h>

namespace ficus::access {
namespace {

// FIPS 180-4's examples (NIST, "SHA256.pdf"), and a million times 'a'.
TEST(Digest, Sha256OfThePublishedExamples) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(to_hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// RFC 4231, 4.2 is for a key of 20 bytes; a key filled up with zeros to the block is the same key.
TEST(Digest, HmacOfThePublishedExample) {
  Digest key{};
  std::fill_n(key.begin(), 20, static_cast<std::uint8_t>(0x0b));
  EXPECT_EQ(to_hex(hmac_sha256(key, "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

TEST(Digest, HexThereAndBack) {
  const Digest digest = sha256("x");
  EXPECT_EQ(digest_from_hex(to_hex(digest)), digest);
  EXPECT_FALSE(digest_from_hex(""));
  EXPECT_FALSE(digest_from_hex(std::string(63, '0')));
  EXPECT_FALSE(digest_from_hex(std::string(65, '0')));
  EXPECT_FALSE(digest_from_hex(std::string(63, '0') + "g"));
}

TEST(Digest, EqualOnlyWhenAllBytesAre) {
  const Digest digest = sha256("x");
  for (std::size_t i = 0; i < digest.size(); ++i) {
    Digest other = digest;
    EXPECT_TRUE(equal_in_constant_time(digest, other));
    other[i] ^= 1;
    EXPECT_FALSE(equal_in_constant_time(digest, other)) << i;
  }
}

}  // namespace
}  // namespace ficus::access
