#pragma once

#include <cstddef>
#include <cstring>
#include <span>

namespace ficus::mqtt {

// Borrowed bytes, compared by content.
struct Bytes : std::span<const std::byte> {
  using std::span<const std::byte>::span;
  constexpr Bytes(std::span<const std::byte> other)  // NOLINT: a span is bytes
      : std::span<const std::byte>(other) {}

  friend bool operator==(Bytes a, Bytes b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
  }
};

}  // namespace ficus::mqtt
