#include "net/http_server.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/time_text.h"
#include "net/http_connection.h"

namespace ficus::net {

namespace {

constexpr Micros kTickMax = Micros::from_millis(250);
constexpr std::size_t kBudgetBytesMax = std::size_t{256} << 20;

// Fine enough for the shortest of the limits.
Micros tick_of(const HttpServerOptions& options) {
  Micros least = kTickMax;
  for (const Micros limit : {options.header_timeout, options.idle_timeout, options.body_timeout,
                             options.answer_timeout, options.write_timeout}) {
    least = std::min(least, Micros{limit.count / 4});
  }
  return std::max(least, Micros::from_millis(1));
}

bool is_token(std::string_view name) {
  // RFC 9110, 5.6.2
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.contains(c);
  });
}

bool is_servers_own(std::string_view name) {
  return equals_ignoring_case(name, "Content-Length") ||
         equals_ignoring_case(name, "Transfer-Encoding") ||
         equals_ignoring_case(name, "Connection") || equals_ignoring_case(name, "Date");
}

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7)
std::string http_date(Timestamp now) {
  constexpr std::string_view kDays = "ThuFriSatSunMonTueWed";  // 1970-01-01 was a Thursday
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const CivilTime civil = to_civil(now);
  const auto day = static_cast<std::size_t>(now.micros / 86'400'000'000 % 7);
  const auto two = [](int value) {
    return std::string(1, static_cast<char>('0' + value / 10)) +
           static_cast<char>('0' + value % 10);
  };
  std::string text(kDays.substr(3 * day, 3));
  text += ", " + two(civil.day) + " ";
  text += kMonths.substr(3 * (static_cast<std::size_t>(civil.month) - 1), 3);
  text += " " + std::to_string(civil.year) + " " + two(civil.hour) + ":" + two(civil.minute) + ":" +
          two(civil.second) + " GMT";
  return text;
}

}  // namespace

std::string http_answer_head(int status, const HttpHeaders& headers, std::string_view framing,
                             const Clock* clock) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " ";
  text += http_reason(status);
  text += "\r\n";
  if (clock != nullptr) text += "Date: " + http_date(clock->now()) + "\r\n";
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const HttpField field = headers.at(i);
    if (!is_token(field.name) || is_servers_own(field.name)) continue;
    text += field.name;
    text += ": ";
    // A line end in a value would let whoever chose it write our header (response splitting).
    for (const char c : field.value) text += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    text += "\r\n";
  }
  text += framing;
  text += "\r\n";
  return text;
}

class HttpServer::Core final : public HttpConnectionOwner,
                               public std::enable_shared_from_this<Core> {
 public:
  Core(EventLoop& on_loop, const HttpServerOptions& with, HttpHandler& by)
      : options_(with), timer_(on_loop) {
    options = &options_;
    handler = &by;
    loop = &on_loop;
    budget = options_.budget != nullptr ? options_.budget
                                        : std::make_shared<HttpBudget>(kBudgetBytesMax);
    const Micros tick = tick_of(options_);
    tick_us = tick.count;
    timer_.start_repeating(tick, [this] { on_tick(); });
  }

  Status listen(const Address& address) {
    TcpListenOptions listen_options;
    listen_options.connections_max = options_.connections_max;
    listen_options.reuse_port = options_.reuse_port;
    listen_options.tls = options_.tls;
    listen_options.alpn = "http/1.1";
    listen_options.on_refused = options_.on_refused;
    listen_options.connection.output_bytes_max = options_.output_bytes_max;
    listen_options.connection.is_close_patient = true;
    listen_options.connection.close_timeout =
        std::min(listen_options.connection.close_timeout, options_.write_timeout);
    // The connection pauses itself long before: this bounds one read more than a header.
    listen_options.connection.input_bytes_max = options_.header_bytes_max + (std::size_t{1} << 20);
    FICUS_TRY(listener_, TcpListener::open(
                             *loop, address, listen_options,
                             [this](std::unique_ptr<Connection> tcp) { accept(std::move(tcp)); }));
    address_ = listener_->address();
    return {};
  }

  void remove(HttpConnection& connection) override { connections_.erase(connection.number()); }

  void remove_later(HttpConnection& connection) override {
    loop->post([weak = weak_from_this(), number = connection.number()] {
      if (const auto self = weak.lock()) self->connections_.erase(number);
    });
  }

  void drain() {
    is_draining = true;
    note_listener();
    listener_.reset();
    for (auto& [number, connection] : connections_) connection->drain();
  }

  HttpServerCounts all_counts() const {
    HttpServerCounts all = counts;
    if (listener_ != nullptr) {
      all.connections_accepted = listener_->accepted_count();
      all.connections_refused = listener_->refused_count();
    }
    return all;
  }

  TlsCounts tls_counts() const {
    return listener_ != nullptr ? listener_->tls_counts() : TlsCounts{};
  }
  const Address& address() const { return address_; }
  std::size_t connection_count() const {
    return listener_ != nullptr ? listener_->connection_count() : connections_.size();
  }

  void accept(std::unique_ptr<Connection> tcp) {
    const std::uint64_t number = next_number_++;
    auto connection = std::make_unique<HttpConnection>(*this, std::move(tcp), number);
    HttpConnection& started = *connection;
    connections_.emplace(number, std::move(connection));
    started.start();
  }

 private:
  void on_tick() {
    ++now_ticks;
    // A callback may end other exchanges, though never destroy a connection at once: see on_closed.
    for (auto& [number, connection] : connections_) connection->check_time();
  }

  void note_listener() {
    if (listener_ == nullptr) return;
    counts.connections_accepted = listener_->accepted_count();
    counts.connections_refused = listener_->refused_count();
  }

  const HttpServerOptions options_;
  Timer timer_;
  Address address_;
  // By number: in an order that is the same in each run, as that of addresses is not.
  std::map<std::uint64_t, std::unique_ptr<HttpConnection>> connections_;
  std::uint64_t next_number_ = 1;
  std::unique_ptr<TcpListener> listener_;
};

Result<std::unique_ptr<HttpServer>> HttpServer::open(EventLoop& loop, const Address& address,
                                                     const HttpServerOptions& options,
                                                     HttpHandler& handler) {
  auto core = std::make_shared<Core>(loop, options, handler);
  FICUS_TRY_VOID(core->listen(address));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(core)));
}

std::unique_ptr<HttpServer> HttpServer::create(EventLoop& loop, const HttpServerOptions& options,
                                               HttpHandler& handler) {
  return std::unique_ptr<HttpServer>(
      new HttpServer(std::make_shared<Core>(loop, options, handler)));
}

HttpServer::HttpServer(std::shared_ptr<Core> core) : core_(std::move(core)) {}
HttpServer::~HttpServer() = default;
void HttpServer::accept(std::unique_ptr<Connection> link) { core_->accept(std::move(link)); }
const Address& HttpServer::address() const { return core_->address(); }
std::size_t HttpServer::connection_count() const { return core_->connection_count(); }
HttpServerCounts HttpServer::counts() const { return core_->all_counts(); }
TlsCounts HttpServer::tls_counts() const { return core_->tls_counts(); }
void HttpServer::drain() { core_->drain(); }

}  // namespace ficus::net
