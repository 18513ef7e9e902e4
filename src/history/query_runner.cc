#include "history/query_runner.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "history/cell_reader.h"

namespace ficus::history {
namespace {

struct Statement {
  duckdb_prepared_statement raw = nullptr;
  ~Statement() { duckdb_destroy_prepare(&raw); }
};

struct Pending {
  duckdb_pending_result raw = nullptr;
  ~Pending() { duckdb_destroy_pending(&raw); }
};

struct Answer {
  duckdb_result raw{};
  ~Answer() { duckdb_destroy_result(&raw); }
};

struct Chunk {
  duckdb_data_chunk raw = nullptr;
  explicit Chunk(duckdb_data_chunk chunk) : raw(chunk) {}
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  ~Chunk() { duckdb_destroy_data_chunk(&raw); }
};

Status prepare(DuckConnection& connection, const std::string& sql, const DatumRow& parameters,
               Statement& out) {
  if (duckdb_prepare(connection.raw(), sql.c_str(), &out.raw) != DuckDBSuccess) {
    return std::unexpected(duck_error(DUCKDB_ERROR_BINDER, duckdb_prepare_error(out.raw)));
  }
  const duckdb_statement_type type = duckdb_prepared_statement_type(out.raw);
  if (type != DUCKDB_STATEMENT_TYPE_SELECT && type != DUCKDB_STATEMENT_TYPE_EXPLAIN) {
    return fail(ErrorCode::denied, "only SELECT is allowed");
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    duckdb_state state = DuckDBError;
    if (const auto* integer = std::get_if<std::int64_t>(&parameters[i])) {
      state = duckdb_bind_int64(out.raw, i + 1, *integer);
    } else if (const auto* text = std::get_if<std::string>(&parameters[i])) {
      state = duckdb_bind_varchar_length(out.raw, i + 1, text->data(), text->size());
    }
    if (state != DuckDBSuccess) return fail(ErrorCode::internal, "cannot bind a parameter");
  }
  return {};
}

Status execute(const Statement& statement, Answer& out) {
  Pending pending;
  if (duckdb_pending_prepared_streaming(statement.raw, &pending.raw) != DuckDBSuccess) {
    return std::unexpected(duck_error(DUCKDB_ERROR_EXECUTOR, duckdb_pending_error(pending.raw)));
  }
  if (duckdb_execute_pending(pending.raw, &out.raw) != DuckDBSuccess) {
    return std::unexpected(duck_error(static_cast<int>(duckdb_result_error_type(&out.raw)),
                                      duckdb_result_error(&out.raw)));
  }
  return {};
}

Status describe(Answer& answer, std::vector<ResultColumn>& columns, std::vector<CellType>& types) {
  const idx_t count = duckdb_column_count(&answer.raw);
  for (idx_t i = 0; i < count; ++i) {
    ResultColumn column{duckdb_column_name(&answer.raw, i), ""};
    duckdb_logical_type logical = duckdb_column_logical_type(&answer.raw, i);
    Result<CellType> type = cell_type(logical);
    duckdb_destroy_logical_type(&logical);
    if (!type) return in_context(fmt::format("column '{}': ", column.name), type.error());
    column.type = type->text;
    columns.push_back(std::move(column));
    types.push_back(*std::move(type));
  }
  return {};
}

}  // namespace

QueryRunner::QueryRunner(DuckConnection& connection, QueryWatch& watch, const Clock& clock,
                         const QueryLimits& limits, std::stop_token stop)
    : connection_(connection),
      clock_(clock),
      limits_(limits),
      started_(clock.monotonic()),
      guard_(watch, connection, started_ + limits.time_max, limits.memory_bytes_max),
      stop_(std::move(stop)) {}

Error QueryRunner::explained(Error error) const {
  const std::optional<StopReason> reason = guard_.stopped();
  if (!reason) return error;
  switch (*reason) {
    case StopReason::time:
      return {ErrorCode::timed_out,
              fmt::format("the query was stopped after its time limit of {} s: narrow it, by id "
                          "and observedAt first",
                          limits_.time_max.seconds())};
    case StopReason::memory:
      return {ErrorCode::overloaded,
              fmt::format("the query was stopped: running queries need more than {} bytes of "
                          "memory; narrow it or try again later",
                          limits_.memory_bytes_max)};
    case StopReason::cancelled:
      return {ErrorCode::timed_out, "the query was cancelled"};
  }
  std::unreachable();
}

Result<QuerySummary> QueryRunner::run(const std::string& sql, const DatumRow& parameters,
                                      RowSink& sink) {
  const std::stop_callback on_stop(stop_, [this] { guard_.stop(StopReason::cancelled); });
  const auto failed = [this](Error error) { return std::unexpected(explained(std::move(error))); };
  Statement statement;
  if (Status status = prepare(connection_, sql, parameters, statement); !status) {
    return failed(status.error());
  }
  Answer answer;
  if (Status status = execute(statement, answer); !status) return failed(status.error());
  std::vector<ResultColumn> columns;
  std::vector<CellType> types;
  FICUS_TRY_VOID(describe(answer, columns, types));
  sink.columns(columns);
  CellReader reader(std::move(types));
  QuerySummary summary;
  while (!summary.truncated) {
    const Chunk chunk(duckdb_fetch_chunk(answer.raw));
    if (guard_.stopped()) return failed({});
    if (chunk.raw == nullptr) break;
    const idx_t count = duckdb_data_chunk_get_size(chunk.raw);
    for (idx_t row = 0; row < count && !summary.truncated; ++row) {
      if (summary.row_count == limits_.rows_max) {
        summary.truncated = true;
      } else if (sink.row(reader.row(chunk.raw, row))) {
        ++summary.row_count;
      } else {
        ++summary.row_count;
        summary.truncated = true;
      }
    }
  }
  if (const char* message = duckdb_result_error(&answer.raw); message != nullptr) {
    return failed(duck_error(static_cast<int>(duckdb_result_error_type(&answer.raw)), message));
  }
  summary.elapsed = elapsed();
  return summary;
}

}  // namespace ficus::history
