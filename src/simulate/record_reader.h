#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/time.h"
#include "simulate/byte_source.h"
#include "simulate/csv_reader.h"

namespace ficus::simulate {

// What is recorded in one file: CSV records or NMEA 0183 lines.
enum class RecordKind : std::uint8_t { csv, nmea };

struct Record {
  std::optional<Timestamp> time;   // nothing: it does not say
  std::vector<std::string> cells;  // of CSV, one for each column
  std::string line;                // of NMEA, without line end
};

// Reads the records of files, one file after the other. A file is NMEA if its first line begins
// with '!', '$' or '\', else CSV if it is named so; others are an error, or passed over in a
// folder.
class RecordReader {
 public:
  // A file, or a folder whose files are read in the order of their names.
  static Result<RecordReader> open(Disk& disk, const std::string& path, std::string time_column);

  // False: the end. After a call that began a new file `is_new_file` is true.
  Result<bool> next(Record& record);
  bool is_new_file() const { return is_new_file_; }
  RecordKind kind() const { return kind_; }
  const std::vector<std::string>& columns() const { return csv_->columns(); }  // REQUIRES: csv
  const std::string& path() const { return paths_[index_ - 1]; }
  const std::vector<std::string>& passed_over() const { return passed_over_; }

 private:
  RecordReader(Disk& disk, std::vector<std::string> paths, std::string time_column, bool is_folder)
      : disk_(&disk),
        paths_(std::move(paths)),
        time_column_(std::move(time_column)),
        is_folder_(is_folder) {}

  Result<bool> open_next();  // false: there is none
  Status begin_file(const std::string& path);
  Result<bool> read(Record& record);

  Disk* disk_;
  std::vector<std::string> paths_;
  std::string time_column_;
  bool is_folder_ = false;
  std::vector<std::string> passed_over_;
  std::size_t index_ = 0;  // of the file after the present one
  bool is_open_ = false;
  bool is_new_file_ = false;
  RecordKind kind_ = RecordKind::csv;
  std::optional<std::size_t> time_index_;
  std::unique_ptr<ByteSource> bytes_;
  std::unique_ptr<CsvReader> csv_;
  std::unique_ptr<LineReader> lines_;
};

// ISO 8601 (UTC unless it says otherwise), or a number of seconds, milliseconds, microseconds or
// nanoseconds since 1970, told apart by its size.
std::optional<Timestamp> parse_record_time(std::string_view text);

}  // namespace ficus::simulate
