#include "net/output_queue.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "net/loop_core.h"

namespace ficus::net {

void OutputQueue::append(LoopCore& loop, std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    if (blocks_.empty() || blocks_.back().size() == blocks_.back().capacity()) {
      blocks_.push_back(loop.take_block());
    }
    std::string& tail = blocks_.back();
    const std::size_t part = std::min(bytes.size(), tail.capacity() - tail.size());
    tail.append(bytes.substr(0, part));
    bytes.remove_prefix(part);
  }
}

void OutputQueue::append_block(LoopCore& loop, std::string&& block) {
  if (block.size() < kMoveBytesMin) {
    append(loop, block);
    block.clear();
    return;
  }
  size_ += block.size();
  blocks_.emplace_back().swap(block);
}

std::size_t OutputQueue::gather(std::span<iovec> out) const {
  const std::size_t count = std::min(out.size(), blocks_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t skipped = i == 0 ? head_ : 0;
    out[i].iov_base = const_cast<char*>(blocks_[i].data() + skipped);  // only read by writev
    out[i].iov_len = blocks_[i].size() - skipped;
  }
  return count;
}

void OutputQueue::drop(LoopCore& loop, std::size_t bytes) {
  FICUS_CHECK(bytes <= size_);
  size_ -= bytes;
  std::size_t whole = 0;
  bytes += head_;
  while (whole < blocks_.size() && bytes >= blocks_[whole].size()) {
    bytes -= blocks_[whole].size();
    loop.give_block(std::move(blocks_[whole]));
    ++whole;
  }
  head_ = bytes;
  blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(whole));
  if (blocks_.empty()) blocks_.shrink_to_fit();
}

void OutputQueue::clear(LoopCore& loop) { drop(loop, size_); }

}  // namespace ficus::net
