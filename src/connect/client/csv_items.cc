#include "connect/client/csv_items.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "codec/csv/csv_json.h"

namespace ficus::connect {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

CsvItems::CsvItems(char delimiter, csv::TextDecoder decoder, std::vector<std::string> columns)
    : delimiter_(delimiter),
      splitter_(delimiter),
      decoder_(std::move(decoder)),
      columns_(std::move(columns)),
      has_columns_(!columns_.empty()) {}

Result<CsvItems> CsvItems::open(const CsvFormat& format) {
  FICUS_TRY(csv::TextDecoder decoder, csv::TextDecoder::open(format.encoding));
  return CsvItems(format.delimiter, std::move(decoder), format.columns);
}

void CsvItems::go_on_at(std::uint64_t position, std::uint64_t line) {
  splitter_ = csv::CsvSplitter(delimiter_);
  splitter_.start_at(position, line);
}

bool CsvItems::decode() {
  cells_ = splitter_.cells();
  return std::ranges::all_of(cells_, [this](std::string& cell) { return decoder_.decode(cell); });
}

CsvItems::Step CsvItems::damage(std::string_view what) {
  problem_ = fmt::format("line {}: {}", splitter_.record_line(), what);
  return Step::damaged;
}

CsvItems::Step CsvItems::next() {
  while (true) {
    switch (splitter_.next()) {
      case csv::CsvSplitter::Step::needs_more:
        return Step::needs_more;
      case csv::CsvSplitter::Step::end:
        return Step::end;
      case csv::CsvSplitter::Step::damaged:
        are_columns_damaged_ = are_columns_damaged_ || !has_columns_;
        has_columns_ = true;
        return damage(splitter_.problem());
      case csv::CsvSplitter::Step::record:
        break;
    }
    const bool is_text = decode();
    if (!has_columns_) {
      has_columns_ = true;
      are_columns_damaged_ = !is_text;
      if (!is_text) return damage("the names of the columns are not in the declared encoding");
      columns_ = cells_;
      if (columns_[0].starts_with(kByteOrderMark)) columns_[0].erase(0, kByteOrderMark.size());
      continue;
    }
    if (are_columns_damaged_) return damage("the names of the columns could not be read");
    if (!is_text) return damage("not in the declared encoding");
    if (cells_.size() > columns_.size()) {
      return damage(fmt::format("{} cells, but {} columns", cells_.size(), columns_.size()));
    }
    item_.clear();
    csv::append_json(columns_, cells_, item_);
    return Step::item;
  }
}

}  // namespace ficus::connect
