#include "codec/csv/csv_splitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ficus::csv {

void CsvSplitter::begin_record() {
  is_new_ = false;
  state_ = State::cell_start;
  cells_.clear();
  cell_.clear();
  raw_.clear();
  problem_.clear();
  record_bytes_ = 0;
  record_newlines_ = 0;
  record_line_ = line_;
}

void CsvSplitter::end_cell() {
  cells_.push_back(std::move(cell_));
  cell_.clear();
  state_ = State::cell_start;
  if (cells_.size() > kColumnsMax) damage(fmt::format("more than {} cells", kColumnsMax));
}

void CsvSplitter::damage(std::string problem) {
  problem_ = std::move(problem);
  state_ = State::skipping;
}

// Bytes from the front of the piece that belong to the present cell as they are.
std::size_t CsvSplitter::take_run() {
  std::size_t count = 0;
  if (state_ == State::quoted) {
    count = std::min(piece_.find('"'), piece_.size());
    record_newlines_ += static_cast<std::uint64_t>(
        std::count(piece_.begin(), piece_.begin() + static_cast<std::ptrdiff_t>(count), '\n'));
  } else if (state_ == State::unquoted) {
    while (count < piece_.size() && piece_[count] != delimiter_ && piece_[count] != '\n' &&
           piece_[count] != '\r') {
      ++count;
    }
  }
  count = std::min<std::size_t>(
      count, kRecordBytesMax - std::min<std::size_t>(kRecordBytesMax, record_bytes_));
  cell_.append(piece_.substr(0, count));
  return count;
}

bool CsvSplitter::take(char c) {
  switch (state_) {
    case State::cell_start:
      if (c == '"') {
        state_ = State::quoted;
        return false;
      }
      state_ = State::unquoted;
      [[fallthrough]];
    case State::unquoted:
      if (c == '\n') {
        if (cell_.ends_with('\r')) cell_.pop_back();
        end_cell();
        return true;
      }
      if (c == delimiter_) {
        end_cell();
      } else {
        cell_ += c;
      }
      return false;
    case State::quoted:
      if (c == '\n') ++record_newlines_;
      if (c == '"') {
        state_ = State::quote_in_quoted;
      } else {
        cell_ += c;
      }
      return false;
    case State::quote_in_quoted:
      if (c == '"') {
        cell_ += c;
        state_ = State::quoted;
        return false;
      }
      [[fallthrough]];
    case State::after_quoted:
      if (c == '\n' || (c == delimiter_ && state_ == State::quote_in_quoted)) {
        end_cell();
        return c == '\n';
      }
      if (c == '\r' && state_ == State::quote_in_quoted) {
        state_ = State::after_quoted;
      } else {
        damage("expected the delimiter or the end of the line after the closing quote");
      }
      return false;
    case State::skipping:
      return c == '\n';
  }
  std::unreachable();
}

CsvSplitter::Step CsvSplitter::end_record() {
  is_new_ = true;
  position_ += record_bytes_;
  line_ += record_newlines_;
  while (raw_.ends_with('\n') || raw_.ends_with('\r')) raw_.pop_back();
  return problem_.empty() ? Step::record : Step::damaged;
}

CsvSplitter::Step CsvSplitter::next() {
  while (!piece_.empty()) {
    if (is_new_) begin_record();
    std::size_t count = take_run();
    bool is_over = false;
    if (count == 0) {
      is_over = take(piece_[0]);
      if (is_over) ++record_newlines_;
      count = 1;
    }
    if (raw_.size() < kRecordBytesMax) raw_.append(piece_.substr(0, count));
    record_bytes_ += count;
    piece_.remove_prefix(count);
    if (is_over) {
      // An empty line.
      const bool is_empty = problem_.empty() && cells_.size() == 1 && cells_[0].empty() &&
                            raw_.find('"') == std::string::npos;
      const Step step = end_record();
      if (is_empty) continue;
      return step;
    }
    if (record_bytes_ >= kRecordBytesMax && state_ != State::skipping) {
      damage(fmt::format("the record is longer than {} bytes: is a quote not closed?",
                         kRecordBytesMax));
    }
  }
  if (!is_finished_) return Step::needs_more;
  if (is_new_ || has_ended_) return Step::end;
  has_ended_ = true;
  if (state_ == State::quoted) {
    damage("the file ends within quotes");
  } else if (state_ != State::skipping) {
    if (cell_.ends_with('\r') && state_ == State::unquoted) cell_.pop_back();
    end_cell();
  }
  const bool is_empty = problem_.empty() && cells_.size() == 1 && cells_[0].empty() &&
                        raw_.find('"') == std::string::npos;
  const Step step = end_record();
  return is_empty ? Step::end : step;
}

}  // namespace ficus::csv
