#include "net/http_connection.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "net/bytes.h"

namespace ficus::net {

namespace {

// A body that nobody asked for is read over to keep the connection, if it is this short.
constexpr std::uint64_t kSkipBytesMax = std::uint64_t{64} << 10;
// Pipelined requests that wait behind an unanswered one; then reading pauses.
constexpr std::size_t kWaitingBytesMax = std::size_t{16} << 10;
// So short an answer is given however much others hold: it is no longer than a refusal.
constexpr std::size_t kAlwaysBytes = 2048;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

int refusal_status(HttpParseError error) {
  switch (error) {
    case HttpParseError::header_too_large:
      return 431;
    case HttpParseError::unsupported_version:
      return 505;
    case HttpParseError::unsupported_encoding:
      return 501;
    case HttpParseError::malformed:
    case HttpParseError::none:
      return 400;
  }
  std::unreachable();
}

Error too_long(std::uint64_t bytes_max) {
  return {ErrorCode::overloaded, "the body is longer than " + std::to_string(bytes_max) + " bytes"};
}

std::string chunk_begin(std::size_t bytes) {
  std::array<char, 20> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), bytes, 16).ptr;
  return std::string(text.data(), end) + "\r\n";
}

}  // namespace

HttpConnection::HttpConnection(HttpConnectionOwner& server, std::unique_ptr<Connection> tcp,
                               std::uint64_t number)
    : server_(server), tcp_(std::move(tcp)), number_(number) {}

HttpConnection::~HttpConnection() {
  server_.budget->forget(*this);
  if (exchange_ != nullptr) exchange_->end();
}

void HttpConnection::start() {
  set_deadline(server_.options->header_timeout);  // a client that connects has something to say
  window_since_ticks_ = server_.now_ticks;
  tcp_->start(*this);
}

Error HttpConnection::gone(std::string_view why) const {
  return {ErrorCode::unavailable, "http client " + tcp_->peer().text() + ": " + std::string(why)};
}

std::uint64_t HttpConnection::ticks_of(Micros time) const {
  return static_cast<std::uint64_t>(time.count / server_.tick_us);
}

void HttpConnection::set_deadline(Micros from_now) {
  deadline_ticks_ = server_.now_ticks + ticks_of(from_now) + 1;
}

std::size_t HttpConnection::bytes_held() const {
  if (tcp_ == nullptr) return 0;
  return tcp_->bytes_queued() + (exchange_ != nullptr ? exchange_->collected.size() : 0);
}

// Called while somebody else is being served: the owner hears of it from the loop.
void HttpConnection::give_up() {
  const auto exchange = std::exchange(exchange_, nullptr);
  phase_ = Phase::closing;
  deadline_ticks_ = 0;
  tcp_->abort();
  if (exchange == nullptr) return;
  exchange->connection = nullptr;
  exchange->collected = {};
  server_.loop->post([exchange, why = Error{ErrorCode::overloaded,
                                            "http client " + tcp_->peer().text() +
                                                " held the most when there was no room left"}] {
    exchange->break_off(why);
  });
}

// ---- reading

std::size_t HttpConnection::on_bytes(std::span<const std::byte> bytes) {
  is_reading_ = true;
  const std::size_t used = read(text_of(bytes));
  is_reading_ = false;
  if (phase_ == Phase::closing || tcp_ == nullptr) return used;
  const std::size_t waiting = bytes.size() - used;
  const bool is_held = exchange_ != nullptr && phase_ == Phase::body &&
                       (exchange_->is_body_paused ||
                        exchange_->body_mode == HttpExchange::Core::BodyMode::unclaimed);
  if (phase_ == Phase::answering || is_held || is_end_owed() || tcp_->is_congested()) {
    // The client's end is noticed only while reading, so reading goes on as long as little piles
    // up.
    if (waiting > kWaitingBytesMax || is_held) tcp_->pause_reading();
  }
  return used;
}

