#pragma once

#include "history/history.h"

namespace ficus::history {

// Answers no question: for tests that only feed it.
class UnaskedHistory : public History {
 public:
  Result<MaintenanceReport> maintain(Timestamp) override { return {}; }
  Result<QuerySummary> query(std::string_view, const QueryLimits&, RowSink&,
                             std::stop_token) override {
    return not_asked();
  }
  Result<QuerySummary> query_arrow(std::string_view, const QueryLimits&, ByteSink&,
                                   std::stop_token) override {
    return not_asked();
  }
  Result<FileAnswer> query_parquet(std::string_view, const QueryLimits&, std::stop_token) override {
    return not_asked();
  }
  Result<SeriesSummary> series(const SeriesRequest&, RowSink&, std::stop_token) override {
    return not_asked();
  }
  HistoryFigures figures() override { return {}; }

 private:
  static std::unexpected<Error> not_asked() {
    return fail(ErrorCode::internal, "no question is asked here");
  }
};

}  // namespace ficus::history
