#include "base/large_pages.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace ficus {
namespace {

TEST(LargePages, AreAlignedAndZeroed) {
  const std::size_t bytes = kLargePageBytes + 12345;
  auto* const memory = static_cast<unsigned char*>(allocate_large_pages(bytes));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % kLargePageBytes, 0U);
  for (std::size_t i = 0; i < bytes; i += 4096) EXPECT_EQ(memory[i], 0);
  std::memset(memory, 1, bytes);
  free_large_pages(memory, bytes);
}

TEST(LargePages, AVectorKeepsItsContentWhileItGrows) {
  LargeVector<std::uint64_t> numbers;
  constexpr std::uint64_t kCount = 3 * kLargePageBytes / sizeof(std::uint64_t);
  for (std::uint64_t i = 0; i < kCount; ++i) numbers.push_back(i);
  for (std::uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(numbers[i], i);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(numbers.data()) % kLargePageBytes, 0U);
  numbers.resize(10);
  numbers.shrink_to_fit();
  EXPECT_EQ(numbers[9], 9U);
}

TEST(BlockArena, PiecesAreAlignedAndApart) {
  BlockArena arena;
  EXPECT_EQ(arena.memory_bytes(), 0U);
  std::vector<std::pair<unsigned char*, std::size_t>> pieces;
  std::size_t taken = 0;
  for (std::size_t i = 0; taken < 3 * kLargePageBytes; ++i) {
    const std::size_t bytes = 1 + i * 7919 % 20'000;
    const std::size_t alignment = std::size_t{1} << i % 5;
    auto* const piece = static_cast<unsigned char*>(arena.take(bytes, alignment));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(piece) % alignment, 0U);
    std::memset(piece, static_cast<int>(i % 251), bytes);
    pieces.emplace_back(piece, bytes);
    taken += bytes;
    // No more is held than twice what is used, but for the first and the last block.
    EXPECT_LE(arena.memory_bytes(), 2 * taken + kLargePageBytes);
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(pieces[i].first[0], i % 251);
    EXPECT_EQ(pieces[i].first[pieces[i].second - 1], i % 251);
  }
}

TEST(BlockArena, MovesWithItsPieces) {
  BlockArena arena;
  auto* const piece = static_cast<char*>(arena.take(3, 1));
  std::memcpy(piece, "ab", 3);
  BlockArena other = std::move(arena);
  EXPECT_STREQ(piece, "ab");
  BlockArena third;
  (void)third.take(5, 1);
  third = std::move(other);
  EXPECT_STREQ(piece, "ab");
  EXPECT_EQ(static_cast<char*>(third.take(1, 1)), piece + 3);
}

TEST(BlockArena, MoreThanALargePageHasItsOwnBlock) {
  BlockArena arena;
  auto* const small = static_cast<char*>(arena.take(10, 1));
  std::memset(small, 1, 10);
  const std::size_t bytes = 2 * kLargePageBytes + 1;
  auto* const large = static_cast<char*>(arena.take(bytes, 8));
  std::memset(large, 2, bytes);
  auto* const behind = static_cast<char*>(arena.take(100, 8));
  std::memset(behind, 3, 100);
  EXPECT_EQ(small[9], 1);
  EXPECT_EQ(large[bytes - 1], 2);
  EXPECT_LE(arena.memory_bytes(), 4 * kLargePageBytes);
}

TEST(BlockArena, LittleIsHeldWhereLittleIsUsed) {
  BlockArena arena;
  (void)arena.take(100, 8);
  EXPECT_LE(arena.memory_bytes(), std::size_t{16} << 10);
}

}  // namespace
}  // namespace ficus
