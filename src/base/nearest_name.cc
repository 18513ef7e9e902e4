#include "base/nearest_name.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace ficus {
namespace {

constexpr std::size_t kNameMax = 40;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// An edit's cost. Two swapped neighbours are the likeliest slip, so they are cheaper.
constexpr std::size_t kEdit = 4;
constexpr std::size_t kSwap = 3;

// Optimal string alignment distance (Damerau-Levenshtein without overlapping swaps), in costs.
// REQUIRES: both of at most kNameMax bytes.
std::size_t distance(std::string_view a, std::string_view b) {
  using Row = std::array<std::size_t, kNameMax + 1>;
  Row before_last{};
  Row last{};
  Row row{};
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j * kEdit;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last = last;
    last = row;
    row[0] = i * kEdit;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + kEdit, row[j - 1] + kEdit, last[j - 1] + (same ? 0 : kEdit)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + kSwap);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view wrong, std::span<const std::string_view> names) {
  std::string_view nearest;
  // A third of the letters may be wrong, at least one: 'spd' is not 'speed', 'sped' is.
  std::size_t limit = std::max<std::size_t>(1, wrong.size() / 3) * kEdit + 1;
  if (wrong.size() > kNameMax) return {};
  for (const std::string_view name : names) {
    if (name.size() > kNameMax) continue;
    const std::size_t d = distance(wrong, name);
    if (d < limit && d < name.size() * kEdit) {
      limit = d;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace ficus
