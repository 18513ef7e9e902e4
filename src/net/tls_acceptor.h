#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>

#include "net/loop_core.h"
#include "net/stream.h"
#include "net/tcp.h"

namespace ficus::net {

// Every function may be called from within a call to the acceptor.
struct TlsAcceptEvents {
  std::function<void(int fd, const Address& peer, std::unique_ptr<Stream> stream)> on_done;
  std::function<void(const Address& peer, const Error& why)> on_refused;
  std::function<void()> on_room;  // after `has_room` said no
};

// The handshakes under way at a listener. Those whose peer has sent something wait in a queue, of
// which few are served a turn: a storm of handshakes takes turns with everything else. Nothing is
// spent on a peer that is silent. For this module only.
class TlsAcceptor final : public TurnEnd, public std::enable_shared_from_this<TlsAcceptor> {
 public:
  TlsAcceptor(LoopCore& loop, const TcpListenOptions& options, TlsAcceptEvents events);
  ~TlsAcceptor() override;

  // May drop one that has been silent to make room.
  bool has_room();
  void add(int fd, const Address& peer);
  void close();
  std::size_t pending_count() const { return pending_.size(); }
  const TlsCounts& counts() const { return counts_; }

  void on_turn_end() override;

 private:
  struct Pending;
  using PendingPtr = std::shared_ptr<Pending>;

  void wait(const PendingPtr& pending, bool for_write);
  void step(const PendingPtr& pending);
  void finish(const PendingPtr& pending);
  void refuse(const PendingPtr& pending, std::uint64_t& count, const Error& why);
  int take_out(const PendingPtr& pending);
  void start_clock();
  void on_tick();

  LoopCore& loop_;
  const TcpListenOptions options_;
  TlsAcceptEvents events_;
  boost::asio::steady_timer clock_;
  std::uint64_t ticks_ = 0;
  const std::uint64_t timeout_ticks_;
  std::list<PendingPtr> pending_;  // the oldest first
  std::deque<PendingPtr> ready_;
  TlsCounts counts_;
  bool is_ticking_ = false;
  bool is_closed_ = false;
  bool is_room_awaited_ = false;
};

}  // namespace ficus::net