std::size_t HttpConnection::read(std::string_view input) {
  std::size_t used = 0;
  while (used < input.size()) {
    const std::string_view rest = input.substr(used);
    std::size_t step = 0;
    switch (phase_) {
      case Phase::idle:
      case Phase::head:
        if (tcp_->is_congested()) return used;  // answers pile up: `on_writable` reads on
        step = read_head(rest);
        break;
      case Phase::body:
      case Phase::skipping:
        step = read_body(rest);
        break;
      case Phase::answering:
        return used;
      case Phase::closing:
        return input.size();
    }
    if (step == 0) break;
    used += step;
    if (tcp_ == nullptr) break;  // given to a WebSocket
  }
  return used;
}

std::size_t HttpConnection::read_head(std::string_view input) {
  if (phase_ == Phase::idle) {
    // An empty line before a request is allowed (RFC 9112, 2.2).
    if (input.starts_with("\r\n")) return 2;
    if (input == "\r") return 0;
    phase_ = Phase::head;
    parser_ = std::make_unique<HttpParser>(
        HttpParser::Kind::request,
        HttpParserLimits{.header_bytes_max = server_.options->header_bytes_max,
                         .fields_max = server_.options->fields_max});
    set_deadline(server_.options->header_timeout);
  }
  const HttpParser::Step step = parser_->put(input);
  if (step.error != HttpParseError::none) {
    ++server_.counts.requests_malformed;
    refuse(refusal_status(step.error), "malformed request");
    return input.size();
  }
  if (parser_->is_header_done()) begin_exchange();
  return step.consumed;
}

void HttpConnection::begin_exchange() {
  ++server_.counts.requests;
  auto exchange = std::make_shared<HttpExchange::Core>();
  exchange->connection = this;
  exchange->head = std::move(parser_->head());
  exchange->peer = tcp_->peer();
  const HttpHead& head = exchange->head;
  keeps_alive_ = head.keeps_alive;
  is_head_request_ = head.method == "HEAD";
  auto target = HttpTarget::parse(head.target);
  if (!target) {
    ++server_.counts.requests_malformed;
    return refuse(400, target.error().message);
  }
  if (head.headers.count("Expect") > 0 && !head.expects_continue && head.is_http11) {
    return refuse(417, "the only expectation served is 100-continue");
  }
  exchange->target = *std::move(target);
  phase_ = parser_->is_done() ? Phase::answering : Phase::body;
  is_continue_owed_ = head.expects_continue && phase_ == Phase::body;
  set_deadline(server_.options->answer_timeout);
  body_ticks_ = 0;
  exchange_ = exchange;
  server_.handler->on_request(std::make_unique<HttpExchange>(std::move(exchange)));
}

std::size_t HttpConnection::read_body(std::string_view input) {
  if (phase_ == Phase::body) {
    if (exchange_->body_mode == HttpExchange::Core::BodyMode::unclaimed) return 0;
    if (exchange_->is_body_paused) return 0;
    if (is_end_owed()) return 0;  // what comes now is the next request
    set_deadline(server_.options->body_timeout);
  }
  const HttpParser::Step step = parser_->put(input);
  if (step.error != HttpParseError::none) {
    ++server_.counts.requests_malformed;
    refuse_body(400, {ErrorCode::invalid_input, "malformed body"});
    return input.size();
  }
  if (!step.piece.empty()) deliver_piece(step.piece);
  if (parser_ != nullptr && parser_->is_done()) end_body();
  return step.consumed;
}

// Ends the exchange because of its body, with an answer if none was begun.
void HttpConnection::refuse_body(int status, const Error& why) {
  const auto exchange = std::exchange(exchange_, nullptr);
  if (exchange != nullptr && exchange->answer != HttpExchange::Core::Answer::none) {
    phase_ = Phase::closing;
    tcp_->abort();
  } else {
    refuse(status, why.message);
  }
  if (exchange != nullptr) exchange->break_off(why);
}

void HttpConnection::deliver_piece(std::string_view piece) {
  if (phase_ == Phase::skipping) {
    skipped_bytes_ += piece.size();
    if (skipped_bytes_ > kSkipBytesMax) close();
    return;
  }
  const auto exchange = exchange_;
  exchange->body_bytes += piece.size();
  if (exchange->body_bytes > exchange->body_bytes_max) {
    refuse_body(413, too_long(exchange->body_bytes_max));
    return;
  }
  if (exchange->body_mode == HttpExchange::Core::BodyMode::collected) {
    if (!server_.budget->make_room(*this, piece.size())) {
      refuse_body(503, {ErrorCode::overloaded, "no room for the body: try again in a second"});
      return;
    }
    exchange->collected += piece;
    server_.budget->note(*this);
    return;
  }
  // The callback may end the exchange, and with it itself.
  auto on_body = std::move(exchange->on_body);
  on_body(piece);
  if (exchange->connection != nullptr) exchange->on_body = std::move(on_body);
}

