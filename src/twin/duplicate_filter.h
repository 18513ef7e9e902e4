#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/large_pages.h"

namespace ficus::twin {

// A set of 64-bit fingerprints; grows by doubling, keeps its memory when cleared.
class FingerprintSet {
 public:
  FingerprintSet();
  std::size_t size() const { return size_; }
  bool contains(std::uint64_t fingerprint) const;
  bool insert(std::uint64_t fingerprint);  // false if it was there
  void clear();
  // Replaces the content. REQUIRES: distinct, none is 0.
  void assign(std::span<const std::uint64_t> fingerprints);
  void prefetch(std::uint64_t fingerprint) const {
    __builtin_prefetch(&slots_[fingerprint >> shift_]);
  }
  std::vector<std::uint64_t> sorted() const;
  std::size_t memory_bytes() const { return slots_.capacity() * sizeof(std::uint64_t); }

 private:
  void grow();

  LargeVector<std::uint64_t> slots_;  // a power of two; 0 is empty
  int shift_ = 0;                     // 64 - log2(slots)
  std::size_t size_ = 0;
};

// Recognises fingerprints seen in the last `window_rows` rows, in two generations: when the present
// one has seen that many rows it becomes the former, and the former is forgotten. So a fingerprint
// is remembered for at least `window_rows` rows and at most twice as many, in bounded memory. Two
// different rows share a fingerprint with a probability below 2^-42 a row at the default window.
class DuplicateFilter {
 public:
  // REQUIRES: window_rows >= 1.
  explicit DuplicateFilter(std::size_t window_rows) : window_rows_(window_rows) {}

  // Counts a row. True if its fingerprint is remembered already; it is from now on anyway.
  bool is_repeated(std::uint64_t fingerprint);
  void prefetch(std::uint64_t fingerprint) const {
    present_.prefetch(fingerprint);
    former_.prefetch(fingerprint);
  }

  // For snapshots.
  std::size_t present_rows() const { return present_rows_; }
  const FingerprintSet& present() const { return present_; }
  const FingerprintSet& former() const { return former_; }
  void restore(std::size_t present_rows, std::span<const std::uint64_t> present,
               std::span<const std::uint64_t> former);

  std::size_t memory_bytes() const { return present_.memory_bytes() + former_.memory_bytes(); }

 private:
  std::size_t window_rows_;
  std::size_t present_rows_ = 0;
  FingerprintSet present_;
  FingerprintSet former_;
};

}  // namespace ficus::twin
