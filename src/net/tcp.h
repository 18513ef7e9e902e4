#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "net/tls.h"

namespace ficus::net {

struct TcpOptions {
  std::size_t input_bytes_max = std::size_t{1} << 20;   // received and not consumed: then closed
  std::size_t output_bytes_max = std::size_t{4} << 20;  // queued by `send`: then refused
  Micros close_timeout = Micros::from_seconds(5);  // for the peer to take what is queued at `close`
  // `close_timeout` begins again as long as the peer takes something: for who watches its pace.
  bool is_close_patient = false;
};

// A byte stream over TCP (TCP_NODELAY, keep-alive probes after 60 s). An idle connection costs
// under 1 KB of ours: bytes are read into a buffer that the loop's connections share, and queues
// hold memory only while there is something in them.
class TcpConnection final : public Connection {
 public:
  class Core;
  explicit TcpConnection(std::shared_ptr<Core> core);  // made by TcpListener and TcpConnector
  ~TcpConnection() override;

  using Connection::send;
  void start(ConnectionHandler& handler) override;
  [[nodiscard]] bool send(std::string_view text) override;
  [[nodiscard]] bool send_block(std::string&& block) override;
  void send_beyond_limit(std::string&& block) override;
  std::size_t bytes_queued() const override;
  bool is_congested() const override;
  void pause_reading() override;
  void resume_reading() override;
  bool is_reading_paused() const override;
  void close() override;
  void abort() override;
  bool is_open() const override;
  void set_output_bytes_max(std::size_t bytes) override;
  void set_input_bytes_max(std::size_t bytes) override;
  const Address& peer() const override;
  std::uint64_t bytes_received() const override;
  std::uint64_t bytes_sent() const override;
  bool is_encrypted() const override;
  const PeerCertificate* peer_certificate() const override;

 private:
  std::shared_ptr<Core> core_;
};

struct TcpListenOptions {
  TcpOptions connection = {};
  std::size_t connections_max = 10'000;  // further ones are closed at once and counted
  int backlog = 1024;
  bool reuse_port = false;  // several loops listen on one port, the kernel spreads connections
  std::shared_ptr<TlsServerContext> tls = {};  // given: connections are encrypted
  std::string alpn = {};                       // with TLS, what is spoken inside: "http/1.1"
  Micros handshake_timeout = Micros::from_seconds(10);
  // Under way at once. More wait unaccepted, unless one has made its peer wait for a second or more
  // with nothing: that is dropped for the new one.
  std::size_t handshakes_max = 1000;
  // Called for what no accept callback tells of, to be logged (not each: there may be thousands).
  std::function<void(const Address& peer, const Error& why)> on_refused = {};
};

// Connections that a listener with TLS did not hand out, by cause.
struct TlsCounts {
  std::uint64_t handshakes = 0;           // done
  std::uint64_t resumed = 0;              // of them, with an earlier session
  std::uint64_t refused_plain_text = 0;   // the first byte was no TLS
  std::uint64_t refused_certificate = 0;  // the client's was bad or missing, or it refused ours
  std::uint64_t refused_protocol = 0;     // no common version or cipher, garbage, broken off
  std::uint64_t refused_slow = 0;         // over `handshake_timeout`, or dropped for another
};

// Accepts connections; with TLS it hands out those whose handshake is done. When the process has no
// file descriptors left, accepting pauses for 100 ms at a time. Connections outlive their listener.
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
  std::uint64_t refused_count() const;   // ever, over `connections_max`
  std::uint64_t pause_count() const;     // ever, for want of file descriptors or memory
  TlsCounts tls_counts() const;

 private:
  class Core;
  explicit TcpListener(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

struct TcpConnectOptions {
  TcpOptions connection = {};
  // Name look-up, all addresses and the handshake together.
  Micros timeout = Micros::from_seconds(10);
  std::shared_ptr<TlsClientContext> tls = {};  // given: the connection is encrypted
  std::string alpn = {};                       // with TLS, what is spoken inside: "http/1.1"
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
