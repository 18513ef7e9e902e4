#pragma once

// What the tests of sockets share: a loop run until something is true, and a client that speaks raw
// bytes.

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/bytes.h"
#include "net/event_loop.h"
#include "net/tcp.h"

namespace ficus::net {

// Runs turns of the loop until `is_done()`, or gives up (false) after some seconds of the loop's
// time.
template <typename Condition>
bool run_until(EventLoop& loop, Condition is_done, Micros wait_max = Micros::from_seconds(20)) {
  bool is_late = false;
  Timer deadline(loop);
  deadline.start_once(wait_max, [&] { is_late = true; });
  while (!is_done() && !is_late) loop.run_turn(wait_max);
  return is_done();
}

inline void run_for(EventLoop& loop, Micros time) {
  run_until(loop, [] { return false; }, time);
}

// Collects what a connection receives.
class RawPeer final : public ConnectionHandler {
 public:
  // Connects and waits for it. Empty if that fails.
  static std::unique_ptr<RawPeer> connect(EventLoop& loop, const Address& address) {
    auto peer = std::make_unique<RawPeer>();
    bool is_done = false;
    TcpConnector connector(loop, address.text(), {}, [&](auto result) {
      is_done = true;
      if (result) peer->take(*std::move(result));
    });
    run_until(loop, [&] { return is_done; });
    return peer->tcp != nullptr ? std::move(peer) : nullptr;
  }

  void take(std::unique_ptr<Connection> connection) {
    tcp = std::move(connection);
    tcp->start(*this);
  }

  void send(std::string_view text) { tcp->send_beyond_limit(std::string(text)); }

  std::size_t on_bytes(std::span<const std::byte> bytes) override {
    received += text_of(bytes);
    return bytes.size();
  }
  bool on_end() override {
    has_ended = true;
    return stays_half_open;
  }
  void on_writable() override { ++writable_count; }
  void on_closed(const Error& reason) override {
    is_closed = true;
    ++closed_count;
    error = reason;
  }

  std::unique_ptr<Connection> tcp;
  std::string received;
  Error error;
  bool stays_half_open = false;
  bool has_ended = false;
  bool is_closed = false;
  int closed_count = 0;
  int writable_count = 0;
};

inline Address loopback_any_port() { return *Address::parse("127.0.0.1:0"); }

// Bytes that show when a part is missing, doubled or out of place.
inline std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  std::uint32_t state = 1;
  for (char& c : text) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24U);
  }
  return text;
}

}  // namespace ficus::net
