#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/http_parser.h"
#include "net/http_server.h"
#include "net/tcp.h"

namespace ficus::net {

class HttpConnection;

// What an HttpExchange and its connection share. `connection` is null once the exchange is over.
class HttpExchange::Core {
 public:
  // Ends the exchange for its owner: every later call does nothing.
  void end();
  // The same, telling the owner why if the answer was not complete.
  void break_off(const Error& reason);

  HttpConnection* connection = nullptr;
  HttpHead head;
  HttpTarget target;
  Address peer;

  enum class BodyMode : std::uint8_t { unclaimed, collected, streamed };
  BodyMode body_mode = BodyMode::unclaimed;
  bool is_body_paused = false;
  std::uint64_t body_bytes = 0;
  std::uint64_t body_bytes_max = 0;
  std::string collected;
  std::move_only_function<void(std::string_view)> on_body;  // whole, or piece by piece
  Task on_body_end;

  enum class Answer : std::uint8_t { none, streaming, complete };
  Answer answer = Answer::none;
  Task on_writable;
  std::move_only_function<void(const Error&)> on_closed;
};

// What a connection needs of its server. For this module only.
class HttpConnectionOwner {
 public:
  virtual void remove(HttpConnection& connection) = 0;  // destroys it, now
  virtual void remove_later(HttpConnection& connection) = 0;

  const HttpServerOptions* options = nullptr;
  HttpHandler* handler = nullptr;
  EventLoop* loop = nullptr;
  HttpServerCounts counts;
  std::uint64_t now_ticks = 0;  // of the timer that watches the time limits
  std::int64_t tick_us = 1;
  bool is_draining = false;
  std::shared_ptr<HttpBudget> budget;

 protected:
  ~HttpConnectionOwner() = default;
};

// One connection of an HttpServer: reads a request, hands out its exchange, writes the answer, and
// again. For this module only.
class HttpConnection final : public ConnectionHandler, public HttpBudget::Holder {
 public:
  // `number`: another one for each connection of its server.
  HttpConnection(HttpConnectionOwner& server, std::unique_ptr<Connection> tcp,
                 std::uint64_t number);
  ~HttpConnection();
  void start();

  // From the exchange; it checks that it is open.
  void claim_body();
  void continue_body();
  bool is_end_owed() const;
  void respond(int status, const HttpHeaders& headers, std::string body);
  void start_stream(int status, const HttpHeaders& headers);
  bool write(std::string_view text);
  void finish();
  void abort_exchange(const Error& reason);
  std::size_t bytes_queued() const;
  bool is_congested() const;
  // Sends the answer that switches protocols and gives the connection away.
  std::unique_ptr<Connection> release(std::string answer);

  std::uint64_t number() const { return number_; }
  const Connection& carrier() const { return *tcp_; }
  EventLoop& loop() { return *server_.loop; }

  // From the server.
  void check_time();
  void drain();

  std::size_t on_bytes(std::span<const std::byte> bytes) override;
  bool on_end() override;
  void on_writable() override;
  void on_closed(const Error& reason) override;

  std::size_t bytes_held() const override;
  void give_up() override;

 private:
  enum class Phase : std::uint8_t {
    idle,       // between requests
    head,       // part of a header has arrived
    body,       // the exchange is open, its body not wholly read
    answering,  // the request is read, its answer not complete
    skipping,   // the answer is complete, the rest of the body is read over
    closing,
  };

  std::size_t read(std::string_view input);
  std::size_t read_head(std::string_view input);
  std::size_t read_body(std::string_view input);
  void begin_exchange();
  void refuse_body(int status, const Error& why);
  void deliver_piece(std::string_view piece);
  void end_body();
  void end_answer();
  void next_request();
  void refuse(int status, std::string_view why);
  void send_head(int status, const HttpHeaders& headers, std::string_view framing);
  bool may_keep_alive() const;
  void close();
  void set_deadline(Micros from_now);
  void expire();
  bool is_body_awaited() const;
  bool is_body_too_slow();
  bool is_reader_too_slow();
  std::uint64_t ticks_of(Micros time) const;
  Error gone(std::string_view why) const;

  HttpConnectionOwner& server_;
  std::unique_ptr<Connection> tcp_;
  const std::uint64_t number_;
  std::unique_ptr<HttpParser> parser_;
  std::shared_ptr<HttpExchange::Core> exchange_;
  Phase phase_ = Phase::idle;
  bool is_reading_ = false;  // inside on_bytes: what can be read on will be
  bool keeps_alive_ = true;
  bool is_continue_owed_ = false;  // the client waits for "100 Continue"
  bool is_head_request_ = false;
  bool is_answer_chunked_ = false;
  std::uint64_t deadline_ticks_ = 0;      // 0: none
  std::uint64_t body_ticks_ = 0;          // in which the client could have sent of its body
  std::uint64_t window_since_ticks_ = 0;  // in which the client's pace of reading is measured
  std::uint64_t window_bytes_sent_ = 0;   // before it
  std::uint64_t skipped_bytes_ = 0;
};

// The answer's bytes up to the empty line. `framing` is the server's own fields.
std::string http_answer_head(int status, const HttpHeaders& headers, std::string_view framing,
                             const Clock* clock);

}  // namespace ficus::net
