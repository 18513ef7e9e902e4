#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "history/duck_store.h"
#include "history/series.h"
#include "history/sql_guard.h"

namespace ficus::history {

HistoryFigures DuckHistory::figures() {
  HistoryFigures out;
  {
    const std::lock_guard lock(published_mutex_);
    out = figures_;
  }
  out.queries_active = queries_active_;
  const std::shared_lock lock(database_mutex_);
  if (database_ == nullptr) return out;
  const auto connection = DuckConnection::open(*database_);
  if (!connection) return out;
  const auto rows =
      (*connection)->select("SELECT CAST(sum(memory_usage_bytes) AS BIGINT) FROM duckdb_memory()");
  if (rows) out.bytes_memory = static_cast<std::uint64_t>(integer_of(rows->at(0)[0]));
  return out;
}

Status DuckHistory::with_query(const QueryLimits& limits, std::stop_token stop,
                               const QueryWork& work) {
  const std::shared_lock lock(database_mutex_);
  if (database_ == nullptr) return fail(ErrorCode::unavailable, "the history is closed");
  struct Count {
    std::atomic<std::uint32_t>& count;
    std::uint32_t now = ++count;
    ~Count() { --count; }
  } const active{queries_active_};
  if (active.now > options_.queries_max) {
    return fail(ErrorCode::overloaded,
                fmt::format("{} queries are running, the most allowed: try again later",
                            options_.queries_max));
  }
  FICUS_TRY(const auto connection, DuckConnection::open(*database_));
  QueryRunner runner(*connection, watch_, clock_, limits, std::move(stop));
  DuckTransaction transaction(*connection);
  FICUS_TRY_VOID(transaction.begin(true));
  std::shared_ptr<const TableScope> tables;
  if (limits.readable_types) {
    FICUS_TRY(TableScope scope, readable_tables(*connection, *limits.readable_types));
    tables = std::make_shared<const TableScope>(std::move(scope));
  } else {
    const std::lock_guard published(published_mutex_);
    tables = tables_;
  }
  Status status = work(runner, *tables);
  if (status) return {};
  const Error& error = status.error();
  if (error.code == ErrorCode::internal || error.code == ErrorCode::unavailable ||
      error.message.contains(".parquet")) {
    files_suspect_ =
        true;  // perhaps a file is damaged or has been taken away: maintain() will look
  }
  return status;
}

// `work` with a statement that has passed the guard.
Status DuckHistory::with_statement(std::string_view sql, const QueryLimits& limits,
                                   std::stop_token stop,
                                   const std::function<Status(QueryRunner&)>& work) {
  if (sql.size() > limits.sql_bytes_max) {
    return invalid(
        fmt::format("the statement has {} bytes, more than {}", sql.size(), limits.sql_bytes_max));
  }
  return with_query(limits, std::move(stop),
                    [&](QueryRunner& runner, const TableScope& tables) -> Status {
                      Status checked = check_statement(runner.connection(), sql, tables);
                      if (!checked) {
                        return std::unexpected(runner.explained(std::move(checked).error()));
                      }
                      return work(runner);
                    });
}

Result<QuerySummary> DuckHistory::query(std::string_view sql, const QueryLimits& limits,
                                        RowSink& sink, std::stop_token stop) {
  QuerySummary summary;
  FICUS_TRY_VOID(with_statement(sql, limits, std::move(stop), [&](QueryRunner& runner) -> Status {
    FICUS_TRY(summary, runner.run(std::string(sql), sink));
    return {};
  }));
  return summary;
}

Result<QuerySummary> DuckHistory::query_arrow(std::string_view sql, const QueryLimits& limits,
                                              ByteSink& sink, std::stop_token stop) {
  QuerySummary summary;
  FICUS_TRY_VOID(with_statement(sql, limits, std::move(stop), [&](QueryRunner& runner) -> Status {
    FICUS_TRY(summary, runner.run_arrow(std::string(sql), sink));
    return {};
  }));
  return summary;
}

// DuckDB writes the file, into a folder of ours; the name goes as soon as the file is open.
Result<FileAnswer> DuckHistory::query_parquet(std::string_view sql, const QueryLimits& limits,
                                              std::stop_token stop) {
  const std::string folder = options_.directory + "/" + kAnswersFolder;
  FICUS_TRY_VOID(disk_.make_directories(folder));
  const std::string path = fmt::format("{}/{}.parquet", folder, ++answer_files_);
  Micros elapsed;
  const Status status =
      with_statement(sql, limits, std::move(stop), [&](QueryRunner& runner) -> Status {
        FICUS_TRY(const std::string select, written_out(runner.connection(), sql));
        const std::string copy =
            fmt::format("COPY ({}) TO {} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)",
                        select, quoted_literal(path));
        FICUS_TRY_VOID(runner.run_to_file(copy, disk_, path));
        elapsed = runner.elapsed();
        return {};
      });
  Result<FileAnswer> answer = status ? take_file(path) : std::unexpected(status.error());
  if (disk_.exists(path)) (void)disk_.remove(path);  // else the next start removes it
  if (answer) answer->elapsed = elapsed;
  return answer;
}

Result<FileAnswer> DuckHistory::take_file(const std::string& path) {
  FileAnswer answer;
  FICUS_TRY(answer.file, disk_.open(path, OpenMode::read));
  FICUS_TRY(answer.bytes, answer.file->size());
  return answer;
}

Result<SeriesSummary> DuckHistory::series(const SeriesRequest& request, RowSink& sink,
                                          std::stop_token stop) {
  SeriesSummary summary;
  FICUS_TRY_VOID(with_query(
      request.limits, std::move(stop), [&](QueryRunner& runner, const TableScope&) -> Status {
        const auto& readable = request.limits.readable_types;
        if (readable &&
            std::find(readable->begin(), readable->end(), request.type) == readable->end()) {
          return fail(ErrorCode::denied,
                      fmt::format("there is no type '{}' that you may read", request.type));
        }
        FICUS_TRY(summary, run_series(runner, options_.directory, request, sink));
        return {};
      }));
  return summary;
}

}  // namespace ficus::history
