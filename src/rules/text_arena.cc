#include "rules/text_arena.h"

#include <algorithm>

namespace ficus::rules {

char* TextArena::allocate(std::size_t bytes) {
  while (current_ < blocks_.size()) {
    Block& block = blocks_[current_];
    if (block.size - block.used >= bytes) {
      char* memory = block.memory.get() + block.used;
      block.used += bytes;
      return memory;
    }
    ++current_;
  }
  const std::size_t size = std::max(bytes, kBlockBytes);
  if (bytes > kBytesMax || block_bytes_ + size > kBytesMax) {
    current_ = blocks_.empty() ? 0 : blocks_.size() - 1;
    return nullptr;
  }
  blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size, bytes});
  current_ = blocks_.size() - 1;
  block_bytes_ += size;
  return blocks_.back().memory.get();
}

void TextArena::reset() {
  // Oversized blocks were for unusual texts: do not keep them.
  std::erase_if(blocks_, [](const Block& block) { return block.size > kBlockBytes; });
  block_bytes_ = 0;
  for (Block& block : blocks_) {
    block.used = 0;
    block_bytes_ += block.size;
  }
  current_ = 0;
}

}  // namespace ficus::rules
