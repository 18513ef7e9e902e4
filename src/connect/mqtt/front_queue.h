#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "base/check.h"

namespace ficus::connect {

// A queue with access to every element, for what exists ten thousand times and is mostly empty: it
// holds no memory while it is (a std::deque holds 576 bytes). Taking off at the front, and erasing
// near either end, is cheap. Iterators end with the next change.
template <typename T>
class FrontQueue {
 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size() - head_; }
  iterator begin() { return items_.data() + head_; }
  iterator end() { return items_.data() + items_.size(); }
  const_iterator begin() const { return items_.data() + head_; }
  const_iterator end() const { return items_.data() + items_.size(); }
  auto rbegin() const { return std::make_reverse_iterator(end()); }
  auto rend() const { return std::make_reverse_iterator(begin()); }
  // REQUIRES: there is one.
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return items_.back(); }
  const T& back() const { return items_.back(); }
  T& operator[](std::size_t index) { return items_[head_ + index]; }
  const T& operator[](std::size_t index) const { return items_[head_ + index]; }

  void push_back(T item) { items_.push_back(std::move(item)); }
  void pop_front() {
    items_[head_] = T();  // lets go of what it holds
    ++head_;
    if (head_ == items_.size()) return clear();
    if (head_ >= kDeadMin && head_ >= size()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }
  // REQUIRES: `at` is an element of this queue.
  void erase(iterator at) {
    FICUS_DCHECK(at >= begin() && at < end());
    if (at - begin() < end() - at) {
      std::move_backward(begin(), at, at + 1);
      pop_front();
    } else {
      items_.erase(items_.begin() + (at - items_.data()));
      if (size() == 0) clear();
    }
  }
  void clear() {
    std::vector<T>().swap(items_);
    head_ = 0;
  }
  void swap(FrontQueue& other) noexcept {
    items_.swap(other.items_);
    std::swap(head_, other.head_);
  }

 private:
  static constexpr std::size_t kDeadMin = 16;

  std::vector<T> items_;
  std::size_t head_ = 0;  // those before it have been taken off; 0 if there is none
};

}  // namespace ficus::connect
