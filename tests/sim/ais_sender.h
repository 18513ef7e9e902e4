#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "model.h"
#include "sim_network.h"

namespace ficus::sim {

// A receiver on the coast that passes on what it hears of ships, line by line: over a connection,
// or in datagrams. AIS acknowledges nothing: what was on its way when a link broke is gone.
class AisSender {
 public:
  // `address`: what its datagrams come from; nothing: it has a connection.
  AisSender(std::string source, Model& model, std::optional<net::Address> address)
      : source_(std::move(source)), model_(model), address_(address) {}

  const std::string& source() const { return source_; }
  const std::optional<net::Address>& address() const { return address_; }

  // It hears of a ship where it is or what it is called, or what another receiver has heard too;
  // at times damaged, in part, or no AIS at all. `now`: by the ship's clock.
  void hear(Timestamp now, Random& random);
  // What must arrive: nothing goes wrong any more.
  void hear_last(Timestamp now);
  std::size_t waiting() const { return lines_.size(); }
  // Nothing is on its way.
  bool is_idle() const;

  bool is_connected() const { return wire_ != nullptr; }
  void connect(std::shared_ptr<Wire> wire) { wire_ = std::move(wire); }
  void on_disconnected() { wire_.reset(); }
  Wire* wire() { return wire_.get(); }
  // Sends a line, at times. REQUIRES: is_connected().
  void act(Random& random);
  // The next lines, at times in another order. REQUIRES: waiting() > 0.
  std::string next_datagram(Random& random);
  void note_sent(const std::string& lines);

 private:
  void hear_position(Timestamp now, bool has_time, bool must_arrive);
  void hear_voyage(Timestamp now, bool has_first, bool has_second, bool must_arrive);
  std::string hear_damaged();
  std::uint64_t new_sighting(bool must_arrive);
  std::string take_line(std::size_t index);

  const std::string source_;
  Model& model_;
  const std::optional<net::Address> address_;
  std::deque<std::string> lines_;
  std::uint32_t voyages_ = 0;
  std::map<std::uint32_t, bool> half_said_;  // by sequence id: only the first sentence
  std::uint32_t mmsi_ = 0;
  std::shared_ptr<Wire> wire_;
};

}  // namespace ficus::sim
