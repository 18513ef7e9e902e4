#include "history/query_runner.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "history/arrow_abi.h"
#include "history/arrow_ipc.h"
#include "history/cell_reader.h"
#include "history/names.h"

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
  Chunk(Chunk&& other) noexcept : raw(std::exchange(other.raw, nullptr)) {}
  Chunk& operator=(Chunk&&) = delete;
  ~Chunk() { duckdb_destroy_data_chunk(&raw); }
};

// DuckDB plans a statement over files when it is prepared and once more when it is executed, since
// files may have changed. A parameter whose type nothing tells keeps it from the first time: half
// of what a question about one entity would take to plan. Nobody refers to it; the name is one
// that a query cannot use.
constexpr std::string_view kUnplanned = "WITH ficus_unplanned AS (SELECT $1) ";

bool begins_with_select(std::string_view sql) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = sql.find_first_not_of(kSpace);
  return begin != std::string_view::npos && folded(sql.substr(begin, 6)) == "select" &&
         kSpace.contains(sql.substr(begin + 6, 1)) && sql.size() > begin + 6;
}

Status prepare(DuckConnection& connection, const std::string& sql, Statement& out) {
  duckdb_destroy_prepare(&out.raw);
  if (duckdb_prepare(connection.raw(), sql.c_str(), &out.raw) != DuckDBSuccess) {
    return std::unexpected(duck_error(DUCKDB_ERROR_BINDER, duckdb_prepare_error(out.raw)));
  }
  const duckdb_statement_type type = duckdb_prepared_statement_type(out.raw);
  if (type != DUCKDB_STATEMENT_TYPE_SELECT && type != DUCKDB_STATEMENT_TYPE_EXPLAIN) {
    return fail(ErrorCode::denied, "only SELECT is allowed");
  }
  return {};
}

Status plan(const Statement& statement, Pending& out) {
  duckdb_destroy_pending(&out.raw);
  if (duckdb_pending_prepared_streaming(statement.raw, &out.raw) == DuckDBSuccess) return {};
  return std::unexpected(duck_error(DUCKDB_ERROR_EXECUTOR, duckdb_pending_error(out.raw)));
}

Status plan_once(DuckConnection& connection, const std::string& sql, Statement& statement,
                 Pending& out) {
  FICUS_TRY_VOID(prepare(connection, std::string(kUnplanned) + sql, statement));
  if (duckdb_bind_int64(statement.raw, 1, 0) != DuckDBSuccess) {
    return fail(ErrorCode::internal, "cannot bind a parameter");
  }
  return plan(statement, out);
}

// An error shows the line as it was given: without our addition, and the caret moved with it.
Error as_written(Error error) {
  const std::size_t at = error.message.find(kUnplanned);
  if (at == std::string::npos) return error;
  error.message.erase(at, kUnplanned.size());
  const std::size_t line = error.message.find('\n', at);
  if (line != std::string::npos &&
      error.message.find_first_not_of(' ', line + 1) >= line + 1 + kUnplanned.size()) {
    error.message.erase(line + 1, kUnplanned.size());
  }
  return error;
}

