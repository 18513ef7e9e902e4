#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/address.h"
#include "net/bytes.h"

namespace ficus::net {

// Who a connection calls, on the loop's thread and never from inside a call into the connection.
// Every callback may destroy the connection.
class ConnectionHandler {
 public:
  // `bytes`: all that was received and not yet consumed; valid during the call. Returns how many of
  // them, from the front, are done with. The others are kept and shown again in front of those that
  // follow; more than the limit of input kept while reading is not paused closes the connection
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

// What a TLS peer has proved about itself with a certificate that a trusted authority has signed.
struct PeerCertificate {
  std::string common_name = {};  // of the subject, UTF-8; empty if it has none, or more than one
  std::string fingerprint = {};  // SHA-256 of the whole certificate: 64 hexadecimal digits, small
};

// A byte stream in both directions, whatever carries it: TCP, TLS over TCP (TcpConnection), or the
// binary messages of a WebSocket (WebSocketConnection). Owned by one place, on the loop's thread;
// destroying it drops the connection at once, without callbacks.
class Connection {
 public:
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Starts reading, or passes the connection on to another handler (protocol upgrade): bytes not
  // consumed are shown to it at the end of the turn. The handler must outlive the connection.
  virtual void start(ConnectionHandler& handler) = 0;

  // Appends to what is written at the end of this turn. False, and nothing queued, if the limit
  // would be exceeded or the connection is closing: a caller that cannot slow its source down
  // closes or drops, and counts.
  [[nodiscard]] virtual bool send(std::string_view text) = 0;
  [[nodiscard]] bool send(std::span<const std::byte> bytes) { return send(text_of(bytes)); }
  // The same without copying a large block; `block` is untouched when refused.
  [[nodiscard]] virtual bool send_block(std::string&& block) = 0;

  // Not refused at the limit: for a protocol's last words, and for an answer that its maker has
  // bounded.
  virtual void send_beyond_limit(std::string&& block) = 0;

  virtual std::size_t bytes_queued() const = 0;
  // More than half of the limit of output is queued: `on_writable` follows when less than a quarter
  // is.
  virtual bool is_congested() const = 0;

  // Backpressure: while paused nothing is read, so neither is the peer's end noticed; the kernel's
  // window fills and the peer waits. `resume_reading` shows kept bytes again at the end of the
  // turn, paused or not.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  virtual bool is_reading_paused() const = 0;

  // Reads no more, writes what is queued, then closes in order. `on_closed` follows.
  virtual void close() = 0;
  // Closes now, dropping what is queued. `on_closed` follows.
  virtual void abort() = 0;
  virtual bool is_open() const = 0;  // neither closed nor closing

  virtual void set_output_bytes_max(std::size_t bytes) = 0;
  virtual void set_input_bytes_max(std::size_t bytes) = 0;
  virtual const Address& peer() const = 0;
  // Carried, without what TLS or WebSocket add.
  virtual std::uint64_t bytes_received() const = 0;
  virtual std::uint64_t bytes_sent() const = 0;

  virtual bool is_encrypted() const = 0;
  // Null without TLS, or if the peer showed none. Valid as long as the connection.
  virtual const PeerCertificate* peer_certificate() const = 0;

 protected:
  Connection() = default;
};

}  // namespace ficus::net
