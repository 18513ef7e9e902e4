#include "history/duck.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <algorithm>

#include "history/bounded_replace.h"
#include "history/names.h"
#include "history/time_bucket.h"

namespace ficus::history {
namespace {

struct OwnedResult {
  duckdb_result raw{};
  ~OwnedResult() { duckdb_destroy_result(&raw); }
};

struct OwnedStatement {
  duckdb_prepared_statement raw = nullptr;
  ~OwnedStatement() { duckdb_destroy_prepare(&raw); }
};

Error error_of(duckdb_result& result) {
  return duck_error(static_cast<int>(duckdb_result_error_type(&result)),
                    duckdb_result_error(&result));
}

Status bind(duckdb_prepared_statement statement, idx_t index, const Datum& value) {
  duckdb_state state = DuckDBError;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    state = duckdb_bind_int64(statement, index, *integer);
  } else if (const auto* number = std::get_if<double>(&value)) {
    state = duckdb_bind_double(statement, index, *number);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    state = duckdb_bind_varchar_length(statement, index, text->data(), text->size());
  } else {
    state = duckdb_bind_null(statement, index);
  }
  if (state == DuckDBSuccess) return {};
  return invalid(fmt::format("parameter {}: {}", index, duckdb_prepare_error(statement)));
}

Result<Datum> datum(duckdb_vector vector, duckdb_type type, idx_t row) {
  std::uint64_t* validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) return Datum{};
  void* data = duckdb_vector_get_data(vector);
  if (type == DUCKDB_TYPE_BIGINT) return Datum{static_cast<std::int64_t*>(data)[row]};
  if (type == DUCKDB_TYPE_DOUBLE) return Datum{static_cast<double*>(data)[row]};
  if (type == DUCKDB_TYPE_VARCHAR) {
    duckdb_string_t& text = static_cast<duckdb_string_t*>(data)[row];
    return Datum{std::string(duckdb_string_t_data(&text), duckdb_string_t_length(text))};
  }
  return fail(ErrorCode::internal,
              fmt::format("unexpected column type {}", static_cast<int>(type)));
}

Status append_chunk(duckdb_data_chunk chunk, const std::vector<duckdb_type>& types,
                    std::vector<DatumRow>& out) {
  const idx_t row_count = duckdb_data_chunk_get_size(chunk);
  for (idx_t row = 0; row < row_count; ++row) {
    DatumRow& cells = out.emplace_back();
    for (idx_t column = 0; column < types.size(); ++column) {
      FICUS_TRY(Datum value,
                datum(duckdb_data_chunk_get_vector(chunk, column), types[column], row));
      cells.push_back(std::move(value));
    }
  }
  return {};
}

// A statement over files is planned when it is prepared, and again when it is executed.
Status ask(duckdb_connection raw, const std::string& sql, OwnedResult& result) {
  if (duckdb_query(raw, sql.c_str(), &result.raw) == DuckDBSuccess) return {};
  return std::unexpected(error_of(result.raw));
}

Status ask_prepared(duckdb_connection raw, const std::string& sql, const DatumRow& parameters,
                    OwnedResult& result) {
  OwnedStatement statement;
  if (duckdb_prepare(raw, sql.c_str(), &statement.raw) != DuckDBSuccess) {
    return std::unexpected(duck_error(DUCKDB_ERROR_BINDER, duckdb_prepare_error(statement.raw)));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    FICUS_TRY_VOID(bind(statement.raw, i + 1, parameters[i]));
  }
  if (duckdb_execute_prepared(statement.raw, &result.raw) == DuckDBSuccess) return {};
  return std::unexpected(error_of(result.raw));
}

}  // namespace

std::int64_t integer_of(const Datum& datum) {
  const auto* value = std::get_if<std::int64_t>(&datum);
  return value == nullptr ? 0 : *value;
}

std::string text_of(const Datum& datum) {
  const auto* value = std::get_if<std::string>(&datum);
  return value == nullptr ? std::string() : *value;
}

std::int64_t storable_micros(Timestamp t) {
  return std::clamp<std::int64_t>(t.micros, -9'223'372'022'400'000'000, 9'223'372'036'854'775'806);
}

Error duck_error(int type, const char* message) {
  ErrorCode code = ErrorCode::internal;
  switch (type) {
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      code = ErrorCode::overloaded;
      break;
    case DUCKDB_ERROR_INTERRUPT:
      code = ErrorCode::timed_out;
      break;
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_TRANSACTION:  // a commit that cannot be written: the disk is full
      code = ErrorCode::unavailable;
      break;
    case DUCKDB_ERROR_PERMISSION:
      code = ErrorCode::denied;
      break;
    case DUCKDB_ERROR_INTERNAL:
    case DUCKDB_ERROR_INVALID:
      break;
    default:
      code = ErrorCode::invalid_input;
      break;
  }
  const std::string_view text = message == nullptr ? "no message from DuckDB" : message;
  // Exceptions that are not DuckDB's own, such as its Parquet reader's over damaged bytes; a
  // mistake in a statement has a kind.
  if (text.starts_with("Invalid Error:")) code = ErrorCode::internal;
  return {code, std::string(text)};
}

