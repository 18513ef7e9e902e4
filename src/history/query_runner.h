#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "history/duck.h"
#include "history/query.h"
#include "history/query_watch.h"

namespace ficus::history {

// Executes one statement on its own connection and streams the answer to the sink, under the
// watch's limits. What the statement may do has been checked before.
class QueryRunner {
 public:
  // Everything is borrowed for the life of the runner; made and used by one thread.
  QueryRunner(DuckConnection& connection, QueryWatch& watch, const Clock& clock,
              const QueryLimits& limits, std::stop_token stop);
  QueryRunner(const QueryRunner&) = delete;
  QueryRunner& operator=(const QueryRunner&) = delete;

  // Within the read-only transaction that the caller has begun.
  Result<QuerySummary> run(const std::string& sql, RowSink& sink);
  struct FewRows {
    QuerySummary query;
    std::uint64_t row_count = 0;  // also of those that were not delivered
  };
  // Nothing, and nothing told to the sink, if there are more rows. They are held until that is
  // known, so it is for few. The limits hold as well.
  Result<std::optional<FewRows>> run_if_at_most(const std::string& sql, std::uint64_t rows_max,
                                                RowSink& sink);
  Result<QuerySummary> run_arrow(const std::string& sql, ByteSink& sink);
  // For COPY ... TO `path`. Stops when the file has more than the limits' file_bytes_max.
  Status run_to_file(const std::string& sql, Disk& disk, const std::string& path);
  DuckConnection& connection() { return connection_; }
  Micros elapsed() const { return clock_.monotonic() - started_; }
  // For failures of the connection that the watch has caused.
  Error explained(Error error) const;

 private:
  class Execution;

  DuckConnection& connection_;
  const Clock& clock_;
  const QueryLimits limits_;
  Micros started_;
  QueryWatch::Guard guard_;
  std::stop_token stop_;
};

}  // namespace ficus::history
