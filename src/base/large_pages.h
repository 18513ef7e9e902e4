#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

// Memory that is looked into at random places, such as a table of a million entities. In pages of 4
// KiB each look costs a walk through the page tables as well, which no prefetch hides; in pages of
// 2 MiB it seldom does. Linux gives them where they are asked for (madvise), if it has any.
namespace ficus {

inline constexpr std::size_t kLargePageBytes = std::size_t{2} << 20;

// REQUIRES: bytes is at least kLargePageBytes. Rounded up to whole pages, zeroed by the system.
void* allocate_large_pages(std::size_t bytes);
void free_large_pages(void* memory, std::size_t bytes);

// For std::vector: large pages from 2 MiB on, ordinary memory below.
template <typename T>
struct LargePageAllocator {
  using value_type = T;

  LargePageAllocator() = default;
  template <typename U>
  LargePageAllocator(const LargePageAllocator<U>&) {}  // NOLINT: as allocators must

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (bytes >= kLargePageBytes) return static_cast<T*>(allocate_large_pages(bytes));
    return std::allocator<T>().allocate(count);
  }
  void deallocate(T* memory, std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (bytes >= kLargePageBytes) return free_large_pages(memory, bytes);
    std::allocator<T>().deallocate(memory, count);
  }
  friend bool operator==(const LargePageAllocator&, const LargePageAllocator&) { return true; }
};

template <typename T>
using LargeVector = std::vector<T, LargePageAllocator<T>>;

// Hands out pieces of memory that all go at once with the arena. Its blocks grow with what is in
// use, up to a large page: little is left over, and much lies in few pages. One thread.
class BlockArena {
 public:
  BlockArena() = default;
  ~BlockArena();
  BlockArena(BlockArena&& other) noexcept { swap(other); }
  BlockArena& operator=(BlockArena&& other) noexcept {
    BlockArena(std::move(other)).swap(*this);
    return *this;
  }

  // REQUIRES: alignment is a power of two, at most that of max_align_t. More than a large page gets
  // a block of its own.
  void* take(std::size_t bytes, std::size_t alignment);
  std::size_t memory_bytes() const { return memory_bytes_; }  // of all blocks

 private:
  struct Block {
    void* memory = nullptr;
    std::size_t bytes = 0;
  };
  void swap(BlockArena& other) noexcept {
    blocks_.swap(other.blocks_);
    std::swap(used_, other.used_);
    std::swap(memory_bytes_, other.memory_bytes_);
  }

  std::vector<Block> blocks_;
  std::size_t used_ = 0;  // of the last block
  std::size_t memory_bytes_ = 0;
};

}  // namespace ficus