void HttpConnection::end_body() {
  if (phase_ == Phase::skipping) return next_request();
  if (phase_ != Phase::body || exchange_ == nullptr) return;
  const auto exchange = exchange_;
  if (exchange->is_body_paused) return;  // told when it resumes
  phase_ = Phase::answering;
  if (exchange->answer == HttpExchange::Core::Answer::none) {
    set_deadline(server_.options->answer_timeout);
  } else {
    deadline_ticks_ = 0;
  }
  auto on_body = std::move(exchange->on_body);
  auto on_end = std::move(exchange->on_body_end);
  if (exchange->body_mode == HttpExchange::Core::BodyMode::collected) {
    const std::string body = std::move(exchange->collected);
    if (on_body) on_body(body);
  } else if (on_end) {
    on_end();
  }
}

void HttpConnection::claim_body() {
  HttpExchange::Core& exchange = *exchange_;
  if (!exchange.head.is_chunked && exchange.head.content_length > exchange.body_bytes_max) {
    refuse_body(413, too_long(exchange.body_bytes_max));
    return;
  }
  if (is_continue_owed_) {
    is_continue_owed_ = false;
    tcp_->send_beyond_limit(std::string(kContinue));
  }
  continue_body();
}

// The body is whole, but its end is still to be told: there was none, or it was paused at its last
// piece. The parser takes nothing more.
bool HttpConnection::is_end_owed() const { return phase_ == Phase::body && parser_->is_done(); }

void HttpConnection::continue_body() {
  if (phase_ == Phase::body) set_deadline(server_.options->body_timeout);
  if (is_end_owed()) {
    server_.loop->post([this, exchange = exchange_] {
      if (exchange->connection == this && is_end_owed()) end_body();
    });
    return;
  }
  if (phase_ == Phase::answering) {  // there is no body: the end is told from the loop
    phase_ = Phase::body;
    return continue_body();
  }
  if (!is_reading_) tcp_->resume_reading();
}

// ---- answering

bool HttpConnection::may_keep_alive() const {
  if (!keeps_alive_ || server_.is_draining) return false;
  if (phase_ != Phase::body) return true;
  // What is left of the body would have to be read over first.
  if (parser_->is_done()) return true;
  if (is_continue_owed_ || exchange_->head.is_chunked) return false;
  return exchange_->head.content_length - exchange_->body_bytes <= kSkipBytesMax;
}

void HttpConnection::send_head(int status, const HttpHeaders& headers, std::string_view framing) {
  keeps_alive_ = may_keep_alive();
  std::string fields(framing);
  if (!keeps_alive_) {
    fields += "Connection: close\r\n";
  } else if (exchange_ != nullptr && !exchange_->head.is_http11) {
    fields += "Connection: keep-alive\r\n";
  }
  tcp_->send_beyond_limit(http_answer_head(status, headers, fields, server_.options->clock));
}

