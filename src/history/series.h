#pragma once

#include "base/result.h"
#include "history/query.h"
#include "history/query_runner.h"

namespace ficus::history {

// History::series, on the runner's connection. Reads only the files whose time range overlaps.
// `directory`: where the files lie.
Result<SeriesSummary> run_series(QueryRunner& runner, const std::string& directory,
                                 const SeriesRequest& request, RowSink& sink);

}  // namespace ficus::history