bool needs_reopening(const Error& error) {
  return error.message.contains("database has been invalidated") ||
         error.message.starts_with("FATAL");
}

Result<std::unique_ptr<DuckDatabase>> DuckDatabase::open(const DuckSettings& settings) {
  duckdb_config config = nullptr;
  if (duckdb_create_config(&config) != DuckDBSuccess) {
    return fail(ErrorCode::internal, "cannot make a DuckDB configuration");
  }
  const std::pair<const char*, std::string> options[] = {
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"allow_community_extensions", "false"},
      {"memory_limit", std::to_string(settings.memory_bytes_max) + "B"},
      {"threads", std::to_string(settings.threads)},
      // A checkpoint stalls the feed: only maintain() asks for one.
      {"checkpoint_threshold", "1TB"},
  };
  bool is_set = true;
  for (const auto& [name, value] : options) {
    is_set = is_set && duckdb_set_config(config, name, value.c_str()) == DuckDBSuccess;
  }
  duckdb_database raw = nullptr;
  char* message = nullptr;
  const duckdb_state state =
      is_set ? duckdb_open_ext(settings.path.c_str(), &raw, config, &message) : DuckDBError;
  duckdb_destroy_config(&config);
  if (state != DuckDBSuccess) {
    const std::string why = message == nullptr ? "DuckDB refuses a setting" : message;
    duckdb_free(message);
    return fail(ErrorCode::unavailable, fmt::format("{}: {}", settings.path, why));
  }
  std::unique_ptr<DuckDatabase> database(new DuckDatabase(raw));
  FICUS_TRY(const auto connection, DuckConnection::open(*database));
  // The order matters: once external access is off the lists can only shrink, and the last line
  // makes all of it final.
  const std::string statements[] = {
      "SET temp_directory = " + quoted_literal(settings.spill_directory),
      fmt::format("SET max_temp_directory_size = '{}B'", settings.spill_bytes_max),
      "SET allowed_directories = [" + quoted_literal(settings.directory) + "]",
      "SET enable_external_access = false",
      // A question about one entity would spend half of its time on reading footers again. A file
      // that has changed is noticed by its time.
      "SET GLOBAL parquet_metadata_cache = true",
      // A tail lives for a day at most, then it is sealed: compressing it costs a quarter of the
      // feed's processor time and makes checkpoints long.
      "SET GLOBAL force_compression = 'uncompressed'",
      // All times in answers and rules are UTC, whatever the machine thinks.
      "SET GLOBAL TimeZone = 'UTC'",
      "SET lock_configuration = true",
  };
  for (const std::string& statement : statements) FICUS_TRY_VOID(connection->run(statement));
  FICUS_TRY_VOID(replace_time_bucket(*connection));
  FICUS_TRY_VOID(bound_replace(*connection));
  return database;
}

DuckDatabase::~DuckDatabase() { duckdb_close(&raw_); }

Result<std::unique_ptr<DuckConnection>> DuckConnection::open(DuckDatabase& database) {
  duckdb_connection raw = nullptr;
  if (duckdb_connect(database.raw(), &raw) != DuckDBSuccess) {
    return fail(ErrorCode::internal, "cannot connect to DuckDB");
  }
  return std::unique_ptr<DuckConnection>(new DuckConnection(raw));
}

DuckConnection::~DuckConnection() { duckdb_disconnect(&raw_); }

Status DuckConnection::run(const std::string& sql) {
  OwnedResult result;
  if (duckdb_query(raw_, sql.c_str(), &result.raw) == DuckDBSuccess) return {};
  return std::unexpected(error_of(result.raw));
}

Result<std::vector<DatumRow>> DuckConnection::select(const std::string& sql,
                                                     const DatumRow& parameters) {
  OwnedResult result;
  FICUS_TRY_VOID(parameters.empty() ? ask(raw_, sql, result)
                                    : ask_prepared(raw_, sql, parameters, result));
  std::vector<duckdb_type> types(duckdb_column_count(&result.raw));
  for (idx_t i = 0; i < types.size(); ++i) types[i] = duckdb_column_type(&result.raw, i);
  std::vector<DatumRow> rows;
  while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result.raw)) {
    const Status status = append_chunk(chunk, types, rows);
    duckdb_destroy_data_chunk(&chunk);
    if (!status) return std::unexpected(status.error());
  }
  return rows;
}

void DuckConnection::interrupt() { duckdb_interrupt(raw_); }

DuckTransaction::~DuckTransaction() {
  // A failure leaves nothing to roll back, or a database that says so at the next statement.
  if (open_) (void)connection_.run("ROLLBACK");
}

Status DuckTransaction::begin(bool read_only) {
  FICUS_TRY_VOID(connection_.run(read_only ? "BEGIN TRANSACTION READ ONLY" : "BEGIN TRANSACTION"));
  open_ = true;
  return {};
}

Status DuckTransaction::commit() {
  open_ = false;
  return connection_.run("COMMIT");
}

}  // namespace ficus::history
