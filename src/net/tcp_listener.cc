#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include "net/loop_core.h"
#include "net/socket_address.h"
#include "net/tcp.h"
#include "net/tcp_adopt.h"
#include "net/tls_acceptor.h"

namespace ficus::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr int kAcceptsPerTurn = 64;
// Out of file descriptors the pending connection stays readable: asking again at once would spin.
constexpr std::chrono::milliseconds kExhaustedPause{100};

}  // namespace

class TcpListener::Core final : public std::enable_shared_from_this<Core> {
 public:
  Core(LoopCore& loop, int fd, const TcpListenOptions& options, AcceptCallback on_accept)
      : address_(local_address(fd)),
        loop_(loop),
        socket_(loop.io()),
        pause_(loop.io()),
        fd_(fd),
        options_(options),
        on_accept_(std::move(on_accept)) {}

  TlsCounts tls_counts() const { return tls_ != nullptr ? tls_->counts() : TlsCounts{}; }

  Status start() {
    error_code error;
    socket_.assign(fd_, error);
    if (error) {
      ::close(fd_);
      return std::unexpected(
          system_error(ErrorCode::unavailable, "listen on " + address_.text(), error.value()));
    }
    if (options_.tls != nullptr) make_acceptor();
    arm();
    return {};
  }

  void close() {
    is_closed_ = true;
    if (tls_ != nullptr) tls_->close();
    error_code ignored;
    socket_.close(ignored);
    pause_.cancel();
  }

  const Address address_;
  const std::shared_ptr<std::size_t> count_ = std::make_shared<std::size_t>(0);
  std::uint64_t accepted_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t pauses_ = 0;

 private:
  void make_acceptor() {
    TlsAcceptEvents events;
    events.on_done = [this](int fd, const Address& peer, std::unique_ptr<Stream> stream) {
      // The callback may destroy the listener.
      const auto self = shared_from_this();
      hand_out(fd, peer, std::move(stream));
    };
    events.on_refused = options_.on_refused;
    events.on_room = [this] {
      if (std::exchange(is_waiting_for_room_, false)) arm();
    };
    tls_ = std::make_shared<TlsAcceptor>(loop_, options_, std::move(events));
  }

  void arm() {
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const error_code& error) {
                         if (!error) self->accept_some();
                       });
  }

  void accept_some() {
    for (int i = 0; i < kAcceptsPerTurn && !is_closed_; ++i) {
      if (tls_ != nullptr && !tls_->has_room()) {
        is_waiting_for_room_ = true;
        return;
      }
      SocketAddress peer;
      const int fd = ::accept4(fd_, peer.raw(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        take(fd, to_address(peer));
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return pause(errno);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        break;
      }  // anything else concerns the one connection that is already gone (accept(2))
    }
    if (!is_closed_) arm();
  }

  void take(int fd, const Address& peer) {
    const std::size_t shaking = tls_ != nullptr ? tls_->pending_count() : 0;
    if (*count_ + shaking >= options_.connections_max) {
      ++refused_;
      ::close(fd);
      if (options_.on_refused) {
        options_.on_refused(
            peer, {ErrorCode::overloaded, std::to_string(options_.connections_max) +
                                              " connections are open, which is the limit"});
      }
      return;
    }
    ++accepted_;
    if (tls_ != nullptr) return tls_->add(fd, peer);
    hand_out(fd, peer, make_plain_stream(fd));
  }

  void hand_out(int fd, const Address& peer, std::unique_ptr<Stream> stream) {
    if (is_closed_) {
      ::close(fd);
      return;
    }
    on_accept_(adopt_socket(loop_, fd, peer, options_.connection, count_, std::move(stream)));
  }

  void pause(int error) {
    ++pauses_;
    if (options_.on_refused) {
      options_.on_refused(
          address_, system_error(ErrorCode::overloaded, "accepting pauses for 100 ms", error));
    }
    if (is_closed_) return;
    pause_.expires_after(kExhaustedPause);
    pause_.async_wait([self = shared_from_this()](const error_code& failed) {
      if (!failed && !self->is_closed_) self->accept_some();
    });
  }

  LoopCore& loop_;
  asio::posix::stream_descriptor socket_;
  asio::steady_timer pause_;
  const int fd_;
  const TcpListenOptions options_;
  AcceptCallback on_accept_;
  std::shared_ptr<TlsAcceptor> tls_;
  bool is_closed_ = false;
  bool is_waiting_for_room_ = false;
};

Result<std::unique_ptr<TcpListener>> TcpListener::open(EventLoop& loop, const Address& address,
                                                       const TcpListenOptions& options,
                                                       AcceptCallback on_accept) {
  FICUS_TRY(const int fd, open_bound(address, {.type = SOCK_STREAM,
                                               .reuse_address = true,
                                               .reuse_port = options.reuse_port}));
  set_connection_options(fd);
  if (::listen(fd, options.backlog) != 0) {
    const int error = errno;
    ::close(fd);
    return std::unexpected(
        system_error(error == EADDRINUSE ? ErrorCode::conflict : ErrorCode::unavailable,
                     "listen on " + address.text(), error));
  }
  auto core = std::make_shared<Core>(loop.core(), fd, options, std::move(on_accept));
  FICUS_TRY_VOID(core->start());
  return std::unique_ptr<TcpListener>(new TcpListener(std::move(core)));
}

TcpListener::TcpListener(std::shared_ptr<Core> core) : core_(std::move(core)) {}
TcpListener::~TcpListener() { core_->close(); }
const Address& TcpListener::address() const { return core_->address_; }
std::size_t TcpListener::connection_count() const { return *core_->count_; }
std::uint64_t TcpListener::accepted_count() const { return core_->accepted_; }
std::uint64_t TcpListener::refused_count() const { return core_->refused_; }
std::uint64_t TcpListener::pause_count() const { return core_->pauses_; }
TlsCounts TcpListener::tls_counts() const { return core_->tls_counts(); }

}  // namespace ficus::net
