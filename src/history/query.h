#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/time.h"

namespace ficus::history {

// What one cell of an answer holds, in a form that JSON and CSV writers need no further knowledge
// for.
enum class CellKind : std::uint8_t {
  null,
  boolean,
  integer,
  number,   // a double; may be infinite or NaN, which JSON cannot say: write null
  decimal,  // `text` is a number literal, exact (DECIMAL, integers beyond 64 bits)
  text,     // also dates, times of day, intervals, UUIDs; BLOB as printable text with \xHH escapes
  time,     // `text` is ISO 8601 in UTC
  json,     // `text` is JSON: points, structures, lists, maps
};

const char* cell_kind_name(CellKind kind);

struct Cell {
  CellKind kind = CellKind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string_view text;  // valid during the call of the sink only
};

struct ResultColumn {
  std::string name;
  std::string type;  // the SQL type: "DOUBLE", "VARCHAR", "STRUCT(lon DOUBLE, lat DOUBLE)"

  friend bool operator==(const ResultColumn&, const ResultColumn&) = default;
};

// Takes an answer row by row, so that nobody holds it whole. Called by the thread that asks.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void columns(std::span<const ResultColumn> columns) = 0;  // once, before the first row
  // False ends the query early (the client has gone, enough was seen): the answer is `truncated`.
  virtual bool row(std::span<const Cell> cells) = 0;
};

// Takes an answer as bytes of a format. Called by the thread that asks.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  // False ends the query early: the answer is `truncated`.
  virtual bool bytes(std::string_view piece) = 0;
};

struct QueryLimits {
  Micros time_max = Micros::from_seconds(30);  // over all: waiting, executing, delivering
  std::uint64_t rows_max = 100'000;            // then the answer ends and is `truncated`
  // The query is stopped (ErrorCode::overloaded) when all running queries together need more.
  // 0: only the limit of the whole database holds.
  std::uint64_t memory_bytes_max = 0;
  std::size_t sql_bytes_max = 100'000;
  std::uint64_t file_bytes_max = std::uint64_t{1} << 30;  // of an answer as a file: then refused
  std::string user = {};  // who asks: named in messages and lists; "" when there are no users
  // The types (as in the Schema) and the tables of ours ("quarantine", "ficus_sealed",
  // "ficus_damaged", "ficus_position") that may be read; for the asker there are no others.
  // Nothing: all.
  std::optional<std::vector<std::string>> readable_types = std::nullopt;
};

struct QuerySummary {
  std::uint64_t row_count = 0;
  bool truncated = false;
  Micros elapsed;
};

// An answer as a file that has no name any more: it goes when it is closed.
struct FileAnswer {
  std::unique_ptr<File> file;
  std::uint64_t bytes = 0;
  Micros elapsed;
};

// The readings of one entity over time, for a chart.
struct SeriesRequest {
  std::string type;  // names as in the Schema
  std::string id;
  std::vector<std::string> attributes;  // at least one
  Timestamp from;                       // from <= observedAt < to
  Timestamp to;
  std::size_t points_max = 2000;
  QueryLimits limits;
};

// Columns: observedAt and the attributes, one row a reading, in time order, if there are at most
// points_max; otherwise one row a bucket of time (observedAt is its start), and for each number
// attribute `a` the columns a (mean), a_min, a_max; for other kinds the last value in the bucket.
struct SeriesSummary {
  QuerySummary query;
  std::uint64_t reading_count = 0;
  bool downsampled = false;
  Micros bucket;  // its width; 0 if not downsampled
};

}  // namespace ficus::history
