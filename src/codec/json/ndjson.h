#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ficus::json {

// Splits a stream into lines while its bytes arrive in chunks (newline-delimited JSON: no raw
// newline can occur inside a JSON text, RFC 8259, 7). A value with a bounded buffer.
//
//   splitter.feed(chunk);
//   while (const auto line = splitter.next()) ...   // before the next feed
//   ... at the end of the stream: splitter.finish() for a last line without newline
class NdjsonSplitter {
 public:
  explicit NdjsonSplitter(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  struct Line {
    std::string_view text;  // without the newline and a '\r' before it; never blank
    // The line exceeded the limit: `text` is its beginning, the rest up to the newline is dropped.
    bool is_too_long = false;
  };

  // Borrows `chunk` until next() has returned nothing. REQUIRES: the previous chunk is used up.
  void feed(std::string_view chunk);
  // The next whole line; its text is valid until the next call.
  std::optional<Line> next();
  // The last line, if it did not end in a newline. REQUIRES: next() has returned nothing.
  std::optional<Line> finish();

 private:
  std::optional<Line> accept(std::string_view line, bool is_too_long);

  const std::size_t line_bytes_max_;
  std::string_view chunk_;
  std::string begun_;         // the start of a line that is not complete yet
  bool begun_used_ = false;   // begun_ was handed out and is to be emptied
  bool is_skipping_ = false;  // inside the rest of a line that is too long
};

}  // namespace ficus::json
