#include "sim_network.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace ficus::sim {

bool SimLink::send(std::string_view text) {
  if (wire_->is_closing) return false;
  if (wire_->to_client.size() + text.size() > wire_->output_bytes_max) {
    wire_->wants_room = true;
    return false;
  }
  if (!is_dead_) wire_->to_client += text;
  return true;
}

void SimLink::send_beyond_limit(std::string&& block) {
  if (!wire_->is_closing && !is_dead_) wire_->to_client += block;
}

bool SimLink::is_congested() const {
  const bool is_congested = wire_->to_client.size() > wire_->output_bytes_max / 2;
  if (is_congested) wire_->wants_room = true;
  return is_congested;
}

void SimLink::resume_reading() {
  wire_->is_paused = false;
  wire_->is_resumed = true;
}

namespace {

void move_front(std::string& from, std::size_t count, std::string& to, std::uint64_t& traffic) {
  if (count == 0) return;
  const std::string_view bytes = std::string_view(from).substr(0, count);
  traffic = hash_mix(traffic, hash64(bytes));
  to += bytes;
  from.erase(0, count);
}

void show(Wire& wire, std::size_t bytes_max) {
  const std::size_t count = wire.is_paused ? 0 : std::min(bytes_max, wire.to_broker.size());
  const bool is_resumed = std::exchange(wire.is_resumed, false);
  if (count == 0 && (!is_resumed || wire.shown.empty())) return;
  move_front(wire.to_broker, count, wire.shown, wire.traffic);
  wire.bytes_received += count;
  const std::string bytes = wire.shown;  // the handler may destroy its end
  const std::size_t used = wire.handler->on_bytes(std::as_bytes(std::span(bytes)));
  if (wire.is_gone) return;
  wire.shown.erase(0, used);
  if (!wire.is_paused && wire.shown.size() > wire.input_bytes_max) {
    wire.input_was_exceeded = wire.is_closing = wire.is_aborted = true;
  }
}

// The client's end is noticed while reading, behind its last byte.
void show_end(Wire& wire) {
  if (!wire.is_ended || wire.is_paused || !wire.to_broker.empty()) return;
  const bool stays = wire.handler->on_end();
  if (!wire.is_gone && !stays) wire.is_closing = true;
}

void end(Wire& wire, const char* why) {
  wire.is_closing = wire.is_gone = true;
  if (wire.handler != nullptr) wire.handler->on_closed(Error{ErrorCode::unavailable, why});
}

}  // namespace

bool carry(Wire& wire, std::size_t to_broker_max, std::size_t to_client_max, bool is_cut) {
  if (wire.handler == nullptr) return false;
  if (!wire.is_gone && !wire.is_closing) show(wire, to_broker_max);
  if (!wire.is_gone && !wire.is_closing) show_end(wire);
  if (!wire.is_aborted) {
    const std::size_t count = std::min(to_client_max, wire.to_client.size());
    move_front(wire.to_client, count, wire.arrived, wire.traffic);
    wire.bytes_sent += count;
  }
  if (!wire.is_gone && wire.wants_room && wire.to_client.size() < wire.output_bytes_max / 4) {
    wire.wants_room = false;
    wire.handler->on_writable();
  }
  if (wire.is_gone) {
    return !is_cut && !wire.is_aborted && !wire.to_client.empty();
  }
  if (is_cut) {
    end(wire, "the link broke");
    return false;
  }
  if (wire.is_closing && (wire.is_aborted || wire.to_client.empty())) {
    end(wire, "closed");
    return false;
  }
  return true;
}

}  // namespace ficus::sim