Status execute(DuckConnection& connection, const std::string& sql, Statement& statement,
               Answer& out) {
  Pending pending;
  // Whatever goes wrong there goes wrong again here, with its own words.
  if (!begins_with_select(sql) || !plan_once(connection, sql, statement, pending)) {
    FICUS_TRY_VOID(prepare(connection, sql, statement));
    FICUS_TRY_VOID(plan(statement, pending));
  }
  if (duckdb_execute_pending(pending.raw, &out.raw) == DuckDBSuccess) return {};
  return std::unexpected(as_written(duck_error(static_cast<int>(duckdb_result_error_type(&out.raw)),
                                               duckdb_result_error(&out.raw))));
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

void deliver(const Chunk& chunk, CellReader& reader, std::uint64_t rows_max, RowSink& sink,
             QuerySummary& summary) {
  const idx_t count = duckdb_data_chunk_get_size(chunk.raw);
  for (idx_t row = 0; row < count && !summary.truncated; ++row) {
    if (summary.row_count == rows_max) {
      summary.truncated = true;
    } else if (sink.row(reader.row(chunk.raw, row))) {
      ++summary.row_count;
    } else {
      ++summary.row_count;
      summary.truncated = true;
    }
  }
}

Status failure_of(Answer& answer) {
  const char* message = duckdb_result_error(&answer.raw);
  if (message == nullptr) return {};
  return std::unexpected(
      as_written(duck_error(static_cast<int>(duckdb_result_error_type(&answer.raw)), message)));
}

// DuckDB's description of an answer in the Arrow C data interface.
class ArrowShape {
 public:
  ArrowShape() = default;
  ArrowShape(const ArrowShape&) = delete;
  ArrowShape& operator=(const ArrowShape&) = delete;
  ~ArrowShape() {
    if (schema_.release != nullptr) schema_.release(&schema_);
    duckdb_destroy_arrow_options(&options_);
  }

  Status open(Answer& answer) {
    options_ = duckdb_result_get_arrow_options(&answer.raw);
    const idx_t count = duckdb_column_count(&answer.raw);
    std::vector<duckdb_logical_type> types;
    std::vector<const char*> names;
    types.reserve(count);
    names.reserve(count);
    for (idx_t i = 0; i < count; ++i) {
      types.push_back(duckdb_column_logical_type(&answer.raw, i));
      names.push_back(duckdb_column_name(&answer.raw, i));
    }
    Status status =
        taken(duckdb_to_arrow_schema(options_, types.data(), names.data(), count, &schema_));
    for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
    return status;
  }

  Status append(duckdb_data_chunk chunk, std::string& out) {
    ArrowArray batch{};
    FICUS_TRY_VOID(taken(duckdb_data_chunk_to_arrow(options_, chunk, &batch)));
    Status status = append_arrow_batch(schema_, batch, out);
    if (batch.release != nullptr) batch.release(&batch);
    return status;
  }

  const ArrowSchema& schema() const { return schema_; }

 private:
  static Status taken(duckdb_error_data error) {
    Status status;
    if (error != nullptr && duckdb_error_data_has_error(error)) {
      status = std::unexpected(duck_error(static_cast<int>(duckdb_error_data_error_type(error)),
                                          duckdb_error_data_message(error)));
    }
    duckdb_destroy_error_data(&error);
    return status;
  }

  duckdb_arrow_options options_ = nullptr;
  ArrowSchema schema_{};
};

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
    case StopReason::size:
      return {ErrorCode::invalid_input,
              fmt::format("the answer is larger than {} bytes, the most a file may have: narrow it",
                          limits_.file_bytes_max)};
    case StopReason::cancelled:
      return {ErrorCode::timed_out, "the query was cancelled"};
  }
  std::unreachable();
}

// A statement under way: asked for its answer piece by piece, stopped when the asker says so. All
// its failures are explained.
class QueryRunner::Execution {
 public:
  explicit Execution(QueryRunner& runner)
      : runner_(runner), on_stop_(runner.stop_, Cancel{runner}) {}

  Status begin(const std::string& sql) {
    const Status status = execute(runner_.connection_, sql, statement_, answer_);
    return status ? status : failed(status.error());
  }

  // None at the end.
  Result<Chunk> next() {
    Chunk chunk(duckdb_fetch_chunk(answer_.raw));
    FICUS_TRY_VOID(go_on());
    if (chunk.raw == nullptr) {
      const Status status = failure_of(answer_);
      if (!status) return failed(status.error());
    }
    return chunk;
  }

  // Fails when it has been stopped.
  Status go_on() const { return runner_.guard_.stopped() ? failed({}) : Status(); }

  Answer& answer() { return answer_; }

 private:
  struct Cancel {
    QueryRunner& runner;
    void operator()() const { runner.guard_.stop(StopReason::cancelled); }
  };

