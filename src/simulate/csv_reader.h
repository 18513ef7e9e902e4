#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/csv/csv_splitter.h"
#include "simulate/byte_source.h"

namespace ficus::simulate {

// The records of a CSV file whose first record names the columns. A record may have fewer cells
// than columns (the others are empty), not more. Empty lines are skipped, as is a byte order mark.
class CsvReader {
 public:
  explicit CsvReader(ByteSource& source) : source_(source) {}

  // Reads the names. REQUIRES: called once, before `next`. An empty file is an error.
  Status read_header();
  const std::vector<std::string>& columns() const { return columns_; }

  // False: the end. `cells` has one for each column. Errors name the line.
  Result<bool> next(std::vector<std::string>& cells);

 private:
  Result<bool> read_record(std::vector<std::string>& cells);
  std::unexpected<Error> mistake(std::uint64_t line, std::string_view what) const;

  ByteSource& source_;
  csv::CsvSplitter splitter_;
  std::vector<std::string> columns_;
  std::vector<std::byte> buffer_;
};

}  // namespace ficus::simulate
