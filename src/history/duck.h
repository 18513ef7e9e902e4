#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

// The handles of DuckDB's C API, so that only .cc files of this room include duckdb.h.
struct _duckdb_database;
struct _duckdb_connection;

namespace ficus::history {

// One value of a small answer or one parameter. Times travel as microseconds.
using Datum = std::variant<std::monostate, std::int64_t, double, std::string>;
using DatumRow = std::vector<Datum>;

std::int64_t integer_of(const Datum& datum);  // 0 unless it holds an integer
std::string text_of(const Datum& datum);      // "" unless it holds text

// The nearest time that DuckDB's TIMESTAMP can say: from 290309-12-22 BC to just before infinity.
std::int64_t storable_micros(Timestamp t);

struct DuckSettings {
  std::string path;       // of the database file
  std::string directory;  // the only folder whose files it may read and write
  std::string spill_directory;
  std::uint64_t memory_bytes_max = 0;
  std::uint64_t spill_bytes_max = 0;
  std::uint32_t threads = 1;
};

// An open database. Thread-safe; outlives its connections.
class DuckDatabase {
 public:
  static Result<std::unique_ptr<DuckDatabase>> open(const DuckSettings& settings);
  DuckDatabase(const DuckDatabase&) = delete;
  DuckDatabase& operator=(const DuckDatabase&) = delete;
  ~DuckDatabase();
  _duckdb_database* raw() const { return raw_; }

 private:
  explicit DuckDatabase(_duckdb_database* raw) : raw_(raw) {}
  _duckdb_database* raw_;
};

// One connection: one thread at a time, except `interrupt`.
class DuckConnection {
 public:
  static Result<std::unique_ptr<DuckConnection>> open(DuckDatabase& database);
  DuckConnection(const DuckConnection&) = delete;
  DuckConnection& operator=(const DuckConnection&) = delete;
  ~DuckConnection();

  Status run(const std::string& sql);
  // For small answers. Columns must be BIGINT, DOUBLE or VARCHAR: cast in the statement.
  Result<std::vector<DatumRow>> select(const std::string& sql, const DatumRow& parameters = {});
  // Stops what runs now, from any thread.
  void interrupt();
  _duckdb_connection* raw() const { return raw_; }

 private:
  explicit DuckConnection(_duckdb_connection* raw) : raw_(raw) {}
  _duckdb_connection* raw_;
};

// Rolls back unless committed.
class DuckTransaction {
 public:
  explicit DuckTransaction(DuckConnection& connection) : connection_(connection) {}
  DuckTransaction(const DuckTransaction&) = delete;
  DuckTransaction& operator=(const DuckTransaction&) = delete;
  ~DuckTransaction();
  Status begin(bool read_only = false);
  Status commit();

 private:
  DuckConnection& connection_;
  bool open_ = false;
};

// An error of DuckDB (duckdb_error_type) as one of ours.
Error duck_error(int type, const char* message);
// After this error the database refuses everything until it is opened again.
bool needs_reopening(const Error& error);

}  // namespace ficus::history
