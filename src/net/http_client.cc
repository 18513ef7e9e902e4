#include "net/http_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "net/bytes.h"
#include "net/http_parser.h"
#include "net/tcp.h"

namespace ficus::net {

namespace {

struct Job {
  HttpRequest request;
  HttpClient::Callback on_done;
  bool was_sent_before = false;
};

bool is_idempotent(const std::string& method) {  // RFC 9110, 9.2.2
  constexpr std::array<std::string_view, 6> kMethods = {"GET",    "HEAD",    "PUT",
                                                        "DELETE", "OPTIONS", "TRACE"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

std::string request_head(const HttpRequest& request, std::string_view host) {
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\nHost: ";
  text += host;
  text += "\r\n";
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const HttpField field = request.headers.at(i);
    text += field.name;
    text += ": ";
    text += field.value;
    text += "\r\n";
  }
  if (request.body_source) {
    text += "Transfer-Encoding: chunked\r\n";
  } else if (!request.body.empty() || !is_idempotent(request.method) || request.method == "PUT") {
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return text + "\r\n";
}

}  // namespace

// What a connection tells its client.
class HttpClientOwner {
 public:
  // The connection has no job any more; it may be given another if `is_reusable`.
  virtual void on_free(class HttpClientConnection& connection, bool is_reusable) = 0;
  // The server closed a kept connection before it saw the job.
  virtual void give_back(Job job) = 0;

  EventLoop* loop = nullptr;
  std::string host;
  HttpClientOptions options;

 protected:
  ~HttpClientOwner() = default;
};

// One connection of a client: connects with its first job, then does one after the other.
class HttpClientConnection final : public ConnectionHandler,
                                   public std::enable_shared_from_this<HttpClientConnection> {
 public:
  explicit HttpClientConnection(HttpClientOwner& owner) : owner_(&owner), deadline_(*owner.loop) {}

  void detach() {
    owner_ = nullptr;
    job_.reset();
    connector_.reset();
    deadline_.cancel();
    tcp_.reset();
  }

  bool is_idle() const { return !job_.has_value(); }

  void begin(Job job) {
    job_.emplace(std::move(job));
    if (tcp_ != nullptr) return send_request();
    TcpConnectOptions options;
    options.timeout = owner_->options.connect_timeout;
    options.tls = owner_->options.tls;
    options.alpn = "http/1.1";
    connector_.emplace(*owner_->loop, owner_->host, options,
                       [this](Result<std::unique_ptr<TcpConnection>> tcp) {
                         const auto self = shared_from_this();
                         if (!tcp) return finish(std::unexpected(std::move(tcp).error()), false);
                         tcp_ = *std::move(tcp);
                         tcp_->start(*this);
                         send_request();
                       });
  }

  std::size_t on_bytes(std::span<const std::byte> bytes) override {
    const auto self = shared_from_this();
    const std::string_view input = text_of(bytes);
    std::size_t used = 0;
    while (used < input.size() && job_) {
      const HttpParser::Step step = parser_->put(input.substr(used));
      if (step.error != HttpParseError::none) {
        finish(fail(ErrorCode::invalid_input, owner_->host + ": the answer is no HTTP"), false);
        return input.size();
      }
      used += step.consumed;
      has_answer_begun_ = true;
      if (!on_step(step.piece)) return input.size();
      if (step.consumed == 0) return used;
    }
    if (!job_ && used < input.size()) drop();  // an answer to nothing
    return tcp_ != nullptr ? used : input.size();
  }

  bool on_end() override {
    const auto self = shared_from_this();
    if (job_ && has_answer_begun_ && parser_->put_end()) {
      finish(take_response(), false);
    } else {
      broken({ErrorCode::unavailable, owner_->host + ": closed the connection before answering"});
    }
    return false;
  }

  void on_writable() override {
    if (job_ && is_sending_) pump();
  }

  void on_closed(const Error& reason) override {
    const auto self = shared_from_this();
    broken(reason);
  }

 private:
  void send_request() {
    const HttpRequest& request = job_->request;
    is_reused_ = jobs_done_ > 0;
    has_answer_begun_ = false;
    was_header_told_ = false;
    body_.clear();
    start_parser();
    if (owner_->options.request_timeout.count > 0) {
      deadline_.start_once(owner_->options.request_timeout, [this] {
        const auto self = shared_from_this();
        finish(fail(ErrorCode::timed_out, owner_->host + ": no answer in time"), false);
      });
    }
    tcp_->send_beyond_limit(request_head(request, owner_->host));
    is_sending_ = static_cast<bool>(request.body_source);
    if (is_sending_) return pump();
    if (!request.body.empty()) tcp_->send_beyond_limit(std::string(request.body));
  }

  void start_parser() {
    const bool has_no_body = job_->request.method == "HEAD";
    parser_.emplace(
        has_no_body ? HttpParser::Kind::response_without_body : HttpParser::Kind::response,
        HttpParserLimits{.header_bytes_max = owner_->options.header_bytes_max, .fields_max = 1000});
  }

  void pump() {
    const auto self = shared_from_this();
    while (job_ && is_sending_ && !tcp_->is_congested()) {
      std::string piece;
      // The callback may destroy the client, and with it itself.
      auto source = std::move(job_->request.body_source);
      is_sending_ = source(piece);
      if (!job_) return;
      job_->request.body_source = std::move(source);
      std::array<char, 20> size;
      const auto end = std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16).ptr;
      if (!piece.empty()) {
        tcp_->send_beyond_limit(std::string(size.data(), end) + "\r\n" + piece + "\r\n");
      }
    }
    if (job_ && !is_sending_) tcp_->send_beyond_limit("0\r\n\r\n");
  }

  // False if this connection has nothing more to read.
  bool on_step(std::string_view piece) {
    if (parser_->is_header_done() && parser_->head().status / 100 == 1) {
      start_parser();  // an interim answer (RFC 9110, 15.2)
      return true;
    }
    HttpRequest& request = job_->request;
    if (parser_->is_header_done() && !std::exchange(was_header_told_, true) && request.on_header) {
      auto on_header = std::move(request.on_header);
      on_header(parser_->head().status, parser_->head().headers);
      if (!job_) return false;
    }
    if (!piece.empty() && !take_piece(piece)) return false;
    if (!parser_->is_done()) return true;
    const bool keeps_alive = parser_->head().keeps_alive && !is_sending_;
    finish(take_response(), keeps_alive);
    return keeps_alive && tcp_ != nullptr;
  }

  bool take_piece(std::string_view piece) {
    if (job_->request.on_body_piece) {
      auto on_piece = std::move(job_->request.on_body_piece);
      const bool goes_on = on_piece(piece);
      if (!job_) return false;
      job_->request.on_body_piece = std::move(on_piece);
      if (goes_on) return true;
      finish(fail(ErrorCode::unavailable, owner_->host + ": broken off here"), false);
      return false;
    }
    if (piece.size() > owner_->options.response_bytes_max - body_.size()) {
      finish(fail(ErrorCode::overloaded, owner_->host + ": the answer is longer than " +
                                             std::to_string(owner_->options.response_bytes_max) +
                                             " bytes"),
             false);
      return false;
    }
    body_ += piece;
    return true;
  }

  HttpResponse take_response() {
    HttpHead& head = parser_->head();
    return {.status = head.status, .headers = std::move(head.headers), .body = std::move(body_)};
  }

  void broken(Error reason) {
    if (job_ && is_reused_ && !has_answer_begun_ && !job_->was_sent_before &&
        !job_->request.body_source && is_idempotent(job_->request.method)) {
      Job job = std::move(*job_);
      job_.reset();
      job.was_sent_before = true;
      HttpClientOwner* const owner = owner_;
      drop();
      if (owner != nullptr) owner->give_back(std::move(job));
      return;
    }
    if (job_) return finish(std::unexpected(std::move(reason)), false);
    drop();
  }

  // The callback comes last: it may destroy the client.
  void finish(Result<HttpResponse> result, bool is_reusable) {
    Job job = std::move(*job_);
    job_.reset();
    ++jobs_done_;
    deadline_.cancel();
    if (is_reusable) {
      if (owner_ != nullptr) owner_->on_free(*this, true);
    } else {
      drop();
    }
    if (job.on_done) job.on_done(std::move(result));
  }

  void drop() {
    deadline_.cancel();
    tcp_.reset();
    if (owner_ != nullptr) owner_->on_free(*this, false);
  }

  HttpClientOwner* owner_;
  Timer deadline_;
  std::optional<TcpConnector> connector_;
  std::unique_ptr<Connection> tcp_;
  std::optional<HttpParser> parser_;
  std::optional<Job> job_;
  std::string body_;
  std::uint64_t jobs_done_ = 0;
  bool is_reused_ = false;
  bool has_answer_begun_ = false;
  bool was_header_told_ = false;
  bool is_sending_ = false;
};

class HttpClient::Core final : public HttpClientOwner, public std::enable_shared_from_this<Core> {
 public:
  Core(EventLoop& on_loop, std::string host_port, const HttpClientOptions& with) {
    loop = &on_loop;
    host = std::move(host_port);
    options = with;
  }