void HttpConnection::respond(int status, const HttpHeaders& headers, std::string body) {
  const bool has_no_body = status == 204 || status == 304;  // RFC 9110, 6.4.1
  if (has_no_body || is_head_request_) {
    send_head(status, headers,
              has_no_body ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n");
  } else if (body.size() > kAlwaysBytes && !server_.budget->make_room(*this, body.size())) {
    body = "the answers that wait for slow readers leave no room: try again in a second\n";
    send_head(503, {{"Content-Type", "text/plain"}, {"Retry-After", "1"}},
              "Content-Length: " + std::to_string(body.size()) + "\r\n");
    tcp_->send_beyond_limit(std::move(body));
  } else {
    send_head(status, headers, "Content-Length: " + std::to_string(body.size()) + "\r\n");
    if (!body.empty()) tcp_->send_beyond_limit(std::move(body));
  }
  server_.budget->note(*this);
  end_answer();
}

void HttpConnection::start_stream(int status, const HttpHeaders& headers) {
  is_answer_chunked_ = exchange_->head.is_http11;
  if (!is_answer_chunked_)
    keeps_alive_ = false;  // HTTP/1.0: the end of the connection ends the answer
  send_head(status, headers, is_answer_chunked_ ? "Transfer-Encoding: chunked\r\n" : "");
  exchange_->answer = HttpExchange::Core::Answer::streaming;
  if (phase_ == Phase::answering) deadline_ticks_ = 0;
}

bool HttpConnection::write(std::string_view text) {
  if (text.empty() || is_head_request_) return true;
  if (!server_.budget->make_room(*this, text.size())) {
    // No sign would come when there is room again, so it ends here and not in a wait without end.
    exchange_->on_closed = nullptr;  // the owner is told by the answer of this call
    abort_exchange({ErrorCode::overloaded, "no room for the answer"});
    return false;
  }
  bool is_queued = false;
  if (!is_answer_chunked_) {
    is_queued = tcp_->send(text);
  } else {
    std::string chunk = chunk_begin(text.size());
    chunk.reserve(chunk.size() + text.size() + 2);
    chunk += text;
    chunk += "\r\n";
    is_queued = tcp_->send_block(std::move(chunk));
  }
  server_.budget->note(*this);
  return is_queued;
}

void HttpConnection::finish() {
  if (is_answer_chunked_ && !is_head_request_) tcp_->send_beyond_limit("0\r\n\r\n");
  end_answer();
}

void HttpConnection::end_answer() {
  const auto exchange = std::exchange(exchange_, nullptr);
  exchange->answer = HttpExchange::Core::Answer::complete;
  const bool is_body_left = phase_ == Phase::body && !parser_->is_done();
  if (!keeps_alive_) {
    close();
  } else if (is_body_left) {
    phase_ = Phase::skipping;
    skipped_bytes_ = 0;
    set_deadline(server_.options->body_timeout);
    if (!is_reading_) tcp_->resume_reading();
  } else {
    next_request();
  }
  exchange->end();
}

void HttpConnection::next_request() {
  phase_ = Phase::idle;
  parser_.reset();
  is_continue_owed_ = false;
  is_answer_chunked_ = false;
  is_head_request_ = false;
  if (server_.is_draining) return close();
  set_deadline(server_.options->idle_timeout);
  if (!is_reading_) tcp_->resume_reading();
}

void HttpConnection::abort_exchange(const Error& reason) {
  const auto exchange = std::exchange(exchange_, nullptr);
  phase_ = Phase::closing;
  tcp_->abort();
  if (exchange != nullptr) exchange->break_off(reason);
}

std::size_t HttpConnection::bytes_queued() const { return tcp_->bytes_queued(); }
bool HttpConnection::is_congested() const { return tcp_->is_congested(); }

std::unique_ptr<Connection> HttpConnection::release(std::string answer) {
  tcp_->send_beyond_limit(std::move(answer));
  const auto exchange = std::exchange(exchange_, nullptr);
  exchange->answer = HttpExchange::Core::Answer::complete;
  exchange->end();
  phase_ = Phase::closing;
  server_.budget->forget(*this);
  server_.remove_later(*this);
  return std::move(tcp_);
}

void HttpConnection::refuse(int status, std::string_view why) {
  FICUS_CHECK(exchange_ == nullptr);
  keeps_alive_ = false;
  const std::string body = std::string(why) + "\n";
  const std::string framing =
      "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n";
  tcp_->send_beyond_limit(
      http_answer_head(status, {{"Content-Type", "text/plain"}}, framing, server_.options->clock) +
      body);
  close();
}

void HttpConnection::close() {
  phase_ = Phase::closing;
  deadline_ticks_ = 0;
  tcp_->close();
}

// ---- events

bool HttpConnection::on_end() {
  const auto exchange = std::exchange(exchange_, nullptr);
  phase_ = Phase::closing;
  if (exchange != nullptr) exchange->break_off(gone("closed the connection"));
  return false;
}

void HttpConnection::on_writable() {
  if (exchange_ != nullptr) {
    const auto exchange = exchange_;
    if (!exchange->on_writable) return;
    Task callback = std::move(exchange->on_writable);
    callback();
    if (exchange->connection != nullptr && !exchange->on_writable) {
      exchange->on_writable = std::move(callback);
    }
    return;
  }
  if (phase_ == Phase::idle || phase_ == Phase::head) tcp_->resume_reading();
}

void HttpConnection::on_closed(const Error& reason) {
  server_.counts.bytes_in += tcp_->bytes_received();
  server_.counts.bytes_out += tcp_->bytes_sent();
  const auto exchange = std::exchange(exchange_, nullptr);
  server_.remove(*this);  // destroys this
  if (exchange != nullptr) exchange->break_off(reason);
}

void HttpConnection::check_time() {
  if (tcp_ == nullptr) return;
  server_.budget->note(*this);
  if (deadline_ticks_ != 0 && server_.now_ticks >= deadline_ticks_) return expire();
  if (is_body_too_slow()) return expire();
  if (!is_reader_too_slow()) return;
  ++server_.counts.timeouts;
  ++server_.counts.readers_slow;
  abort_exchange({ErrorCode::timed_out,
                  "http client " + tcp_->peer().text() + " takes too little of its answer"});
}

// It is the client's turn to send more of the body.
bool HttpConnection::is_body_awaited() const {
  return phase_ == Phase::body && !exchange_->is_body_paused &&
         exchange_->body_mode != HttpExchange::Core::BodyMode::unclaimed;
}

// One byte in each `body_timeout` would keep a connection, and what is collected, for ever.
bool HttpConnection::is_body_too_slow() {
  const std::size_t rate = server_.options->body_bytes_per_second_min;
  if (rate == 0 || !is_body_awaited()) return false;
  ++body_ticks_;
  const auto earned = Micros::from_seconds(static_cast<std::int64_t>(exchange_->body_bytes / rate));
  return body_ticks_ > ticks_of(server_.options->body_timeout) + ticks_of(earned);
}

bool HttpConnection::is_reader_too_slow() {
  const std::uint64_t window = ticks_of(server_.options->write_timeout);
  const std::uint64_t taken = tcp_->bytes_sent() - window_bytes_sent_;
  if (tcp_->bytes_queued() > 0 && server_.now_ticks - window_since_ticks_ <= window) return false;
  const auto least =
      static_cast<std::uint64_t>(static_cast<double>(server_.options->answer_bytes_per_second_min) *
                                 server_.options->write_timeout.seconds());
  const bool is_slow = tcp_->bytes_queued() > 0 && taken < std::max<std::uint64_t>(least, 1);
  window_bytes_sent_ = tcp_->bytes_sent();
  window_since_ticks_ = server_.now_ticks;
  return is_slow;
}

void HttpConnection::expire() {
  deadline_ticks_ = 0;
  if (phase_ == Phase::closing) return;
  if (phase_ == Phase::body && exchange_->is_body_paused)
    return;  // the handler's pause, not the client's
  ++server_.counts.timeouts;
  const auto exchange = std::exchange(exchange_, nullptr);
  const bool is_begun = exchange != nullptr && exchange->answer != HttpExchange::Core::Answer::none;
  const std::string client = "http client " + tcp_->peer().text();
  const bool waits_for_us =
      phase_ == Phase::answering ||
      (exchange != nullptr && exchange->body_mode == HttpExchange::Core::BodyMode::unclaimed);
  if (phase_ == Phase::idle || phase_ == Phase::skipping || is_begun) {
    if (phase_ == Phase::body || phase_ == Phase::skipping) ++server_.counts.bodies_slow;
    close();
  } else if (waits_for_us) {
    ++server_.counts.answers_late;
    refuse(503, "no answer in time");
  } else {
    ++(phase_ == Phase::body ? server_.counts.bodies_slow : server_.counts.headers_slow);
    refuse(408, "the request took too long");
  }
  if (exchange != nullptr) {
    exchange->break_off({ErrorCode::timed_out, client + (waits_for_us ? ": no answer in time"
                                                                      : ": body came too slowly")});
  }
}

void HttpConnection::drain() {
  if (phase_ == Phase::idle && tcp_ != nullptr) close();
}

}  // namespace ficus::net
