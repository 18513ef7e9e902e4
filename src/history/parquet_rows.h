#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace ficus::history {

// The rows of one Parquet file that somebody else wrote, as JSON objects in the file's order: times
// as "2026-11-23 08:15:00", structures and lists as such. A database of its own in memory, apart
// from the store, with bounds. One thread at a time.
class ParquetRows {
 public:
  // Begins with row `first`, from 0. `invalid_input` if it is no (whole) Parquet file.
  static Result<std::unique_ptr<ParquetRows>> open(const std::string& path, std::uint64_t first);
  ~ParquetRows();
  ParquetRows(const ParquetRows&) = delete;
  ParquetRows& operator=(const ParquetRows&) = delete;

  // False: the end. Replaces `json`.
  Result<bool> next(std::string& json);

 private:
  struct Parts;
  explicit ParquetRows(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace ficus::history
