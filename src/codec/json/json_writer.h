#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace ficus::json {

// Appends JSON to a string: commas, quotes and escapes are its business, the order of calls is the
// caller's (a key before each member's value, every begin with its end). Writes no white space, so
// the text is one line. Allocates only as the string grows.
//
//   JsonWriter json(out);
//   json.begin_object().key("speed").number(3.5).key("line").text("K2").end_object();
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  // Bytes that are not UTF-8 become U+FFFD, so that the output is always valid.
  JsonWriter& text(std::string_view value);
  // The shortest text that reads back as the same double; NaN and infinities, which JSON lacks, are
  // null.
  JsonWriter& number(double value);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& time(Timestamp value);  // ISO 8601 text, UTC
  // A value that is JSON already. REQUIRES: valid JSON text.
  JsonWriter& raw(std::string_view json);

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate() {
    if (needs_comma_) out_.push_back(',');
    needs_comma_ = true;
  }

  std::string& out_;
  bool needs_comma_ = false;
};

// Appends the text quoted and escaped, as the writer does.
void append_quoted(std::string_view text, std::string& out);
// Appends the shortest text that reads back as the same double; REQUIRES: finite.
void append_number(double value, std::string& out);

}  // namespace ficus::json
