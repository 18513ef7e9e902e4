#include "rules/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace ficus::rules {
namespace {

char fold_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Edits (insert, delete, replace, swap of neighbours) from one word to the other: the optimal
// string alignment distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = fold_case(a[i - 1]) == fold_case(b[j - 1]);
      current[j] =
          std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

}  // namespace

std::uint32_t line_of(std::string_view text, std::uint32_t offset) {
  const std::string_view before = text.substr(0, offset);
  return 1 + static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n'));
}

std::string place(std::string_view file, std::string_view text, std::uint32_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  std::size_t column = 1;
  for (const char c : before.substr(line_begin)) {
    if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++column;
  }
  return fmt::format("{}:{}:{}", file, line_of(text, offset), column);
}

std::string suggestion(std::string_view name, std::span<const std::string> candidates) {
  constexpr std::size_t kComparedMax = 120;
  if (name.size() > kComparedMax) return {};
  std::size_t best = 1 + std::max<std::size_t>(1, name.size() / 3);
  const std::string* found = nullptr;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kComparedMax) continue;
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best) {
      best = distance;
      found = &candidate;
    }
  }
  return found == nullptr ? std::string() : fmt::format(": did you mean '{}'?", *found);
}

}  // namespace ficus::rules
