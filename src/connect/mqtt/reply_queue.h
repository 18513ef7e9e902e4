#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/planted.h"
#include "codec/mqtt/packet_type.h"
#include "connect/mqtt/front_queue.h"
#include "log/position.h"

namespace ficus::connect {

// Answers to what one connection sent in one turn: they leave together, when everything they
// promise is durable.
struct ReplyGroup {
  std::vector<std::byte> bytes;
  std::size_t publishes_answered = 0;  // in it: each makes room in the client's send quota
  std::size_t batches_left = 0;        // handed to the engine, not yet durable
  // How many answers to PUBLISHes in `bytes` follow each other that promise what is in the same
  // batch; 0 is none: what they promise the engine does not keep.
  struct Run {
    std::uint64_t batch = 0;
    std::size_t answers = 0;
  };
  std::vector<Run> runs;
  std::vector<std::uint64_t> failed;  // batches that could not be made durable: not acknowledged
  // Promises something that another connection may have written: the whole log must be durable.
  bool waits_for_log = false;
  bool waits_for_flush =
      false;  // facts of the broker were written this turn, not yet appended to its log
  log::Position broker_end;  // then: up to where that log must be durable
  bool is_complete = false;  // nothing more is added
  bool makes_ready = false;  // holds the CONNACK: afterwards messages may be sent

  void add_answer(std::uint64_t batch) {
    if (runs.empty() || runs.back().batch != batch) runs.push_back({batch, 0});
    ++runs.back().answers;
  }
  bool has_failed(std::uint64_t batch) const {
    return std::find(failed.begin(), failed.end(), batch) != failed.end();
  }
  bool is_releasable(log::Position durable) const {
    return is_complete && (batches_left == 0 || FICUS_PLANTED(answer_before_engine)) &&
           !waits_for_flush && broker_end <= durable;
  }
};

struct Refusing {
  mqtt::ProtocolVersion version = mqtt::ProtocolVersion::v5;
  std::size_t packet_bytes_max = SIZE_MAX;  // that the client takes
  std::optional<std::string_view> reason_string = {};
};
// The engine could not keep the group's failed batches: each PUBACK and PUBREC that promises what
// was in one says so. The others stand, also of a QoS 2 message that our own log has. Returns the
// packet identifiers of the PUBRECs that refuse.
std::vector<mqtt::PacketId> refuse_failed(ReplyGroup& group, const Refusing& how);

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
