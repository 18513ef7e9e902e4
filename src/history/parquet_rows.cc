#include "history/parquet_rows.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "history/duck.h"
#include "history/names.h"

namespace ficus::history {

struct ParquetRows::Parts {
  duckdb_config config = nullptr;
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  duckdb_prepared_statement statement = nullptr;
  duckdb_pending_result pending = nullptr;
  duckdb_result answer{};
  duckdb_data_chunk chunk = nullptr;
  idx_t row = 0;
  idx_t row_count = 0;
  bool is_at_end = false;  // an answer that has ended must not be asked again: that is an error

  ~Parts() {
    duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_result(&answer);
    duckdb_destroy_pending(&pending);
    duckdb_destroy_prepare(&statement);
    duckdb_disconnect(&connection);
    duckdb_close(&database);
    duckdb_destroy_config(&config);
  }

  Status open();
  Status begin(const std::string& path, std::uint64_t first);
  Error answer_error() {
    return duck_error(static_cast<int>(duckdb_result_error_type(&answer)),
                      duckdb_result_error(&answer));
  }
};

Status ParquetRows::Parts::open() {
  if (duckdb_create_config(&config) != DuckDBSuccess) return fail(ErrorCode::internal, "config");
  for (const auto& [name, value] : {std::pair{"memory_limit", "512MiB"},
                                    {"threads", "1"},
                                    {"autoinstall_known_extensions", "false"},
                                    {"autoload_known_extensions", "false"}}) {
    if (duckdb_set_config(config, name, value) != DuckDBSuccess) {
      return fail(ErrorCode::internal, fmt::format("DuckDB has no setting {}", name));
    }
  }
  char* message = nullptr;
  if (duckdb_open_ext(nullptr, &database, config, &message) != DuckDBSuccess) {
    Error error = duck_error(DUCKDB_ERROR_INTERNAL, message);
    duckdb_free(message);
    return std::unexpected(std::move(error));
  }
  if (duckdb_connect(database, &connection) != DuckDBSuccess) {
    return fail(ErrorCode::internal, "cannot connect to a database in memory");
  }
  return {};
}

Status ParquetRows::Parts::begin(const std::string& path, std::uint64_t first) {
  // A column of the file would hide an alias of the same name: no column is called like this one.
  const std::string select = fmt::format(
      R"(SELECT CAST(to_json("whole row") AS VARCHAR) FROM read_parquet({}) "whole row" OFFSET {})",
      quoted_literal(path), first);
  if (duckdb_prepare(connection, select.c_str(), &statement) != DuckDBSuccess) {
    return std::unexpected(duck_error(DUCKDB_ERROR_BINDER, duckdb_prepare_error(statement)));
  }
  if (duckdb_pending_prepared_streaming(statement, &pending) != DuckDBSuccess) {
    return std::unexpected(duck_error(DUCKDB_ERROR_INVALID_INPUT, duckdb_pending_error(pending)));
  }
  if (duckdb_execute_pending(pending, &answer) != DuckDBSuccess) {
    return std::unexpected(answer_error());
  }
  return {};
}

ParquetRows::ParquetRows(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ParquetRows::~ParquetRows() = default;

Result<std::unique_ptr<ParquetRows>> ParquetRows::open(const std::string& path,
                                                       std::uint64_t first) {
  auto parts = std::make_unique<Parts>();
  FICUS_TRY_VOID(parts->open());
  if (Status begun = parts->begin(path, first); !begun) {
    // What follows the first line is about the statement, which is ours.
    Error error = begun.error();
    error.message.resize(std::min(error.message.find('\n'), error.message.size()));
    return std::unexpected(std::move(error));
  }
  return std::unique_ptr<ParquetRows>(new ParquetRows(std::move(parts)));
}

Result<bool> ParquetRows::next(std::string& json) {
  Parts& p = *parts_;
  if (p.is_at_end) return false;
  while (p.row == p.row_count) {
    duckdb_destroy_data_chunk(&p.chunk);
    p.chunk = duckdb_fetch_chunk(p.answer);
    if (p.chunk == nullptr) {
      if (duckdb_result_error(&p.answer) != nullptr) return std::unexpected(p.answer_error());
      p.is_at_end = true;
      return false;
    }
    p.row = 0;
    p.row_count = duckdb_data_chunk_get_size(p.chunk);
  }
  auto* texts = static_cast<duckdb_string_t*>(
      duckdb_vector_get_data(duckdb_data_chunk_get_vector(p.chunk, 0)));
  json.assign(duckdb_string_t_data(&texts[p.row]), duckdb_string_t_length(texts[p.row]));
  ++p.row;
  return true;
}

}  // namespace ficus::history
