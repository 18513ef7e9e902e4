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

Result<QuerySummary> DuckHistory::query(std::string_view sql, const QueryLimits& limits,
                                        RowSink& sink, std::stop_token stop) {
  if (sql.size() > limits.sql_bytes_max) {
    return invalid(
        fmt::format("the statement has {} bytes, more than {}", sql.size(), limits.sql_bytes_max));
  }
  QuerySummary summary;
  FICUS_TRY_VOID(with_query(
      limits, std::move(stop), [&](QueryRunner& runner, const TableScope& tables) -> Status {
        Status checked = check_statement(runner.connection(), sql, tables);
        if (!checked) return std::unexpected(runner.explained(std::move(checked).error()));
        FICUS_TRY(summary, runner.run(std::string(sql), {}, sink));
        return {};
      }));
  return summary;
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
