#include "net/input_buffer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace ficus::net {

std::span<std::byte> InputBuffer::prepare(std::span<std::byte> shared) {
  FICUS_DCHECK(shared_ == nullptr);
  if (size_ <= kCopyBytesMax && size_ < shared.size()) {
    if (size_ > 0) std::memcpy(shared.data(), storage_.get() + begin_, size_);
    shared_ = shared.data();
    return shared.subspan(size_);
  }
  reserve_tail(kRoomBytesMin);
  return {storage_.get() + begin_ + size_, capacity_ - begin_ - size_};
}

void InputBuffer::reserve_tail(std::size_t bytes) {
  if (capacity_ - begin_ - size_ >= bytes) return;
  const std::size_t needed = size_ + bytes;
  if (needed <= capacity_ / 2) {  // mostly consumed: slide
    std::memmove(storage_.get(), storage_.get() + begin_, size_);
  } else {
    const std::size_t grown = std::max(needed, capacity_ + capacity_ / 2);
    auto storage = std::make_unique_for_overwrite<std::byte[]>(grown);
    if (size_ > 0) std::memcpy(storage.get(), storage_.get() + begin_, size_);
    storage_ = std::move(storage);
    capacity_ = grown;
  }
  begin_ = 0;
}

std::span<const std::byte> InputBuffer::commit(std::size_t bytes) {
  size_ += bytes;
  return view();
}

std::span<const std::byte> InputBuffer::view() {
  if (shared_ != nullptr) return {shared_, size_};
  return {storage_.get() + begin_, size_};
}

void InputBuffer::consume(std::size_t bytes) {
  FICUS_CHECK(bytes <= size_);
  const std::size_t rest = size_ - bytes;
  if (rest == 0) return clear();
  if (shared_ != nullptr) {
    if (rest > capacity_) {
      storage_ = std::make_unique_for_overwrite<std::byte[]>(rest);
      capacity_ = rest;
    }
    std::memcpy(storage_.get(), shared_ + bytes, rest);
    begin_ = 0;
    shared_ = nullptr;
  } else {
    begin_ += bytes;
  }
  size_ = rest;
}

void InputBuffer::clear() {
  storage_.reset();
  capacity_ = begin_ = size_ = 0;
  shared_ = nullptr;
}

}  // namespace ficus::net
