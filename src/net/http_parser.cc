#include "net/http_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>

namespace ficus::net {

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

std::string_view plain(beast::string_view text) { return {text.data(), text.size()}; }

HttpParseError parse_error(const beast::error_code& error) {
  if (error == http::error::header_limit) return HttpParseError::header_too_large;
  if (error == http::error::bad_version) return HttpParseError::unsupported_version;
  return HttpParseError::malformed;
}

constexpr std::size_t kLastChunkBytes = 5;  // "0\r\n\r\n"

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_folded(std::string_view header) {
  return header.contains("\r\n ") || header.contains("\r\n\t");
}

HttpParseError check_length(const HttpHead& head) {
  const HttpHeaders& headers = head.headers;
  const std::size_t lengths = headers.count("Content-Length");
  const std::size_t encodings = headers.count("Transfer-Encoding");
  if (lengths > 1 || encodings > 1 || (lengths == 1 && encodings == 1)) {
    return HttpParseError::malformed;
  }
  if (lengths == 1 && !is_digits(*headers.find("Content-Length"))) return HttpParseError::malformed;
  if (encodings == 1) {
    if (!head.is_http11) return HttpParseError::malformed;
    if (!equals_ignoring_case(*headers.find("Transfer-Encoding"), "chunked")) {
      return HttpParseError::unsupported_encoding;
    }
  }
  return HttpParseError::none;
}

HttpParseError check_request(const HttpHead& head) {
  const std::size_t hosts = head.headers.count("Host");
  if (hosts > 1 || (hosts == 0 && head.is_http11)) return HttpParseError::malformed;
  return check_length(head);
}

}  // namespace

class HttpParser::Impl {
 public:
  virtual ~Impl() = default;
  virtual Step put(std::string_view input) = 0;
  virtual bool put_end() = 0;
  virtual bool is_header_done() const = 0;
  virtual bool is_done() const = 0;
  HttpHead head;
};

template <bool is_request>
class HttpParser::Beast final : public Impl, private http::basic_parser<is_request> {
  using Base = http::basic_parser<is_request>;

 public:
  Beast(const HttpParserLimits& limits, bool skips_body) : limits_(limits) {
    this->header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    this->body_limit(boost::none);
    this->skip(skips_body);
  }

  Step put(std::string_view input) override {
    const bool had_header = Base::is_header_done();
    // Beast 1.81 asserts that the last chunk's line comes with what follows it ("n >= 5"), which a
    // client that sends byte by byte would turn into our end. No chunk and no end of chunks is
    // shorter than that.
    if (had_header && Base::chunked() && chunk_left_ == 0 && input.size() < kLastChunkBytes)
      return {};
    piece_ = {};
    beast::error_code error;
    Step step;
    step.consumed = Base::put(boost::asio::const_buffer(input.data(), input.size()), error);
    step.piece = piece_;
    if (error == http::error::need_more) {
      // Waiting for the end of a chunk's line or of the trailer: as long as a header at most.
      if (input.size() - step.consumed > limits_.header_bytes_max) {
        step.error = had_header ? HttpParseError::malformed : HttpParseError::header_too_large;
      }
      error = {};
    }
    if (!had_header) note_header(step);
    // A folded line is one field to some readers and two to others (RFC 9112, 5.2: refuse).
    if (!had_header && is_folded(input.substr(0, step.consumed))) {
      step.error = HttpParseError::malformed;
    }
    if (error) step.error = parse_error(error);
    return step;
  }

  bool put_end() override {
    if (Base::is_done()) return true;
    if (!Base::got_some()) return false;
    beast::error_code error;
    Base::put_eof(error);
    return !error;
  }

  bool is_header_done() const override { return Base::is_header_done(); }
  bool is_done() const override { return Base::is_done(); }

 private:
  void note_header(Step& step) {
    header_bytes_ += step.consumed;
    if (header_bytes_ > limits_.header_bytes_max) step.error = HttpParseError::header_too_large;
    if (!Base::is_header_done() || step.error != HttpParseError::none) return;
    head.keeps_alive = Base::keep_alive();
    head.is_chunked = Base::chunked();
    head.content_length = Base::content_length().value_or(0);
    head.expects_continue = head.is_http11 && head.headers.has_token("Expect", "100-continue");
    step.error = is_request ? check_request(head) : check_length(head);
  }

  void on_request_impl(http::verb, beast::string_view method, beast::string_view target,
                       int version, beast::error_code&) override {
    head.method = plain(method);
    head.target = plain(target);
    head.is_http11 = version >= 11;
  }
  void on_response_impl(int status, beast::string_view, int version, beast::error_code&) override {
    head.status = status;
    head.is_http11 = version >= 11;
  }
  void on_field_impl(http::field, beast::string_view name, beast::string_view value,
                     beast::error_code& error) override {
    if (Base::is_header_done())
      return;  // trailer fields may not change what was decided (RFC 9110, 6.5.1)
    if (head.headers.size() >= limits_.fields_max) {
      error = http::error::header_limit;
      return;
    }
    head.headers.add(plain(name), plain(value));
  }
  void on_header_impl(beast::error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, beast::error_code&) override {
    piece_ = plain(body);
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t size, beast::string_view, beast::error_code&) override {
    chunk_left_ = size;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body,
                                 beast::error_code&) override {
    piece_ = plain(body);
    chunk_left_ -= body.size();
    return body.size();
  }
  void on_finish_impl(beast::error_code&) override {}

  const HttpParserLimits limits_;
  std::size_t header_bytes_ = 0;
  std::uint64_t chunk_left_ = 0;
  std::string_view piece_;
};

HttpParser::HttpParser(Kind kind, const HttpParserLimits& limits) {
  if (kind == Kind::request) {
    impl_ = std::make_unique<Beast<true>>(limits, false);
  } else {
    impl_ = std::make_unique<Beast<false>>(limits, kind == Kind::response_without_body);
  }
}
HttpParser::~HttpParser() = default;
HttpParser::Step HttpParser::put(std::string_view input) { return impl_->put(input); }
bool HttpParser::put_end() { return impl_->put_end(); }
bool HttpParser::is_header_done() const { return impl_->is_header_done(); }
bool HttpParser::is_done() const { return impl_->is_done(); }
HttpHead& HttpParser::head() { return impl_->head; }

}  // namespace ficus::net
