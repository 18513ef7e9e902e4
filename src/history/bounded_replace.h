#pragma once

#include "base/result.h"
#include "history/duck.h"

namespace ficus::history {

// Puts a replace(VARCHAR, VARCHAR, VARCHAR) of ours in the place of DuckDB's, whose answer can be
// larger than the machine: it grows by the length of what is put in, and cannot be stopped. Ours
// gives the same answers, and an error when those of one chunk (2048 rows) take more than 64 MiB.
Status bound_replace(DuckConnection& connection);

}  // namespace ficus::history
