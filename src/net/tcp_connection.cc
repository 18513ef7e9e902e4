#include <netinet/tcp.h>
#include <unistd.h>

#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "net/input_buffer.h"
#include "net/loop_core.h"
#include "net/output_queue.h"
#include "net/socket_address.h"
#include "net/stream.h"
#include "net/tcp.h"
#include "net/tcp_adopt.h"

namespace ficus::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t kBlocksPerWrite = 64;
constexpr int kWritesPerTurn = 4;  // then others have their turn
// After `close` input is read and thrown away, so that the kernel does not answer it with a reset
// that would destroy our last words on their way (RFC 1122, 4.2.2.13); not for ever.
constexpr std::size_t kDiscardBytesMax = std::size_t{8} << 20;

enum class Phase : std::uint8_t {
  open,
  flushing,   // close() was called: writing what is queued
  lingering,  // our end is sent: waiting for the peer's
  closed,     // the socket is gone; on_closed is owed or was given
};

// Of the loop's own executor, not of any: a connection is smaller by a hundred bytes, and a wait
// costs less.
using Executor = asio::io_context::executor_type;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
using Clock = std::chrono::steady_clock;
using CloseTimer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

}  // namespace

// Lives as long as its TcpConnection or a wait of Asio's that is under way.
class TcpConnection::Core final : public TurnEnd, public std::enable_shared_from_this<Core> {
 public:
  Core(LoopCore& loop, int fd, const Address& peer, const TcpOptions& options,
       std::shared_ptr<std::size_t> count, std::unique_ptr<Stream> stream)
      : loop_(loop),
        socket_(loop.io()),
        stream_(std::move(stream)),
        count_(std::move(count)),
        peer_(peer),
        options_(options) {
    if (count_ != nullptr) ++*count_;
    error_code error;
    socket_.assign(fd, error);
    if (error) {
      ::close(fd);
      phase_ = Phase::closed;
      reason_ =
          system_error(ErrorCode::unavailable, "connection to " + peer_.text(), error.value());
      uncount();
    }
  }

  ~Core() override { uncount(); }

  void start(ConnectionHandler& handler) {
    handler_ = &handler;
    is_paused_ = false;
    if (phase_ == Phase::closed) return list();  // on_closed is owed
    if (input_.size() > 0) redeliver();
    arm_read();
  }

  bool send(std::string_view bytes) {
    if (!has_room(bytes.size())) return false;
    output_.append(loop_, bytes);
    list();
    return true;
  }

  bool send_block(std::string&& block) {
    if (!has_room(block.size())) return false;
    output_.append_block(loop_, std::move(block));
    list();
    return true;
  }

  void send_beyond_limit(std::string&& block) {
    if (phase_ != Phase::open) return;
    output_.append_block(loop_, std::move(block));
    list();
  }

  void pause() { is_paused_ = true; }

  void resume() {
    is_paused_ = false;
    if (phase_ != Phase::open || handler_ == nullptr) return;
    redeliver();
  }

  void close(Error reason) {
    if (phase_ != Phase::open) return;
    phase_ = Phase::flushing;
    reason_ = std::move(reason);
    input_discarded_ = true;
    close_timer_ = std::make_unique<CloseTimer>(loop_.io());
    start_close_timer();
    list();
  }

  void abort(Error reason) {
    if (phase_ == Phase::closed) return;
    close_socket(std::move(reason));
  }

  void detach() {
    handler_ = nullptr;
    if (phase_ != Phase::closed) close_socket({});
  }

  void on_turn_end() override {
    if (phase_ == Phase::closed) return notify_closed();
    if (is_redelivery_due_) {
      is_redelivery_due_ = false;
      if (can_deliver() && input_.size() > 0) deliver(input_.view());
      if (can_deliver()) arm_read();
    }
    if (is_read_due_) {
      is_read_due_ = false;
      on_readable();
      if (phase_ == Phase::closed) return;
    }
    flush();
    if (phase_ == Phase::open && is_writable_owed_ &&
        output_.size() <= options_.output_bytes_max / 4) {
      is_writable_owed_ = false;
      if (handler_ != nullptr) handler_->on_writable();
    }
  }

  Error closed_here() const {
    return {ErrorCode::unavailable, "connection to " + peer_.text() + " closed here"};
  }

