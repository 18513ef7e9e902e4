#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "connect/mqtt/front_queue.h"
#include "log/position.h"

namespace ficus::connect {

// Answers to what one connection sent in one turn: they leave together, when everything they
// promise is durable.
struct ReplyGroup {
  std::vector<std::byte> bytes;
  std::size_t publishes_answered = 0;  // in it: each makes room in the client's send quota
  std::size_t batches_left = 0;        // handed to the engine, not yet durable
  // Promises something that another connection may have written: the whole log must be durable.
  bool waits_for_log = false;
  bool waits_for_flush =
      false;  // facts of the broker were written this turn, not yet appended to its log
  log::Position broker_end;  // then: up to where that log must be durable
  bool is_complete = false;  // nothing more is added
  bool makes_ready = false;  // holds the CONNACK: afterwards messages may be sent
  bool has_failed = false;   // something could not be made durable: it must not be acknowledged

  bool is_releasable(log::Position durable) const {
    return is_complete && batches_left == 0 && !waits_for_flush && broker_end <= durable;
  }
};

// The answers of one connection in the order in which they must leave (MQTT 5.0, 4.6: PUBACKs in
// the order of their PUBLISHes).
class ReplyQueue {
 public:
  // The group of this turn; begun if there is none.
  const std::shared_ptr<ReplyGroup>& open();
  bool has_open() const { return !groups_.empty() && !groups_.back()->is_complete; }
  void complete_open();
  // Takes the first group off if it may leave now; null if not.
  std::shared_ptr<ReplyGroup> take(log::Position durable);
  std::size_t size() const { return groups_.size(); }

 private:
  FrontQueue<std::shared_ptr<ReplyGroup>> groups_;
};

}  // namespace ficus::connect
