#include "base/large_pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/check.h"

namespace ficus {
namespace {

constexpr std::size_t kFirstBlockBytes = std::size_t{16} << 10;

std::size_t whole_pages(std::size_t bytes) {
  return (bytes + kLargePageBytes - 1) / kLargePageBytes * kLargePageBytes;
}

}  // namespace

void* allocate_large_pages(std::size_t bytes) {
  bytes = whole_pages(bytes);
  // One page more, so that an aligned range is in it; what is around that is given back.
  const std::size_t mapped = bytes + kLargePageBytes;
  void* const memory =
      mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  FICUS_CHECK(memory != MAP_FAILED);  // out of memory ends the process
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t aligned = whole_pages(begin);
  if (aligned > begin) munmap(memory, aligned - begin);
  if (const std::size_t behind = begin + mapped - (aligned + bytes); behind > 0) {
    munmap(reinterpret_cast<void*>(aligned + bytes), behind);
  }
  void* const result = reinterpret_cast<void*>(aligned);
  (void)madvise(result, bytes, MADV_HUGEPAGE);  // a wish: without it all is the same, but slower
  return result;
}

void free_large_pages(void* memory, std::size_t bytes) { munmap(memory, whole_pages(bytes)); }

BlockArena::~BlockArena() {
  for (const Block& block : blocks_) {
    if (block.bytes >= kLargePageBytes) {
      free_large_pages(block.memory, block.bytes);
    } else {
      ::operator delete(block.memory);
    }
  }
}

void* BlockArena::take(std::size_t bytes, std::size_t alignment) {
  FICUS_CHECK(alignment <= alignof(std::max_align_t));
  std::size_t begin = (used_ + alignment - 1) & ~(alignment - 1);
  if (blocks_.empty() || begin + bytes > blocks_.back().bytes) {
    const std::size_t wanted = std::max({bytes, memory_bytes_, kFirstBlockBytes});
    const std::size_t size = std::max(bytes, std::min(std::bit_ceil(wanted), kLargePageBytes));
    void* const memory =
        size >= kLargePageBytes ? allocate_large_pages(size) : ::operator new(size);
    blocks_.push_back({memory, size});
    memory_bytes_ += size;
    begin = 0;
  }
  used_ = begin + bytes;
  return static_cast<std::byte*>(blocks_.back().memory) + begin;
}

}  // namespace ficus
