#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ficus::json {

enum class JsonKind : std::uint8_t { missing, null, boolean, number, text, array, object };

const char* json_kind_name(JsonKind kind);  // "an array", "a number", "nothing", ...

// One value of a parsed document, or `missing`: a view of 16 bytes to copy and pass by value. Valid
// until the document parses the next text or is destroyed. Wherever an object has a key twice, the
// first counts (RFC 8259, 4 leaves it open).
class JsonValue {
 public:
  JsonValue() = default;

  JsonKind kind() const;
  bool is_missing() const { return document_ == nullptr; }

  // REQUIRES of each: the kind fits.
  bool as_boolean() const;
  double as_number() const;
  std::string_view as_text() const;  // unescaped, valid UTF-8

  // The exact value if it was written as an integer (no point, no exponent) and fits.
  std::optional<std::int64_t> as_integer() const;

  // `missing` unless this is an object with such a member, an array with such an element.
  JsonValue member(std::string_view key) const;
  JsonValue element(std::size_t index) const;

  // Appends the value as JSON text without white space.
  void append_json(std::string& out) const;

 private:
  friend struct JsonAccess;

  // Mirrors the place in the parser's tape; only json_reader.cc knows what it means.
  const void* document_ = nullptr;
  [[maybe_unused]] std::size_t place_ = 0;
};

// Walks the elements of an array or the members of an object, in order; over anything else it ends
// at once.
//   for (JsonItems items(value); items.next();) use(items.key(), items.value());
class JsonItems {
 public:
  explicit JsonItems(JsonValue container);

  bool next();
  std::string_view key() const { return key_; }  // of an object's member; else empty
  JsonValue value() const { return value_; }

 private:
  const void* document_ = nullptr;
  std::size_t place_ = 0;
  std::size_t end_ = 0;
  bool is_object_ = false;
  std::string_view key_;
  JsonValue value_;
};

struct JsonLimits {
  std::size_t bytes_max = 16U << 20U;
  std::size_t depth_max = 64;  // of nested arrays and objects
};

// A reusable parser with the document it parsed last. The text is copied (with the padding that the
// parser needs), checked whole (syntax, UTF-8, depth, numbers that a double or a 64-bit integer can
// hold) and can then be asked in any order. Not thread-safe; one a thread, long-lived, so that its
// buffers are reused.
class JsonDocument {
 public:
  explicit JsonDocument(JsonLimits limits = {});
  ~JsonDocument();
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  // A byte order mark at the front is skipped. The error says at which byte the text goes wrong and
  // what was expected there: "not JSON: byte 12: expected ',' or '}'".
  Result<JsonValue> parse(std::string_view text);

 private:
  struct Parser;

  const JsonLimits limits_;
  const std::unique_ptr<Parser> parser_;
};

}  // namespace ficus::json
