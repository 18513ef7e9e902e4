#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "net/address.h"
#include "net/event_loop.h"

namespace ficus::net {

// Who a connection calls, on the loop's thread and never from inside a call into the connection.
// Every callback may destroy the connection.
class ConnectionHandler {
 public:
  // `bytes`: all that was received and not yet consumed; valid during the call. Returns how many of
  // them, from the front, are done with. The others are kept and shown again in front of those that
  // follow; more than `input_bytes_max` kept while reading is not paused closes the connection
  // (`overloaded`).
  virtual std::size_t on_bytes(std::span<const std::byte> bytes) = 0;
  // The peer has finished sending. True keeps the connection for answering until `close`; false
  // writes out what is queued and closes.
  virtual bool on_end() { return false; }
  // There is room again after a `send` was refused or `is_congested` was true.
  virtual void on_writable() {}
  // The last callback, once, for whatever reason: `unavailable` the peer or we closed, or the link
  // broke; `overloaded` a limit; `timed_out` the peer took nothing after `close`.
  virtual void on_closed(const Error& reason) = 0;

 protected:
  ~ConnectionHandler() = default;
};

struct TcpOptions {
  std::size_t input_bytes_max = std::size_t{1} << 20;   // received and not consumed: then closed
  std::size_t output_bytes_max = std::size_t{4} << 20;  // queued by `send`: then refused
  Micros close_timeout = Micros::from_seconds(5);  // for the peer to take what is queued at `close`
};

// A byte stream over TCP (TCP_NODELAY, keep-alive probes after 60 s). Owned by one place;
// destroying it closes the socket at once, without callbacks. An idle connection costs under 1 KB
// of ours: bytes are read into a buffer that the loop's connections share, and queues hold memory
// only while there is something in them.
class TcpConnection {
 public:
  class Core;
  explicit TcpConnection(std::shared_ptr<Core> core);  // made by TcpListener and TcpConnector
  ~TcpConnection();
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  // Starts reading, or passes the connection on to another handler (protocol upgrade): bytes not
  // consumed are shown to it at the end of the turn. The handler must outlive the connection.
  void start(ConnectionHandler& handler);

  // Appends to what is written at the end of this turn. False, and nothing queued, if the limit
  // would be exceeded or the connection is closing: a caller that cannot slow its source down
  // closes or drops, and counts.
  [[nodiscard]] bool send(std::span<const std::byte> bytes);
  [[nodiscard]] bool send(std::string_view text);
  // The same without copying a large block; `block` is untouched when refused.
  [[nodiscard]] bool send_block(std::string&& block);

  // Not refused at the limit: for a protocol's last words, and for an answer that its maker has
  // bounded.
  void send_beyond_limit(std::string&& block);

  std::size_t bytes_queued() const;
  // More than half of `output_bytes_max` is queued: `on_writable` follows when less than a quarter
  // is.
  bool is_congested() const;

  // Backpressure: while paused nothing is read, so neither is the peer's end noticed; the kernel's
  // window fills and the peer waits. `resume_reading` shows kept bytes again at the end of the
  // turn, paused or not.
  void pause_reading();
  void resume_reading();
  bool is_reading_paused() const;

  // Reads no more, writes what is queued, then closes in order. `on_closed` follows.
  void close();
  // Closes now, dropping what is queued. `on_closed` follows.
  void abort();
  bool is_open() const;  // neither closed nor closing

  void set_output_bytes_max(std::size_t bytes);
  void set_input_bytes_max(std::size_t bytes);
  const Address& peer() const;
  std::uint64_t bytes_received() const;
  std::uint64_t bytes_sent() const;  // taken by the kernel

 private:
  std::shared_ptr<Core> core_;
};

struct TcpListenOptions {
  TcpOptions connection = {};
  std::size_t connections_max = 10'000;  // further ones are closed at once and counted
  int backlog = 1024;
  bool reuse_port = false;  // several loops listen on one port, the kernel spreads connections
};

// Accepts connections. Connections outlive their listener.
class TcpListener {
 public:
  using AcceptCallback = std::move_only_function<void(std::unique_ptr<TcpConnection>)>;
  // Port 0 takes a free one: see `address`.
  static Result<std::unique_ptr<TcpListener>> open(EventLoop& loop, const Address& address,
                                                   const TcpListenOptions& options,
                                                   AcceptCallback on_accept);
  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  const Address& address() const;        // as bound
  std::size_t connection_count() const;  // open now
  std::uint64_t accepted_count() const;  // ever
  std::uint64_t refused_count() const;   // ever, over `connections_max` or out of file descriptors

 private:
  class Core;
  explicit TcpListener(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

struct TcpConnectOptions {
  TcpOptions connection = {};
  Micros timeout = Micros::from_seconds(10);  // name look-up and all addresses together
};

// One attempt to connect to a name or numeric address ("broker.city.cn:1883"), trying each address
// that the name has. The callback comes once, never inside the constructor, and may destroy the
// connector; destroying the connector earlier cancels.
class TcpConnector {
 public:
  using Callback = std::move_only_function<void(Result<std::unique_ptr<TcpConnection>>)>;
  TcpConnector(EventLoop& loop, std::string_view host_port, const TcpConnectOptions& options,
               Callback on_done);
  ~TcpConnector();
  TcpConnector(const TcpConnector&) = delete;
  TcpConnector& operator=(const TcpConnector&) = delete;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace ficus::net
