#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "connect/ingest/ingest.h"
#include "connect/ingest/source_set.h"
#include "net/http_server.h"

namespace ficus::connect {

struct HttpIngestLimits {
  std::size_t document_bytes_max = std::size_t{16} << 20;  // of one JSON object or array: then 413
  std::size_t line_bytes_max = std::size_t{1} << 20;  // of newline-delimited JSON: then quarantined
  std::uint64_t stream_bytes_max = std::uint64_t{64} << 30;
  std::size_t batch_items_max = 2048;
  std::size_t batch_bytes_max = std::size_t{1} << 20;
  std::size_t batches_in_flight_max = 4;  // per request; then the body waits
  std::size_t errors_listed_max = 100;
};

// POST /ingest/{source}: one JSON object, an array (each element is one payload), or
// newline-delimited JSON (Content-Type application/x-ndjson or application/jsonl), which is mapped
// as it arrives, at any length.
//
// Answered when everything is durable:
//   200 all accepted; 207 some quarantined; 422 all quarantined: {"received", "accepted",
//   "quarantined", "errors"} 404 no such source, 413 too long, 503 the brain cannot take it now
//   (then nothing is promised for the rest)
// A payload that cannot be mapped is kept in quarantine with its bytes, named by its place, and
// stops nothing.
class HttpIngest {
 public:
  HttpIngest(Ingest& ingest, const SourceSet& sources, HttpIngestLimits limits = {})
      : ingest_(ingest), sources_(sources), limits_(limits) {}

  // `may_go_on` is asked at every piece of a streamed body: false ends it with 403.
  void on_post(std::string_view source_name, std::unique_ptr<net::HttpExchange> exchange,
               std::move_only_function<bool()> may_go_on = {});

 private:
  Ingest& ingest_;
  const SourceSet& sources_;
  const HttpIngestLimits limits_;
};

}  // namespace ficus::connect
