#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/event_loop.h"
#include "net/http_types.h"
#include "net/tls.h"

namespace ficus::net {

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  // Host, Content-Length and Transfer-Encoding are added by the client.
  HttpHeaders headers = {};
  std::string body = {};
  // A body of unknown length, sent chunked instead of `body`: called whenever there is room,
  // appends a byte or more to `out`; false when there are no more. Such a request is never sent
  // twice.
  std::move_only_function<bool(std::string& out)> body_source = {};
  // Given, the answer's body goes here piece by piece (Server-Sent Events, downloads) and has no
  // limit; it is then empty in the response. False breaks the request off.
  std::move_only_function<bool(std::string_view piece)> on_body_piece = {};
  // Given, called when the answer's header has arrived, before its body.
  std::move_only_function<void(int status, const HttpHeaders& headers)> on_header = {};
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers = {};
  std::string body = {};
};

struct HttpClientOptions {
  std::size_t connections_max = 1;                         // further requests wait
  std::size_t waiting_max = 1000;                          // then `overloaded`
  std::size_t response_bytes_max = std::size_t{64} << 20;  // of a collected body: then `overloaded`
  std::size_t header_bytes_max = std::size_t{64} << 10;
  std::shared_ptr<TlsClientContext> tls = {};  // given: HTTPS
  Micros connect_timeout = Micros::from_seconds(10);
  Micros request_timeout = Micros::from_seconds(60);  // from being sent to the last byte; 0: none
};

// Asks one HTTP/1.1 server, keeping connections alive between requests. A request on a kept
// connection that the server closed before answering is sent once more if its method is idempotent
// (RFC 9110, 9.2.2). Destroying the client drops what is in progress without callbacks.
class HttpClient {
 public:
  using Callback = std::move_only_function<void(Result<HttpResponse>)>;
  HttpClient(EventLoop& loop, std::string host_port, const HttpClientOptions& options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The callback comes once, never inside this call, and may destroy the client. Any status is a
  // response; errors: `unavailable` (no connection, broken off), `timed_out`, `overloaded`,
  // `invalid_input` (the answer is no HTTP).
  void request(HttpRequest request, Callback on_done);
  std::size_t pending_count() const;  // waiting or in progress

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace ficus::net
