#pragma once

#include <string>

#include "base/result.h"

// Arrow's C data interface (arrow_abi.h).
struct ArrowArray;
struct ArrowSchema;

namespace ficus::history {

// Writes columns as an Arrow IPC stream (https://arrow.apache.org/docs/format/Columnar.html,
// "Serialization and Interprocess Communication"; metadata version 5): one schema message, any
// number of record batches, an end mark. Any Arrow library reads it without copying values.
//
// `schema` describes a struct whose children are the columns. Times without a zone are ours, so
// they are marked as UTC. Dictionary-encoded columns (ENUM), views and run-end encoding are refused
// with a message that says what to do.
Result<std::string> arrow_schema_message(const ArrowSchema& schema);

// Appends one message to `out`. REQUIRES: `batch` is of a schema that arrow_schema_message took.
Status append_arrow_batch(const ArrowSchema& schema, const ArrowArray& batch, std::string& out);

// The end of the stream.
std::string arrow_end();

}  // namespace ficus::history
