#include "twin/duplicate_filter.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/planted.h"

namespace ficus::twin {
namespace {

constexpr std::size_t kSlotsMin = 1024;

// 0 marks an empty slot; the fingerprint 0 shares the place of 1.
std::uint64_t stored(std::uint64_t fingerprint) { return fingerprint == 0 ? 1 : fingerprint; }

}  // namespace

FingerprintSet::FingerprintSet() : slots_(kSlotsMin), shift_(64 - std::countr_zero(kSlotsMin)) {}

bool FingerprintSet::contains(std::uint64_t fingerprint) const {
  fingerprint = stored(fingerprint);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = fingerprint >> shift_;; slot = (slot + 1) & mask) {
    if (slots_[slot] == fingerprint) return true;
    if (slots_[slot] == 0) return false;
  }
}

bool FingerprintSet::insert(std::uint64_t fingerprint) {
  fingerprint = stored(fingerprint);
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = fingerprint >> shift_;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if (slots_[slot] == fingerprint) return false;
  }
  slots_[slot] = fingerprint;
  if (++size_ * 2 > slots_.size()) grow();
  return true;
}

void FingerprintSet::clear() {
  std::ranges::fill(slots_, 0);
  size_ = 0;
}

void FingerprintSet::assign(std::span<const std::uint64_t> fingerprints) {
  clear();
  // Room first: ascending fingerprints would crowd the front of a table that is still to grow.
  while (fingerprints.size() * 2 > slots_.size()) grow();
  for (const std::uint64_t fingerprint : fingerprints) insert(fingerprint);
}

void FingerprintSet::grow() {
  const LargeVector<std::uint64_t> old = std::move(slots_);
  slots_.assign(old.size() * 2, 0);
  --shift_;
  const std::size_t mask = slots_.size() - 1;
  for (const std::uint64_t fingerprint : old) {
    if (fingerprint == 0) continue;
    std::size_t slot = fingerprint >> shift_;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = fingerprint;
  }
}

std::vector<std::uint64_t> FingerprintSet::sorted() const {
  std::vector<std::uint64_t> out;
  out.reserve(size_);
  // The home of a fingerprint is its upper bits, so the slots are nearly in order already, but for
  // those that wrapped around the end; then an insertion sort has next to nothing to do.
  std::vector<std::uint64_t> wrapped;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    const std::uint64_t fingerprint = slots_[slot];
    if (fingerprint == 0) continue;
    ((fingerprint >> shift_) > slot ? wrapped : out).push_back(fingerprint);
  }
  out.insert(out.end(), wrapped.begin(), wrapped.end());
  for (std::size_t i = 1; i < out.size(); ++i) {
    const std::uint64_t fingerprint = out[i];
    std::size_t k = i;
    for (; k > 0 && out[k - 1] > fingerprint; --k) out[k] = out[k - 1];
    out[k] = fingerprint;
  }
  return out;
}

bool DuplicateFilter::is_repeated(std::uint64_t fingerprint) {
  if (present_rows_ >= window_rows_) {
    std::swap(present_, former_);
    present_.clear();
    present_rows_ = 0;
  }
  ++present_rows_;
  return !present_.insert(fingerprint) || former_.contains(fingerprint);
}

void DuplicateFilter::restore(std::size_t present_rows, std::span<const std::uint64_t> present,
                              std::span<const std::uint64_t> former) {
  if (FICUS_PLANTED(forget_duplicates_at_restart)) return;
  present_rows_ = present_rows;
  present_.assign(present);
  former_.assign(former);
}

}  // namespace ficus::twin
