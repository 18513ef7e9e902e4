#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace ficus::history {

// A column, or a part of one, as an Arrow stream describes it.
struct ArrowColumn {
  std::string name;
  std::string type;  // "int32", "timestamp us UTC", "decimal 9,2 of 128 bits", "sparse union 0,1"
  bool is_nullable = false;
  std::vector<ArrowColumn> children;
  int tag = 0;   // number in the union Type
  int bits = 0;  // of a number
  bool is_signed = true;
  int scale = 0;      // of a decimal
  int list_size = 0;  // of a list of fixed size; of binary values of fixed size, their bytes
};

struct ArrowRecords {
  std::int64_t length = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> nodes;    // length, null count
  std::vector<std::pair<std::int64_t, std::int64_t>> buffers;  // offset, length
  std::string body;
};

struct ArrowStream {
  std::vector<ArrowColumn> columns;
  std::vector<ArrowRecords> batches;
  bool has_end = false;  // the mark, and nothing behind it
};

// Reads a stream as the format's documents say (Columnar.html; Schema.fbs, Message.fbs), knowing
// nothing of the code that writes it. Every bound and every alignment is checked.
Result<ArrowStream> read_arrow_stream(std::string_view bytes);

// The rows of all batches, cells joined by '|', NULL for null; times, dates and decimals as the
// whole numbers that stand there.
Result<std::vector<std::string>> arrow_rows(const ArrowStream& stream);

}  // namespace ficus::history
