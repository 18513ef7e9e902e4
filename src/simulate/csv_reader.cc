#include "simulate/csv_reader.h"

#include <fmt/format.h>

namespace ficus::simulate {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

std::unexpected<Error> CsvReader::mistake(std::uint64_t line, std::string_view what) const {
  return invalid(fmt::format("line {}: {}", line, what));
}

Result<bool> CsvReader::read_record(std::vector<std::string>& cells) {
  while (true) {
    switch (splitter_.next()) {
      case csv::CsvSplitter::Step::record:
        cells = splitter_.cells();
        return true;
      case csv::CsvSplitter::Step::damaged:
        return mistake(splitter_.record_line(), splitter_.problem());
      case csv::CsvSplitter::Step::end:
        return false;
      case csv::CsvSplitter::Step::needs_more:
        break;
    }
    buffer_.resize(kChunkBytes);
    FICUS_TRY(const std::size_t count, source_.read(buffer_));
    if (count == 0) {
      splitter_.finish();
    } else {
      splitter_.feed({reinterpret_cast<const char*>(buffer_.data()), count});
    }
  }
}

Status CsvReader::read_header() {
  FICUS_TRY(const bool is_there, read_record(columns_));
  if (!is_there) return mistake(1, "expected a line with the names of the columns");
  if (columns_[0].starts_with(kByteOrderMark)) columns_[0].erase(0, kByteOrderMark.size());
  return {};
}

Result<bool> CsvReader::next(std::vector<std::string>& cells) {
  FICUS_TRY(const bool is_there, read_record(cells));
  if (!is_there) return false;
  if (cells.size() > columns_.size()) {
    return mistake(splitter_.record_line(),
                   fmt::format("{} cells, but {} columns", cells.size(), columns_.size()));
  }
  cells.resize(columns_.size());
  return true;
}

}  // namespace ficus::simulate
