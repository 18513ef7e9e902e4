#include "codec/json/ndjson.h"

#include "base/check.h"

namespace ficus::json {

void NdjsonSplitter::feed(std::string_view chunk) {
  FICUS_CHECK(chunk_.empty());
  chunk_ = chunk;
}

std::optional<NdjsonSplitter::Line> NdjsonSplitter::next() {
  if (begun_used_) {
    begun_.clear();
    begun_used_ = false;
  }
  while (!chunk_.empty()) {
    const std::size_t newline = chunk_.find('\n');
    const bool is_whole = newline != std::string_view::npos;
    const std::string_view piece = chunk_.substr(0, newline);
    chunk_.remove_prefix(is_whole ? newline + 1 : chunk_.size());
    std::optional<Line> line;
    if (begun_.empty() && is_whole && !is_skipping_) {
      line = accept(piece.substr(0, line_bytes_max_), piece.size() > line_bytes_max_);
    } else {
      const std::size_t room = line_bytes_max_ - begun_.size();
      if (piece.size() > room) is_skipping_ = true;
      begun_.append(piece.substr(0, room));
      if (!is_whole) return std::nullopt;
      line = accept(begun_, is_skipping_);
      is_skipping_ = false;
      if (line) {
        begun_used_ = true;
      } else {
        begun_.clear();
      }
    }
    if (line) return line;
  }
  return std::nullopt;
}

std::optional<NdjsonSplitter::Line> NdjsonSplitter::finish() {
  FICUS_CHECK(chunk_.empty());
  if (begun_used_) begun_.clear();
  const std::optional<Line> line = accept(begun_, is_skipping_);
  is_skipping_ = false;
  begun_used_ = true;
  return line;
}

std::optional<NdjsonSplitter::Line> NdjsonSplitter::accept(std::string_view line,
                                                           bool is_too_long) {
  if (!is_too_long && line.ends_with('\r')) line.remove_suffix(1);
  if (!is_too_long && line.find_first_not_of(" \t\r") == std::string_view::npos) {
    return std::nullopt;
  }
  return Line{line, is_too_long};
}

}  // namespace ficus::json
