#include "simulate/csv_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "codec/json/json_writer.h"

namespace ficus::simulate {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::optional<double> as_number(std::string_view cell) {
  double value = 0;
  const auto [end, fault] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (fault != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value)) return {};
  return value;
}

}  // namespace

std::unexpected<Error> CsvReader::mistake(std::string_view what) const {
  return invalid(fmt::format("line {}: {}", line_, what));
}

Result<int> CsvReader::next_byte() {
  if (ahead_ != -2) return std::exchange(ahead_, -2);
  if (at_ == size_) {
    buffer_.resize(kChunkBytes);
    FICUS_TRY(size_, source_.read(buffer_));
    at_ = 0;
    if (size_ == 0) return -1;
  }
  return std::to_integer<int>(buffer_[at_++]);
}

// One record; no cells: the end, or an empty line.
Result<bool> CsvReader::read_record(std::vector<std::string>& cells) {
  cells.clear();
  std::string cell;
  std::size_t bytes = 0;
  bool is_quoted = false;   // inside quotes
  bool was_quoted = false;  // the cell began with a quote
  while (true) {
    FICUS_TRY(const int c, next_byte());
    if (++bytes > kRecordBytesMax) return mistake("the record is longer than 1 MiB");
    if (is_quoted) {
      if (c == -1) return mistake("the file ends within quotes");
      if (c == '\n') ++line_;
      if (c != '"') {
        cell += static_cast<char>(c);
        continue;
      }
      FICUS_TRY(const int after, next_byte());
      if (after == '"') {
        cell += '"';
        continue;
      }
      ahead_ = after;
      is_quoted = false;
      continue;
    }
    if (c == '\r') {  // of a line end, or lost
      FICUS_TRY(const int after, next_byte());
      ahead_ = after;
      if (after == '\n' || after == -1) continue;
    }
    if (c == ',' || c == '\n' || c == -1) {
      const bool is_empty_line = c != ',' && cells.empty() && cell.empty() && !was_quoted;
      if (!is_empty_line) cells.push_back(std::move(cell));
      if (cells.size() > kColumnsMax) return mistake("more than 10000 cells");
      cell.clear();
      was_quoted = false;
      if (c == ',') continue;
      if (c == '\n') ++line_;
      return c != -1 || !cells.empty();
    }
    if (c == '"' && cell.empty() && !was_quoted) {
      is_quoted = true;
      was_quoted = true;
      continue;
    }
    if (was_quoted) return mistake("expected a comma or the end of the line after the quote");
    cell += static_cast<char>(c);
  }
}

Status CsvReader::read_header() {
  while (columns_.empty()) {
    FICUS_TRY(const bool is_there, read_record(columns_));
    if (!is_there) return mistake("expected a line with the names of the columns");
  }
  if (columns_[0].starts_with(kByteOrderMark)) columns_[0].erase(0, kByteOrderMark.size());
  return {};
}

Result<bool> CsvReader::next(std::vector<std::string>& cells) {
  do {
    FICUS_TRY(const bool is_there, read_record(cells));
    if (!is_there) return false;
  } while (cells.empty());
  if (cells.size() > columns_.size()) {
    return mistake(fmt::format("{} cells, but {} columns", cells.size(), columns_.size()));
  }
  cells.resize(columns_.size());
  return true;
}

void append_json(const std::vector<std::string>& columns, const std::vector<std::string>& cells,
                 std::string& out) {
  json::JsonWriter json(out);
  json.begin_object();
  for (std::size_t i = 0; i < columns.size() && i < cells.size(); ++i) {
    json.key(columns[i]);
    if (cells[i].empty()) {
      json.null();
    } else if (const auto number = as_number(cells[i])) {
      json.number(*number);
    } else {
      json.text(cells[i]);
    }
  }
  json.end_object();
}

}  // namespace ficus::simulate
