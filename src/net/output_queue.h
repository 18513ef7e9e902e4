#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ficus::net {

class LoopCore;

// Bytes waiting to be written, in blocks that the loop's connections share. Holds no memory while
// empty. For this module only.
class OutputQueue {
 public:
  void append(LoopCore& loop, std::string_view bytes);
  void append_block(LoopCore& loop, std::string&& block);
  // Fills `out` with the front of the queue; returns how many entries.
  std::size_t gather(std::span<iovec> out) const;
  // REQUIRES: bytes <= size().
  void drop(LoopCore& loop, std::size_t bytes);
  void clear(LoopCore& loop);
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kMoveBytesMin =
      4096;  // below, a copy is cheaper than a block of its own

  std::vector<std::string> blocks_;
  std::size_t head_ = 0;  // bytes of the first block already written
  std::size_t size_ = 0;
};

}  // namespace ficus::net