  std::unexpected<Error> failed(Error error) const {
    return std::unexpected(runner_.explained(std::move(error)));
  }

  QueryRunner& runner_;
  std::stop_callback<Cancel> on_stop_;
  Statement statement_;
  Answer answer_;
};

Result<QuerySummary> QueryRunner::run(const std::string& sql, RowSink& sink) {
  Execution execution(*this);
  FICUS_TRY_VOID(execution.begin(sql));
  std::vector<ResultColumn> columns;
  std::vector<CellType> types;
  FICUS_TRY_VOID(describe(execution.answer(), columns, types));
  sink.columns(columns);
  CellReader reader(std::move(types));
  QuerySummary summary;
  while (!summary.truncated) {
    FICUS_TRY(const Chunk chunk, execution.next());
    if (chunk.raw == nullptr) break;
    deliver(chunk, reader, limits_.rows_max, sink, summary);
  }
  summary.elapsed = elapsed();
  return summary;
}

Result<std::optional<QueryRunner::FewRows>> QueryRunner::run_if_at_most(const std::string& sql,
                                                                        std::uint64_t rows_max,
                                                                        RowSink& sink) {
  Execution execution(*this);
  FICUS_TRY_VOID(execution.begin(sql));
  std::vector<ResultColumn> columns;
  std::vector<CellType> types;
  FICUS_TRY_VOID(describe(execution.answer(), columns, types));
  std::vector<Chunk> chunks;
  FewRows few;
  while (true) {
    FICUS_TRY(Chunk chunk, execution.next());
    if (chunk.raw == nullptr) break;
    few.row_count += duckdb_data_chunk_get_size(chunk.raw);
    if (few.row_count > rows_max) return std::optional<FewRows>();
    chunks.push_back(std::move(chunk));
  }
  sink.columns(columns);
  CellReader reader(std::move(types));
  for (const Chunk& chunk : chunks) {
    FICUS_TRY_VOID(execution.go_on());
    deliver(chunk, reader, limits_.rows_max, sink, few.query);
  }
  few.query.elapsed = elapsed();
  return std::optional(few);
}

Result<QuerySummary> QueryRunner::run_arrow(const std::string& sql, ByteSink& sink) {
  Execution execution(*this);
  FICUS_TRY_VOID(execution.begin(sql));
  ArrowShape shape;
  FICUS_TRY_VOID(shape.open(execution.answer()));
  FICUS_TRY(std::string message, arrow_schema_message(shape.schema()));
  QuerySummary summary;
  summary.truncated = !sink.bytes(message);
  while (!summary.truncated) {
    FICUS_TRY(const Chunk chunk, execution.next());
    if (chunk.raw == nullptr) break;
    const idx_t room = limits_.rows_max - summary.row_count;
    summary.truncated = duckdb_data_chunk_get_size(chunk.raw) > room;
    if (summary.truncated) duckdb_data_chunk_set_size(chunk.raw, room);
    summary.row_count += duckdb_data_chunk_get_size(chunk.raw);
    message.clear();
    FICUS_TRY_VOID(shape.append(chunk.raw, message));
    if (!sink.bytes(message)) summary.truncated = true;
  }
  (void)sink.bytes(arrow_end());
  summary.elapsed = elapsed();
  return summary;
}

Status QueryRunner::run_to_file(const std::string& sql, Disk& disk, const std::string& path) {
  const std::stop_callback on_stop(stop_, [this] { guard_.stop(StopReason::cancelled); });
  const auto size = [&disk, &path]() -> std::uint64_t {
    const auto file = disk.open(path, OpenMode::read);
    return file ? (*file)->size().value_or(0) : 0;
  };
  guard_.set_size_check([&] { return size() > limits_.file_bytes_max; });
  Status status = connection_.run(sql);
  guard_.set_size_check(nullptr);
  // What was written between the last look and the end.
  if (status && size() > limits_.file_bytes_max) guard_.stop(StopReason::size);
  if (guard_.stopped()) return std::unexpected(explained({}));
  return status;
}

}  // namespace ficus::history
