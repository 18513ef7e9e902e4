#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "simulate/byte_source.h"

namespace ficus::simulate {

// Records of comma-separated values (RFC 4180): quotes, doubled quotes and line ends within them;
// the first record names the columns. A record may have fewer cells than columns (the others are
// empty), not more. Empty lines are skipped, as is a byte order mark.
class CsvReader {
 public:
  static constexpr std::size_t kRecordBytesMax = std::size_t{1} << 20;
  static constexpr std::size_t kColumnsMax = 10'000;

  explicit CsvReader(ByteSource& source) : source_(source) {}

  // Reads the names. REQUIRES: called once, before `next`. An empty file is an error.
  Status read_header();
  const std::vector<std::string>& columns() const { return columns_; }

  // False: the end. `cells` has one for each column. Errors name the line.
  Result<bool> next(std::vector<std::string>& cells);

 private:
  Result<bool> read_record(std::vector<std::string>& cells);
  Result<int> next_byte();  // -1: the end
  std::unexpected<Error> mistake(std::string_view what) const;

  ByteSource& source_;
  std::vector<std::string> columns_;
  std::vector<std::byte> buffer_;
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  int ahead_ = -2;  // a byte read too early; -2: none
  std::uint64_t line_ = 1;
};

// Appends the record as one JSON object: a number if the cell is wholly a number, null if it is
// empty, else a text.
void append_json(const std::vector<std::string>& columns, const std::vector<std::string>& cells,
                 std::string& out);

}  // namespace ficus::simulate
