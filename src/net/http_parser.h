#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/http_types.h"

namespace ficus::net {

enum class HttpParseError : std::uint8_t {
  none,
  malformed,             // 400
  header_too_large,      // 431
  unsupported_version,   // 505
  unsupported_encoding,  // 501
};

// The start line and header of a message.
struct HttpHead {
  std::string method;  // of a request
  std::string target;
  int status = 0;  // of a response
  bool is_http11 = true;
  bool keeps_alive = false;
  bool is_chunked = false;
  bool expects_continue = false;
  std::uint64_t content_length = 0;  // 0 too where there is none
  HttpHeaders headers;
};

struct HttpParserLimits {
  std::size_t header_bytes_max = std::size_t{16} << 10;
  std::size_t fields_max = 100;
};

// One HTTP/1.x message from its bytes; no socket. Beast's parser underneath, stricter where reading
// a message in two ways could smuggle a request past someone (RFC 9112, 11.2): one Host, one
// Content-Length of digits only, no folded lines, no Transfer-Encoding but "chunked", never both,
// none in HTTP/1.0. For this module only.
class HttpParser {
 public:
  enum class Kind : std::uint8_t {
    request,
    response,
    response_without_body,  // to HEAD
  };
  HttpParser(Kind kind, const HttpParserLimits& limits);
  ~HttpParser();
  HttpParser(const HttpParser&) = delete;
  HttpParser& operator=(const HttpParser&) = delete;

  struct Step {
    std::size_t consumed = 0;
    HttpParseError error = HttpParseError::none;
    std::string_view piece;  // of the body, within the input; may be empty
  };
  // Takes one step: the header, or one piece of the body. Nothing consumed and no error: show the
  // same bytes again with more behind them. REQUIRES: no error yet, !is_done().
  Step put(std::string_view input);
  // The peer has finished sending: ends a body that lasts until then. False if the message was cut
  // off.
  bool put_end();

  bool is_header_done() const;
  bool is_done() const;
  HttpHead& head();

 private:
  class Impl;
  template <bool is_request>
  class Beast;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ficus::net
