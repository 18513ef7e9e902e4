#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/observation_batch.h"
#include "twin/applied_rows.h"

namespace ficus {

// Runs when the facts of a submission are durable, or with the error that kept them from being so.
using Completion = std::move_only_function<void(const Status&)>;

// A batch with what became of each row; shared with history, live stream and subscribers.
struct SettledBatch {
  std::shared_ptr<const ObservationBatch> rows;
  std::vector<twin::RowOutcome> outcomes;  // one a row
  std::string origin;                      // the source, "rule:NAME" or "operator:NAME"
  Timestamp received_at;
  bool derived = false;  // written by a rule or an operator, not heard from a source
};

struct Completed {
  Completion done;
  Status status;
};

// What became durable at once.
struct Delivery {
  std::vector<Completed> completed;
  std::vector<SettledBatch> settled;  // only while Engine::set_followers said that someone listens
  bool empty() const { return completed.empty() && settled.empty(); }
};

// Receives deliveries on a shard's thread; must hand them on without waiting.
class DeliverySink {
 public:
  virtual ~DeliverySink() = default;
  virtual void deliver(Delivery delivery) = 0;
};

}  // namespace ficus
