#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/csv/csv_splitter.h"
#include "codec/csv/text_encoding.h"
#include "connect/mapping/connector.h"

namespace ficus::connect {

// The records of comma-separated values as JSON objects, one item each; the first record names the
// columns unless the declaration does. A record with fewer cells than columns lacks the others, one
// with more is damaged, as is one that is not in the encoding.
class CsvItems {
 public:
  enum class Step : std::uint8_t { item, damaged, needs_more, end };

  static Result<CsvItems> open(const CsvFormat& format);

  void feed(std::string_view piece) { splitter_.feed(piece); }
  void finish() { splitter_.finish(); }
  // Goes on behind `position`. REQUIRES: the names of the columns have been read already
  // (has_columns).
  void go_on_at(std::uint64_t position, std::uint64_t line);

  Step next();
  bool has_columns() const { return has_columns_; }

  // Valid until the next call.
  const std::string& item() const { return item_; }
  std::string_view raw() const { return splitter_.raw(); }
  const std::string& problem() const { return problem_; }  // "line 7: ..."

  std::uint64_t position() const { return splitter_.position(); }
  std::uint64_t line() const { return splitter_.line(); }

 private:
  CsvItems(char delimiter, csv::TextDecoder decoder, std::vector<std::string> columns);
  bool decode();
  Step damage(std::string_view what);

  char delimiter_;
  csv::CsvSplitter splitter_;
  csv::TextDecoder decoder_;
  std::vector<std::string> columns_;
  bool has_columns_ = false;
  bool are_columns_damaged_ = false;
  std::vector<std::string> cells_;
  std::string item_;
  std::string problem_;
};

}  // namespace ficus::connect