  void request(HttpRequest request, Callback on_done) {
    if (waiting_.size() >= options.waiting_max) {
      loop->post([callback = std::move(on_done), text = host]() mutable {
        callback(fail(ErrorCode::overloaded, text + ": too many requests wait"));
      });
      return;
    }
    waiting_.push_back({.request = std::move(request), .on_done = std::move(on_done)});
    plan();
  }

  void cancel() {
    is_cancelled_ = true;
    for (const auto& connection : connections_) connection->detach();
    connections_.clear();
    waiting_.clear();
  }

  void on_free(HttpClientConnection& connection, bool is_reusable) override {
    if (!is_reusable) {
      connection.detach();
      std::erase_if(connections_, [&](const auto& one) { return one.get() == &connection; });
    }
    plan();
  }

  void give_back(Job job) override {
    waiting_.push_front(std::move(job));
    plan();
  }

  std::size_t pending_count() const {
    return waiting_.size() +
           static_cast<std::size_t>(std::count_if(connections_.begin(), connections_.end(),
                                                  [](const auto& one) { return !one->is_idle(); }));
  }

 private:
  // Jobs are handed out from the loop, so that no callback comes from within a call.
  void plan() {
    if (is_planned_ || waiting_.empty() || is_cancelled_) return;
    is_planned_ = true;
    loop->post([self = shared_from_this()] {
      self->is_planned_ = false;
      self->dispatch();
    });
  }

  void dispatch() {
    const auto self = shared_from_this();
    while (!waiting_.empty()) {
      auto free = std::find_if(connections_.begin(), connections_.end(),
                               [](const auto& one) { return one->is_idle(); });
      if (free == connections_.end()) {
        if (connections_.size() >= std::max<std::size_t>(1, options.connections_max)) return;
        connections_.push_back(std::make_shared<HttpClientConnection>(*this));
        free = connections_.end() - 1;
      }
      Job job = std::move(waiting_.front());
      waiting_.pop_front();
      const auto connection = *free;
      connection->begin(std::move(job));
    }
  }

  std::deque<Job> waiting_;
  std::vector<std::shared_ptr<HttpClientConnection>> connections_;
  bool is_planned_ = false;
  bool is_cancelled_ = false;
};

HttpClient::HttpClient(EventLoop& loop, std::string host_port, const HttpClientOptions& options)
    : core_(std::make_shared<Core>(loop, std::move(host_port), options)) {}
HttpClient::~HttpClient() { core_->cancel(); }
void HttpClient::request(HttpRequest request, Callback on_done) {
  core_->request(std::move(request), std::move(on_done));
}
std::size_t HttpClient::pending_count() const { return core_->pending_count(); }

}  // namespace ficus::net
