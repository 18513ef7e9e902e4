#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "model.h"
#include "sim_network.h"

namespace ficus::sim {

// A gateway that posts readings to /ingest/gateways, one request at a time on a connection that it
// keeps: in one of the forms that there are, some again that were acknowledged long ago, some
// damaged. What was not answered, or was refused, is posted again, in another form.
class HttpSender {
 public:
  HttpSender(std::string id, Model& model, Report& report)
      : id_(std::move(id)), model_(model), report_(report) {}

  const std::string& id() const { return id_; }
  std::size_t waiting() const { return outbox_.size(); }
  // Readings, by their number.
  void post(std::vector<std::uint64_t> readings, Random& random);

  bool is_connected() const { return wire_ != nullptr; }
  void connect(std::shared_ptr<Wire> wire) { wire_ = std::move(wire); }
  void on_disconnected();
  Wire* wire() { return wire_.get(); }
  // Reads what has arrived and sends what may be sent. REQUIRES: is_connected().
  void act(Micros now, Random& random);

 private:
  struct Batch {
    std::vector<std::uint64_t> readings;
    std::vector<std::string> nonsense;  // that no mapping takes
    bool is_json = true;                // all of it: cut-off lines are not
  };
  void send(Random& random);
  void hear(int status, std::string_view body, Micros now);

  const std::string id_;
  Model& model_;
  Report& report_;
  std::shared_ptr<Wire> wire_;
  std::deque<Batch> outbox_;
  bool is_sent_ = false;               // the first of them, on this connection
  std::string answer_;                 // as far as it has come
  std::deque<std::uint64_t> earlier_;  // acknowledged
};

// "POST /ingest/SOURCE" with a body, in one piece or in chunks of any length.
std::string http_post(std::string_view source, std::string_view type, const std::string& body,
                      bool is_chunked, Random& random);

}  // namespace ficus::sim
