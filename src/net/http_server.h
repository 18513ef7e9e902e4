#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/time.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "net/http_budget.h"
#include "net/http_types.h"
#include "net/tcp.h"
#include "net/websocket.h"

namespace ficus::net {

struct HttpServerOptions {
  std::size_t connections_max = 10'000;  // further ones are closed at once and counted
  std::size_t header_bytes_max = std::size_t{16} << 10;  // request line and fields: then 431
  std::size_t fields_max = 100;                          // then 431
  std::size_t output_bytes_max = std::size_t{8}
                                 << 20;  // queued by a streamed response: `write` refuses
  Micros header_timeout =
      Micros::from_seconds(10);  // from a request's first byte to its last field: 408
  Micros idle_timeout = Micros::from_seconds(75);  // between requests: closed
  Micros body_timeout = Micros::from_seconds(30);  // without a byte of the body, unless paused: 408
  Micros answer_timeout =
      Micros::from_seconds(60);  // from the whole request to the begin of the answer: 503
  Micros write_timeout =
      Micros::from_seconds(30);  // the client takes nothing of what is queued: closed
  // A body must arrive, and what is queued must be taken, at this pace at least; otherwise 408, or
  // the connection is dropped. The first `body_timeout` of a body is its grace (so one of N bytes
  // has `body_timeout` + N / rate altogether, without the time in which the handler paused it);
  // answers are looked at each `write_timeout`. 0: not asked for.
  std::size_t body_bytes_per_second_min = 1024;
  std::size_t answer_bytes_per_second_min = 4096;
  // Shared by servers that are to be bounded together; without it, the server has one of its own.
  std::shared_ptr<HttpBudget> budget = {};
  bool reuse_port = false;
  std::shared_ptr<TlsServerContext> tls = {};  // given: HTTPS
  // Connections that were not taken: see TcpListenOptions.
  std::function<void(const Address& peer, const Error& why)> on_refused = {};
  const Clock* clock =
      nullptr;  // given, answers carry Date (RFC 9110, 6.6.1); must outlive the server
};

// One request and its answer. Owned by the handler, which may keep it and answer later from any
// callback of the loop; destroyed unanswered it answers 500,
// destroyed within a streamed answer it breaks that off. Used on the loop's thread. After the
// client has gone, or a limit ended the exchange, `is_open` is false and every call does nothing;
// the object stays valid.
class HttpExchange {
 public:
  class Core;
  explicit HttpExchange(std::shared_ptr<Core> core);  // made by HttpServer
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // --- The request. Views are valid as long as the exchange.
  std::string_view method() const;  // "GET"; methods compare with case (RFC 9110, 9.1)
  const HttpTarget& target() const;
  const HttpHeaders& headers() const;
  const Address& peer() const;
  std::string_view header(std::string_view name) const;     // empty if missing
  std::string_view parameter(std::string_view name) const;  // of the query; empty if missing

  // --- The body: one of the two, or neither (it is then skipped after the answer, or the
  // connection closed if it is long). "Expect: 100-continue" is answered when the body is asked
  // for. Collects the body and calls once. A longer one is answered 413, and `on_body` is not
  // called.
  void read_body(std::size_t bytes_max,
                 std::move_only_function<void(std::string_view body)> on_body);
  // Calls for each piece as it arrives (valid during the call), then `on_end`. Length and pace are
  // bounded only by `bytes_max` (then 413) and `pause_body`.
  void stream_body(std::uint64_t bytes_max,
                   std::move_only_function<void(std::string_view)> on_piece, Task on_end);
  // While paused no piece and no end is delivered, and the client is held back.
  void pause_body();
  void resume_body();
  std::uint64_t body_bytes() const;  // received so far

  // --- The answer: one of respond, start_stream, upgrade_websocket. Content-Length,
  // Transfer-Encoding, Connection and Date are the server's: such fields of the caller are left
  // out.
  void respond(int status, std::string_view content_type, std::string body);
  void respond(int status, const HttpHeaders& headers, std::string body);
  // Begins an answer of unknown length (Server-Sent Events, large downloads).
  void start_stream(int status, const HttpHeaders& headers);
  // False, and nothing queued, if `output_bytes_max` would be exceeded or the exchange is not open.
  [[nodiscard]] bool write(std::string_view text);
  std::size_t bytes_queued() const;
  bool is_congested() const;        // more than half of the limit is queued
  void on_writable(Task callback);  // called each time when there is room again
  void finish();                    // ends a streamed answer
  // Breaks a streamed answer off so that the client notices (the connection is aborted).
  void abort();

  // Null without TLS, or if the client showed none; valid while the exchange is open.
  const PeerCertificate* peer_certificate() const;
  bool is_encrypted() const;  // false also after the exchange has closed

  EventLoop& loop() const;  // REQUIRES: is_open()
  // Takes the connection over as a WebSocket (RFC 6455). Fails, leaving the exchange to be
  // answered, if the request is no proper upgrade. The handler must outlive the WebSocket.
  Result<std::unique_ptr<WebSocket>> upgrade_websocket(const WebSocketOptions& options,
                                                       WebSocketHandler& handler);

  // Called once if the exchange ends before its answer was wholly handed to the kernel: the client
  // went away or broke the protocol, or a time limit passed. A client that ends its side while
  // waiting counts as gone.
  void on_closed(std::move_only_function<void(const Error& reason)> callback);
  bool is_open() const;      // an answer can still be given or continued
  bool is_answered() const;  // one was begun

 private:
  std::shared_ptr<Core> core_;
};

// Who answers. Called when a request's header is complete; routing is the handler's.
class HttpHandler {
 public:
  virtual void on_request(std::unique_ptr<HttpExchange> exchange) = 0;

 protected:
  ~HttpHandler() = default;
};

struct HttpServerCounts {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t requests = 0;
  std::uint64_t requests_malformed = 0;  // refused before the handler saw them
  std::uint64_t timeouts = 0;            // of any kind; of them:
  std::uint64_t headers_slow = 0;        // 408, or nothing was said
  std::uint64_t bodies_slow = 0;         // 408
  std::uint64_t answers_late = 0;        // 503: the handler's
  std::uint64_t readers_slow = 0;        // dropped with what they had not taken
  std::uint64_t bytes_in = 0;            // of closed connections
  std::uint64_t bytes_out = 0;
};

// HTTP/1.1 (RFC 9112) over TCP: keep-alive; pipelined requests are answered one after the other;
// requests whose length can be read in two ways are refused with 400 and the connection closed.
// Destroying the server closes its connections; exchanges still held become closed without a
// callback, WebSockets live on.
class HttpServer {
 public:
  // The handler must outlive the server. Port 0 takes a free one.
  static Result<std::unique_ptr<HttpServer>> open(EventLoop& loop, const Address& address,
                                                  const HttpServerOptions& options,
                                                  HttpHandler& handler);
  // One without a port: connections come by accept() only.
  static std::unique_ptr<HttpServer> create(EventLoop& loop, const HttpServerOptions& options,
                                            HttpHandler& handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Takes over a connection, whatever carries it.
  void accept(std::unique_ptr<Connection> link);
  const Address& address() const;
  std::size_t connection_count() const;
  HttpServerCounts counts() const;
  TlsCounts tls_counts() const;
  // Accepts no more; idle connections close, those with a request in progress after their answer.
  void drain();

 private:
  class Core;
  explicit HttpServer(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace ficus::net
