#include "net/tls_acceptor.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <utility>

#include "net/tls_stream.h"

namespace ficus::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// A step may cost a signature (RSA: a millisecond), and between steps others have their turn.
constexpr int kStepsPerTurn = 2;
constexpr std::chrono::milliseconds kTick{250};
constexpr std::uint64_t kSilentTicks = 4;  // a second: then a handshake may be dropped for another
constexpr std::byte kHandshakeRecord{22};  // RFC 8446, 5.1

}  // namespace

struct TlsAcceptor::Pending {
  Pending(asio::io_context& io, const Address& from) : socket(io), peer(from) {}

  asio::posix::stream_descriptor socket;
  const Address peer;
  std::unique_ptr<TlsStream> stream;  // from the first byte on
  std::uint64_t deadline = 0;
  std::uint64_t waits_since = 0;
  bool is_ready = false;  // in the queue: it waits for us, not we for it
  bool is_gone = false;
  std::list<PendingPtr>::iterator place;
};

TlsAcceptor::TlsAcceptor(LoopCore& loop, const TcpListenOptions& options, TlsAcceptEvents events)
    : loop_(loop),
      options_(options),
      events_(std::move(events)),
      clock_(loop.io()),
      timeout_ticks_(static_cast<std::uint64_t>(
          std::max<std::int64_t>(1, options.handshake_timeout.count / 250'000))) {}

TlsAcceptor::~TlsAcceptor() = default;

bool TlsAcceptor::has_room() {
  if (pending_.size() < options_.handshakes_max) return true;
  for (const PendingPtr& oldest : pending_) {
    if (oldest->is_ready || ticks_ - oldest->waits_since < kSilentTicks) continue;
    const PendingPtr dropped = oldest;
    refuse(dropped, counts_.refused_slow,
           {ErrorCode::timed_out, "dropped for another while it kept its TLS handshake waiting"});
    return true;
  }
  is_room_awaited_ = true;
  return false;
}

void TlsAcceptor::add(int fd, const Address& peer) {
  auto pending = std::make_shared<Pending>(loop_.io(), peer);
  error_code error;
  pending->socket.assign(fd, error);
  if (error) {
    ::close(fd);
    return;
  }
  pending->deadline = ticks_ + timeout_ticks_ + 1;
  pending_.push_back(pending);
  pending->place = std::prev(pending_.end());
  wait(pending, false);
  start_clock();
}

void TlsAcceptor::close() {
  is_closed_ = true;
  clock_.cancel();
  ready_.clear();
  for (const PendingPtr& pending : pending_) {
    pending->is_gone = true;
    error_code ignored;
    pending->socket.close(ignored);
  }
  pending_.clear();
}

void TlsAcceptor::wait(const PendingPtr& pending, bool for_write) {
  pending->waits_since = ticks_;
  pending->socket.async_wait(for_write ? asio::posix::stream_descriptor::wait_write
                                       : asio::posix::stream_descriptor::wait_read,
                             [self = shared_from_this(), pending](const error_code& error) {
                               if (error || pending->is_gone) return;
                               pending->is_ready = true;
                               self->ready_.push_back(pending);
                               self->loop_.at_turn_end(self);
                             });
}

void TlsAcceptor::on_turn_end() {
  for (int i = 0; i < kStepsPerTurn && !ready_.empty(); ++i) {
    const PendingPtr pending = std::move(ready_.front());
    ready_.pop_front();
    if (!pending->is_gone) step(pending);
  }
  if (!ready_.empty()) loop_.at_turn_end(shared_from_this());
}

void TlsAcceptor::step(const PendingPtr& pending) {
  pending->is_ready = false;
  const int fd = pending->socket.native_handle();
  if (pending->stream == nullptr) {
    std::byte first{};
    const ssize_t got = ::recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got <= 0) {
      return refuse(pending, counts_.refused_protocol,
                    {ErrorCode::unavailable, "it closed before its TLS handshake"});
    }
    if (first != kHandshakeRecord) {
      return refuse(pending, counts_.refused_plain_text,
                    {ErrorCode::invalid_input, "it speaks no TLS, but this port is encrypted"});
    }
    pending->stream = TlsStream::make_server(*options_.tls, fd, options_.alpn);
  }
  switch (pending->stream->shake_hands()) {
    case TlsStream::Progress::done:
      return finish(pending);
    case TlsStream::Progress::wants_read:
      return wait(pending, false);
    case TlsStream::Progress::wants_write:
      return wait(pending, true);
    case TlsStream::Progress::failed:
      break;
  }
  const bool is_certificate = pending->stream->is_certificate_problem();
  refuse(
      pending, is_certificate ? counts_.refused_certificate : counts_.refused_protocol,
      {is_certificate ? ErrorCode::denied : ErrorCode::invalid_input, pending->stream->problem()});
}

void TlsAcceptor::finish(const PendingPtr& pending) {
  ++counts_.handshakes;
  if (pending->stream->was_resumed()) ++counts_.resumed;
  std::unique_ptr<Stream> stream = std::move(pending->stream);
  const int fd = take_out(pending);
  events_.on_done(fd, pending->peer, std::move(stream));
}

void TlsAcceptor::refuse(const PendingPtr& pending, std::uint64_t& count, const Error& why) {
  ++count;
  const int fd = take_out(pending);
  // What was not read would turn the end into a reset, which may overtake our alert.
  ::shutdown(fd, SHUT_WR);
  std::array<std::byte, 4096> unread;
  for (int i = 0; i < 4 && ::recv(fd, unread.data(), unread.size(), MSG_DONTWAIT) > 0; ++i) {
  }
  ::close(fd);
  if (events_.on_refused) events_.on_refused(pending->peer, why);
}

int TlsAcceptor::take_out(const PendingPtr& pending) {
  pending->is_gone = true;
  pending_.erase(pending->place);
  if (std::exchange(is_room_awaited_, false)) {
    loop_.post([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self != nullptr && !self->is_closed_) self->events_.on_room();
    });
  }
  return pending->socket.release();
}

void TlsAcceptor::start_clock() {
  if (is_ticking_) return;
  is_ticking_ = true;
  clock_.expires_after(kTick);
  clock_.async_wait([self = shared_from_this()](const error_code& error) {
    self->is_ticking_ = false;
    if (!error && !self->is_closed_) self->on_tick();
  });
}

void TlsAcceptor::on_tick() {
  ++ticks_;
  while (!pending_.empty() && pending_.front()->deadline <= ticks_ && !is_closed_) {
    const PendingPtr late = pending_.front();
    refuse(late, counts_.refused_slow,
           {ErrorCode::timed_out, "its TLS handshake took longer than " +
                                      std::to_string(options_.handshake_timeout.count / 1000) +
                                      " ms"});
  }
  if (!pending_.empty()) start_clock();
  // A silent one may have become old enough to be dropped for those that wait unaccepted.
  if (is_room_awaited_ && pending_.size() >= options_.handshakes_max) {
    is_room_awaited_ = false;
    events_.on_room();
  }
}

}  // namespace ficus::net
