#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace ficus::net {

struct HttpField {
  std::string_view name;
  std::string_view value;
};

// Header fields in their order, in one block of text. Names compare without case (RFC 9110, 5.1). A
// value.
class HttpHeaders {
 public:
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<HttpField> fields);

  void add(std::string_view name, std::string_view value);
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  // REQUIRES: index < size(). Views are valid until the next `add`.
  HttpField at(std::size_t index) const;
  // The first field of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  // Whether a comma-separated field (Connection, Upgrade) has this token, without case.
  bool has_token(std::string_view name, std::string_view token) const;
  void clear();

 private:
  struct Entry {
    std::uint32_t offset;
    std::uint32_t name_size;
    std::uint32_t value_size;
  };
  std::string text_;
  std::vector<Entry> entries_;
};

bool equals_ignoring_case(std::string_view a, std::string_view b);

// What a request asks for, taken apart: "/entities/urn%3A1?limit=10&q=a+b".
struct HttpTarget {
  std::string raw;   // as received
  std::string path;  // decoded: "/entities/urn:1"
  std::vector<std::string>
      segments;  // each decoded on its own: {"entities", "urn:1"}; "/" has none
  std::vector<std::pair<std::string, std::string>> query;  // decoded, '+' is a space, in order

  // Refuses what is neither origin form ("/..."), absolute form nor "*" (RFC 9112, 3.2), a broken
  // percent escape, and control characters.
  static Result<HttpTarget> parse(std::string_view raw);
  // The first parameter of that name; names compare with case.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

// "Not Found" for 404; "Unknown" for what has no name.
std::string_view http_reason(int status);

// Percent-decodes `text`, nothing if an escape is broken.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
// Encodes all but the unreserved characters (RFC 3986, 2.3).
std::string percent_encode(std::string_view text);

}  // namespace ficus::net
