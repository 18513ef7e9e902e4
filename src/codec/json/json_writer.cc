#include "codec/json/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/time_text.h"
#include "base/utf8.h"

namespace ficus::json {
namespace {

// What must not stand in a JSON text as it is (RFC 8259, 7).
constexpr bool must_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

constexpr std::array<bool, 256> kMustEscape = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c)
    table[static_cast<std::size_t>(c)] = must_escape(static_cast<char>(c));
  return table;
}();

void append_escape(char c, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out.push_back(kHex[static_cast<unsigned char>(c) >> 4U]);
      out.push_back(kHex[static_cast<unsigned char>(c) & 0xFU]);
  }
}

void append_escaped(std::string_view text, std::string& out) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!kMustEscape[static_cast<unsigned char>(text[i])]) continue;
    out.append(text.substr(begin, i - begin));
    append_escape(text[i], out);
    begin = i + 1;
  }
  out.append(text.substr(begin));
}

// One U+FFFD for each byte that begins no valid sequence.
void append_repaired(std::string_view text, std::string& out) {
  while (!text.empty()) {
    std::size_t length = 1;
    while (length <= 4 && (length > text.size() || !is_valid_utf8(text.substr(0, length))))
      ++length;
    if (length > 4) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      append_escaped(text.substr(0, length), out);
      text.remove_prefix(length);
    }
  }
}

}  // namespace

void append_quoted(std::string_view text, std::string& out) {
  out.push_back('"');
  if (is_valid_utf8(text)) [[likely]] {
    append_escaped(text, out);
  } else {
    append_repaired(text, out);
  }
  out.push_back('"');
}

void append_number(double value, std::string& out) {
  FICUS_DCHECK(std::isfinite(value));
  std::array<char, 32> buffer;  // the shortest form of a double has at most 24 characters
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), end.ptr);
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  needs_comma_ = false;
  out_.push_back(bracket);
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_.push_back(bracket);
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_quoted(name, out_);
  out_.push_back(':');
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  append_quoted(value, out_);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  append_number(value, out_);
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  separate();
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out_.append(buffer.data(), end.ptr);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::time(Timestamp value) {
  separate();
  out_.push_back('"');
  append_iso8601(value, out_);
  out_.push_back('"');
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace ficus::json