  LoopCore& loop() { return loop_; }
  bool is_open() const { return phase_ == Phase::open; }
  bool is_paused() const { return is_paused_; }
  std::size_t bytes_queued() const { return output_.size(); }
  bool is_congested() {
    if (output_.size() <= options_.output_bytes_max / 2) return false;
    is_writable_owed_ = true;
    return true;
  }
  TcpOptions& options() { return options_; }
  const Stream& stream() const { return *stream_; }
  const Address& peer() const { return peer_; }
  std::uint64_t bytes_received() const { return bytes_received_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  bool can_deliver() const { return phase_ == Phase::open && !is_paused_ && handler_ != nullptr; }

  bool has_room(std::size_t bytes) {
    if (phase_ != Phase::open) return false;
    const std::size_t size = output_.size();
    if (bytes <= options_.output_bytes_max && size <= options_.output_bytes_max - bytes)
      return true;
    is_writable_owed_ = true;
    return false;
  }

  void list() {
    if (!is_listed()) loop_.at_turn_end(shared_from_this());
  }

  void redeliver() {
    is_redelivery_due_ = true;
    list();
  }

  void arm_read() {
    if (is_read_armed_ || has_peer_ended_) return;
    if (stream_->has_more()) {
      is_read_due_ = true;
      return list();
    }
    is_read_armed_ = true;
    socket_.async_wait(Descriptor::wait_read, [self = shared_from_this()](const error_code& error) {
      self->is_read_armed_ = false;
      if (!error) self->on_readable();
    });
  }

  void arm_write() {
    if (is_write_armed_) return;
    is_write_armed_ = true;
    socket_.async_wait(Descriptor::wait_write,
                       [self = shared_from_this()](const error_code& error) {
                         self->is_write_armed_ = false;
                         if (!error) self->on_turn_end();
                       });
  }

  void read_when_writable() {
    is_read_due_ = true;
    arm_write();
  }

  void on_readable() {
    if (input_discarded_) return discard();
    if (!can_deliver()) return;
    const std::span<std::byte> room = input_.prepare(loop_.read_buffer());
    const IoResult got = stream_->read_some(room);
    bytes_received_ += got.bytes;
    const std::span<const std::byte> view = input_.commit(got.bytes);
    if (got.bytes > 0) {
      deliver(view);
    } else {
      input_.consume(0);
      if (got.error == 0) return on_peer_end();
      if (!got.would_block()) return broken(got.error);
      if (got.waits_other) return read_when_writable();
    }
    if (can_deliver()) arm_read();
  }

  void deliver(std::span<const std::byte> bytes) {
    const std::size_t used = handler_->on_bytes(bytes);
    if (input_discarded_ || phase_ == Phase::closed) return input_.clear();
    input_.consume(used);
    if (is_paused_ || is_redelivery_due_ || input_.size() <= options_.input_bytes_max) return;
    close_socket({ErrorCode::overloaded, "connection from " + peer_.text() + ": more than " +
                                             std::to_string(options_.input_bytes_max) +
                                             " bytes without a whole message"});
  }

  void on_peer_end() {
    has_peer_ended_ = true;
    if (handler_->on_end()) return;
    close({ErrorCode::unavailable, peer_.text() + " closed the connection"});
  }

  void broken(int error) {
    const std::string problem = stream_->problem();
    if (!problem.empty()) {
      return close_socket(
          {ErrorCode::unavailable, "connection to " + peer_.text() + ": " + problem});
    }
    close_socket(system_error(ErrorCode::unavailable, "connection to " + peer_.text(), error));
  }

  void flush() {
    if (phase_ == Phase::closed || is_write_armed_) return;
    for (int i = 0; output_.size() > 0; ++i) {
      if (i == kWritesPerTurn) return list();
      std::array<iovec, kBlocksPerWrite> blocks;
      const std::size_t count = output_.gather(blocks);
      const IoResult put = stream_->write_some(std::span(blocks).first(count));
      // A TLS stream reads within a write only to renegotiate, which is refused.
      if (put.waits_other) return broken(EPROTO);
      if (put.would_block()) return arm_write();
      if (put.error != 0) return broken(put.error);
      bytes_sent_ += put.bytes;
      output_.drop(loop_, put.bytes);
    }
    if (phase_ == Phase::flushing) linger();
  }

  void linger() {
    if (stream_->shutdown_send().would_block()) return arm_write();
    if (has_peer_ended_) return close_socket(std::move(reason_));
    phase_ = Phase::lingering;
    arm_read();
  }

  void discard() {
    if (phase_ == Phase::closed) return;
    const IoResult got = stream_->read_some(loop_.read_buffer());
    bytes_received_ += got.bytes;
    bytes_discarded_ += got.bytes;
    if (got.bytes == 0 && !got.would_block()) {
      has_peer_ended_ = true;
      if (phase_ == Phase::lingering || got.error != 0) close_socket(std::move(reason_));
      return;
    }
    if (bytes_discarded_ > kDiscardBytesMax) return close_socket(std::move(reason_));
    if (got.waits_other) return read_when_writable();
    arm_read();
  }

  void start_close_timer() {
    bytes_sent_at_close_timer_ = bytes_sent_;
    close_timer_->expires_after(std::chrono::microseconds(options_.close_timeout.count));
    close_timer_->async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->on_close_timeout();
    });
  }

  void on_close_timeout() {
    if (phase_ == Phase::flushing) {
      // A long answer to whoever asked for the connection to be closed behind it takes its time.
      if (options_.is_close_patient && bytes_sent_ != bytes_sent_at_close_timer_) {
        return start_close_timer();
      }
      reason_ = {ErrorCode::timed_out, peer_.text() + " did not take " +
                                           std::to_string(output_.size()) +
                                           " bytes before closing"};
    }
    if (phase_ != Phase::closed) close_socket(std::move(reason_));
  }

  void close_socket(Error reason) {
    phase_ = Phase::closed;
    reason_ = std::move(reason);
    error_code ignored;
    socket_.close(ignored);
    if (close_timer_ != nullptr) close_timer_->cancel();
    stream_->forget();
    output_.clear(loop_);
    uncount();
    if (handler_ != nullptr) list();
  }

  void uncount() {
    if (count_ != nullptr) --*count_;
    count_.reset();
  }

  void notify_closed() {
    ConnectionHandler* const handler = std::exchange(handler_, nullptr);
    if (handler != nullptr) handler->on_closed(reason_);
  }

  LoopCore& loop_;
  Descriptor socket_;
  std::unique_ptr<Stream> stream_;
  ConnectionHandler* handler_ = nullptr;
  std::shared_ptr<std::size_t> count_;
  InputBuffer input_;
  OutputQueue output_;
  std::unique_ptr<CloseTimer> close_timer_;  // most connections never close
  Error reason_;
  Address peer_;
  TcpOptions options_;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_sent_at_close_timer_ = 0;
  std::size_t bytes_discarded_ = 0;
  Phase phase_ = Phase::open;
  bool is_paused_ = false;
  bool is_read_armed_ = false;
  bool is_write_armed_ = false;
  bool is_redelivery_due_ = false;
  bool is_read_due_ = false;  // though the socket may not be readable
  bool is_writable_owed_ = false;
  bool has_peer_ended_ = false;
  bool input_discarded_ = false;  // closing: what still comes is thrown away
};

