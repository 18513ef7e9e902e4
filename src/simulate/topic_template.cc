#include "simulate/topic_template.h"

#include <fmt/format.h>

#include <algorithm>

namespace ficus::simulate {

Result<TopicTemplate> TopicTemplate::parse(std::string_view text) {
  TopicTemplate result;
  if (text.empty()) return invalid("expected a topic");
  while (!text.empty()) {
    const bool is_place = text.front() == '{';
    const std::size_t end = text.find(is_place ? '}' : '{');
    if (is_place && end == std::string_view::npos) return invalid("the topic lacks a '}'");
    std::string_view piece = text.substr(0, end);
    if (is_place) {
      piece.remove_prefix(1);
      if (piece.empty()) return invalid("expected a column between '{' and '}'");
    } else if (piece.find_first_of("+#}") != std::string_view::npos) {
      return invalid("a topic to publish to holds no '+', '#' or lone '}'");
    }
    result.pieces_.push_back({std::string(piece), is_place, 0});
    if (end == std::string_view::npos) break;
    text.remove_prefix(is_place ? end + 1 : end);
  }
  return result;
}

Status TopicTemplate::bind(const std::vector<std::string>& columns) {
  for (Piece& piece : pieces_) {
    if (!piece.is_place) continue;
    const auto found = std::find(columns.begin(), columns.end(), piece.text);
    if (found == columns.end()) {
      std::string known;
      for (const std::string& column : columns) known += (known.empty() ? "" : ", ") + column;
      return invalid(fmt::format("there is no column '{}' among {}", piece.text, known));
    }
    piece.column = static_cast<std::size_t>(found - columns.begin());
  }
  return {};
}

std::string TopicTemplate::fill(const std::vector<std::string>& cells) const {
  std::string topic;
  for (const Piece& piece : pieces_) {
    if (!piece.is_place) {
      topic += piece.text;
      continue;
    }
    const std::string& cell = cells[piece.column];
    if (cell.empty()) topic += '_';
    for (const char c : cell) {
      topic += c == '/' || c == '+' || c == '#' || c == '\0' ? '_' : c;
    }
  }
  return topic;
}

}  // namespace ficus::simulate
