#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>  // IWYU pragma: keep (declares std::hash, far lighter than <functional>)

namespace ficus {

// A handle that cannot be swapped with another kind of handle: an index into a table of its owner.
template <typename Tag>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(std::uint32_t index) : index_(index) {}

  static constexpr StrongId none() { return StrongId(); }
  constexpr bool is_none() const { return index_ == kNone; }
  constexpr std::uint32_t index() const { return index_; }

  friend constexpr auto operator<=>(StrongId, StrongId) = default;

 private:
  static constexpr std::uint32_t kNone = 0xffffffffU;
  std::uint32_t index_ = kNone;
};

}  // namespace ficus

template <typename Tag>
struct std::hash<ficus::StrongId<Tag>> {
  std::size_t operator()(ficus::StrongId<Tag> id) const noexcept {
    return std::size_t{id.index()} * 0x9e3779b97f4a7c15ULL;
  }
};