void set_connection_options(int fd) {
  set_socket_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  // A device that lost power is noticed after 60 s + 4 * 15 s.
  set_socket_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_socket_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_socket_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set_socket_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

std::unique_ptr<TcpConnection> adopt_socket(LoopCore& loop, int fd, const Address& peer,
                                            const TcpOptions& options,
                                            std::shared_ptr<std::size_t> count,
                                            std::unique_ptr<Stream> stream) {
  return std::make_unique<TcpConnection>(std::make_shared<TcpConnection::Core>(
      loop, fd, peer, options, std::move(count), std::move(stream)));
}

TcpConnection::TcpConnection(std::shared_ptr<Core> core) : core_(std::move(core)) {}
TcpConnection::~TcpConnection() { core_->detach(); }
void TcpConnection::start(ConnectionHandler& handler) { core_->start(handler); }
bool TcpConnection::send(std::string_view text) { return core_->send(text); }
bool TcpConnection::send_block(std::string&& block) { return core_->send_block(std::move(block)); }
void TcpConnection::send_beyond_limit(std::string&& block) {
  core_->send_beyond_limit(std::move(block));
}
std::size_t TcpConnection::bytes_queued() const { return core_->bytes_queued(); }
bool TcpConnection::is_congested() const { return core_->is_congested(); }
void TcpConnection::pause_reading() { core_->pause(); }
void TcpConnection::resume_reading() { core_->resume(); }
bool TcpConnection::is_reading_paused() const { return core_->is_paused(); }
void TcpConnection::close() { core_->close(core_->closed_here()); }
void TcpConnection::abort() { core_->abort(core_->closed_here()); }
bool TcpConnection::is_open() const { return core_->is_open(); }
void TcpConnection::set_output_bytes_max(std::size_t bytes) {
  core_->options().output_bytes_max = bytes;
}
void TcpConnection::set_input_bytes_max(std::size_t bytes) {
  core_->options().input_bytes_max = bytes;
}
const Address& TcpConnection::peer() const { return core_->peer(); }
std::uint64_t TcpConnection::bytes_received() const { return core_->bytes_received(); }
std::uint64_t TcpConnection::bytes_sent() const { return core_->bytes_sent(); }
bool TcpConnection::is_encrypted() const { return core_->stream().is_encrypted(); }
const PeerCertificate* TcpConnection::peer_certificate() const {
  return core_->stream().peer_certificate();
}

}  // namespace ficus::net
