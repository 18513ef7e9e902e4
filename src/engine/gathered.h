#pragma once

#include <cstddef>
#include <mutex>
#include <utility>

#include "engine/delivery.h"

namespace ficus {

// Runs a completion once, when all parts of a submission have ended, with the gravest error: what
// was refused is a decision that stands, what could not be made durable is none.
class Gathered {
 public:
  Gathered(std::size_t parts, Completion done) : left_(parts), done_(std::move(done)) {}

  void arrive(const Status& status) {
    {
      const std::lock_guard lock(mutex_);
      if (!status && (status_ || (!is_decision(status) && is_decision(status_)))) status_ = status;
      if (--left_ > 0) return;
    }
    if (done_) done_(status_);
  }

 private:
  static bool is_decision(const Status& failed) {
    const ErrorCode code = failed.error().code;
    return code == ErrorCode::overloaded || code == ErrorCode::invalid_input;
  }

  std::mutex mutex_;  // parts of one submission end on different threads
  std::size_t left_;
  Status status_;
  Completion done_;
};

}  // namespace ficus
