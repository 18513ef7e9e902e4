#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace ficus::rules {

// Memory for texts that instructions make, given back all at once. What was handed out stays where
// it is until reset().
class TextArena {
 public:
  static constexpr std::size_t kBlockBytes = 64 * 1024;
  static constexpr std::size_t kBytesMax = 16 << 20;  // between two resets

  // Memory for `bytes` characters, or null if the limit is reached.
  char* allocate(std::size_t bytes);
  void reset();
  std::size_t bytes() const { return block_bytes_; }

 private:
  struct Block {
    std::unique_ptr<char[]> memory;
    std::size_t size = 0;
    std::size_t used = 0;
  };
  std::vector<Block> blocks_;
  std::size_t current_ = 0;
  std::size_t block_bytes_ = 0;
};

}  // namespace ficus::rules
