#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "net/loop_core.h"
#include "net/socket_address.h"
#include "net/tcp.h"
#include "net/tcp_adopt.h"
#include "net/tls_stream.h"

namespace ficus::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t kAddressesMax = 16;  // of one name

Address to_address(const asio::ip::tcp::endpoint& endpoint) {
  SocketAddress raw;
  std::copy_n(reinterpret_cast<const char*>(endpoint.data()), endpoint.size(),
              reinterpret_cast<char*>(&raw.storage));
  raw.size = static_cast<socklen_t>(endpoint.size());
  return ficus::net::to_address(raw);
}

}  // namespace

class TcpConnector::Core final : public std::enable_shared_from_this<Core> {
 public:
  Core(LoopCore& loop, std::string_view host_port, const TcpConnectOptions& options,
       Callback on_done)
      : loop_(loop),
        resolver_(loop.io()),
        socket_(loop.io()),
        deadline_(loop.io()),
        target_(host_port),
        options_(options),
        on_done_(std::move(on_done)) {}

  void start() {
    loop_.post([self = shared_from_this()] { self->begin(); });
  }

  void cancel() {
    is_done_ = true;
    on_done_ = nullptr;
    stop_all();
  }

 private:
  void begin() {
    if (is_done_) return;
    const auto host_port = parse_host_port(target_);
    if (!host_port) return finish(std::unexpected(host_port.error()));
    host_port_ = *host_port;
    deadline_.expires_after(std::chrono::microseconds(options_.timeout.count));
    deadline_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error)
        self->finish(fail(ErrorCode::timed_out, "connect to " + self->target_ + ": timed out"));
    });
    resolve(*host_port);
  }

  // Asio looks names up in a thread of its own (getaddrinfo blocks); numbers need no thread.
  void resolve(const HostPort& host_port) {
    const bool is_v6 = host_port.host.find(':') != std::string::npos;
    const std::string port = ":" + std::to_string(host_port.port);
    const auto numeric =
        Address::parse(is_v6 ? "[" + host_port.host + "]" + port : host_port.host + port);
    if (numeric) {
      addresses_.push_back(*numeric);
      return try_next();
    }
    resolver_.async_resolve(
        host_port.host, std::to_string(host_port.port), asio::ip::resolver_base::numeric_service,
        [self = shared_from_this()](const error_code& error,
                                    const asio::ip::tcp::resolver::results_type& found) {
          if (self->is_done_) return;
          if (error) {
            return self->finish(
                fail(ErrorCode::unavailable, "look up " + self->target_ + ": " + error.message()));
          }
          for (const auto& entry : found) {
            if (self->addresses_.size() < kAddressesMax) {
              self->addresses_.push_back(to_address(entry.endpoint()));
            }
          }
          self->try_next();
        });
  }

  void try_next() {
    while (!is_done_ && next_ < addresses_.size()) {
      const Address& address = addresses_[next_++];
      if (try_address(address)) return;
    }
    if (!is_done_) finish(std::unexpected(std::move(last_error_)));
  }

  // True if an attempt is under way or has succeeded.
  bool try_address(const Address& address) {
    const SocketAddress target = to_socket_address(address);
    const int fd =
        ::socket(target.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return note(address, errno);
    if (::connect(fd, target.raw(), target.size) != 0 && errno != EINPROGRESS) {
      const int error = errno;
      ::close(fd);
      return note(address, error);
    }
    set_connection_options(fd);
    error_code error;
    socket_.assign(fd, error);
    if (error) {
      ::close(fd);
      return note(address, error.value());
    }
    socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                       [self = shared_from_this(), address](const error_code& wait_error) {
                         if (!wait_error && !self->is_done_) self->on_connected(address);
                       });
    return true;
  }

  void on_connected(const Address& address) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      note(address, error);
      error_code ignored;
      socket_.close(ignored);
      return try_next();
    }
    if (options_.tls == nullptr) {
      const int fd = socket_.release();
      return finish(
          adopt_socket(loop_, fd, address, options_.connection, nullptr, make_plain_stream(fd)));
    }
    tls_ = TlsStream::make_client(options_.tls, socket_.native_handle(), host_port_.host,
                                  host_port_.port, options_.alpn);
    shake_hands(address);
  }

  void shake_hands(const Address& address) {
    const TlsStream::Progress progress = tls_->shake_hands();
    if (progress == TlsStream::Progress::failed) {
      // Another address of the name would hardly be another server: the reason is told at once.
      return finish(
          fail(tls_->is_certificate_problem() ? ErrorCode::denied : ErrorCode::unavailable,
               "connect to " + target_ + " with TLS: " + tls_->problem()));
    }
    if (progress == TlsStream::Progress::done) {
      return finish(adopt_socket(loop_, socket_.release(), address, options_.connection, nullptr,
                                 std::move(tls_)));
    }
    socket_.async_wait(progress == TlsStream::Progress::wants_read
                           ? asio::posix::stream_descriptor::wait_read
                           : asio::posix::stream_descriptor::wait_write,
                       [self = shared_from_this(), address](const error_code& wait_error) {
                         if (!wait_error && !self->is_done_) self->shake_hands(address);
                       });
  }

  bool note(const Address& address, int error) {
    const std::string numeric = address.text();
    const std::string where = numeric == target_ ? target_ : target_ + " (" + numeric + ")";
    last_error_ = system_error(ErrorCode::unavailable, "connect to " + where, error);
    return false;
  }

  void finish(Result<std::unique_ptr<TcpConnection>> result) {
    if (is_done_) return;
    is_done_ = true;
    stop_all();
    Callback on_done = std::move(on_done_);
    on_done(std::move(result));
  }

  void stop_all() {
    resolver_.cancel();
    deadline_.cancel();
    error_code ignored;
    socket_.close(ignored);
  }

  LoopCore& loop_;
  asio::ip::tcp::resolver resolver_;
  asio::posix::stream_descriptor socket_;
  asio::steady_timer deadline_;
  const std::string target_;
  const TcpConnectOptions options_;
  Callback on_done_;
  HostPort host_port_;
  std::vector<Address> addresses_;
  std::unique_ptr<TlsStream> tls_;  // while shaking hands
  std::size_t next_ = 0;
  Error last_error_{ErrorCode::unavailable, "the name has no address"};
  bool is_done_ = false;
};

TcpConnector::TcpConnector(EventLoop& loop, std::string_view host_port,
                           const TcpConnectOptions& options, Callback on_done)
    : core_(std::make_shared<Core>(loop.core(), host_port, options, std::move(on_done))) {
  core_->start();
}

TcpConnector::~TcpConnector() { core_->cancel(); }

}  // namespace ficus::net
