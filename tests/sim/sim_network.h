#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "net/connection.h"

namespace ficus::sim {

// Where somebody connects to. The hostile have a source of AIS of their own: damage that no
// checksum tells must not be taken for what was said.
enum class Port : std::uint8_t { mqtt, http, ais, hostile_ais };

// One connection as both ends and the simulation see it. Bytes that were sent travel at the
// simulation's will: in pieces of any length, late, or never.
struct Wire {
  net::ConnectionHandler* handler = nullptr;
  std::string to_broker;  // sent by the client, not yet arrived
  std::string shown;      // arrived, not consumed
  std::string to_client;  // sent by the broker, not yet arrived
  std::string arrived;    // at the client
  std::size_t output_bytes_max = std::size_t{4} << 20;
  std::size_t input_bytes_max = std::size_t{1} << 20;
  bool is_paused = false;
  bool is_resumed = false;  // what was kept is to be shown again
  bool wants_room = false;  // a send was refused, or the queue is more than half full
  bool is_ended = false;    // the client has: behind what it sent comes the end
  bool is_closing = false;  // the broker has closed; what it sent still travels
  bool is_aborted = false;  // nothing travels any more
  bool is_gone = false;     // the broker's end has been destroyed or told
  bool input_was_exceeded = false;
  std::uint64_t bytes_received = 0;  // by the broker
  std::uint64_t bytes_sent = 0;
  std::uint64_t traffic = 0;  // hash of all that has arrived, of both directions in their order
};

// The broker's end.
class SimLink final : public net::Connection {
 public:
  // `is_dead`: the process has died; nothing that it says from then on leaves.
  SimLink(std::shared_ptr<Wire> wire, const bool& is_dead)
      : wire_(std::move(wire)), is_dead_(is_dead) {}
  ~SimLink() override { wire_->is_gone = wire_->is_closing = true; }

  using Connection::send;
  void start(net::ConnectionHandler& handler) override { wire_->handler = &handler; }
  bool send(std::string_view text) override;
  bool send_block(std::string&& block) override { return send(std::string_view(block)); }
  void send_beyond_limit(std::string&& block) override;
  std::size_t bytes_queued() const override { return wire_->to_client.size(); }
  bool is_congested() const override;
  void pause_reading() override { wire_->is_paused = true; }
  void resume_reading() override;
  bool is_reading_paused() const override { return wire_->is_paused; }
  void close() override { wire_->is_closing = true; }
  void abort() override { wire_->is_closing = wire_->is_aborted = true; }
  bool is_open() const override { return !wire_->is_closing; }
  void set_output_bytes_max(std::size_t bytes) override { wire_->output_bytes_max = bytes; }
  void set_input_bytes_max(std::size_t bytes) override { wire_->input_bytes_max = bytes; }
  const net::Address& peer() const override { return peer_; }
  std::uint64_t bytes_received() const override { return wire_->bytes_received; }
  std::uint64_t bytes_sent() const override { return wire_->bytes_sent; }
  bool is_encrypted() const override { return false; }
  const net::PeerCertificate* peer_certificate() const override { return nullptr; }

 private:
  const std::shared_ptr<Wire> wire_;
  const bool& is_dead_;
  const net::Address peer_;
};

// Moves at most so many bytes in each direction and calls the broker's handler. `is_cut`: the
// connection breaks afterwards. False once the wire is done with.
bool carry(Wire& wire, std::size_t to_broker_max, std::size_t to_client_max, bool is_cut);

}  // namespace ficus::sim
