// Requests as a hostile client may send them: whatever the splitting, the parser reads the same
// message, never more than it was given, and never accepts two lengths.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/http_parser.h"
#include "net/http_types.h"

namespace {

using ficus::net::HttpParseError;
using ficus::net::HttpParser;

struct Outcome {
  bool is_done = false;
  bool is_refused = false;
  std::string body;
  std::size_t consumed = 0;
};

Outcome parse(std::string_view text, std::size_t step) {
  HttpParser parser(HttpParser::Kind::request, {.header_bytes_max = 1000, .fields_max = 20});
  Outcome outcome;
  std::size_t end = 0;
  while (end < text.size() && !parser.is_done()) {
    end = step < text.size() - end ? end + step : text.size();
    while (!parser.is_done() && outcome.consumed < end) {
      const std::string_view shown = text.substr(outcome.consumed, end - outcome.consumed);
      const HttpParser::Step got = parser.put(shown);
      FICUS_CHECK(got.consumed <= shown.size());
      if (got.error != HttpParseError::none) {
        outcome.is_refused = true;
        return outcome;
      }
      outcome.consumed += got.consumed;
      outcome.body += got.piece;
      if (got.consumed == 0) break;
    }
  }
  outcome.is_done = parser.is_done();
  if (parser.is_header_done()) {
    const auto& headers = parser.head().headers;
    FICUS_CHECK(headers.count("Content-Length") + headers.count("Transfer-Encoding") <= 1);
    FICUS_CHECK(headers.count("Host") <= 1);
    static_cast<void>(ficus::net::HttpTarget::parse(parser.head().target));
    if (outcome.is_done && !parser.head().is_chunked) {
      FICUS_CHECK(outcome.body.size() == parser.head().content_length);
    }
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Outcome whole = parse(text, size + 1);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) {
    const Outcome parts = parse(text, step);
    if (!whole.is_done || !parts.is_done) continue;
    FICUS_CHECK(parts.body == whole.body);
    FICUS_CHECK(parts.consumed == whole.consumed);
  }
  return 0;
}
