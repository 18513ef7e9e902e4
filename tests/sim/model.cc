#include "model.h"

#include <fmt/format.h>

#include <algorithm>

namespace ficus::sim {

std::string destination_of(std::uint64_t sighting) { return fmt::format("{:020}", sighting); }

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace ficus::sim
