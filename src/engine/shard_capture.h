#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "engine/commit_log.h"
#include "rules/rule_capture.h"
#include "twin/twin_capture.h"

namespace ficus {

// A shard's state as it was at one position of its log, gathered in shares while the shard goes on
// (twin_capture.h, rule_capture.h); what is small is encoded at once. Made and advanced by
// ShardState; complete, it is written by whoever has it, on any one thread.
class ShardCapture {
 public:
  ShardCapture(const twin::Twin& twin, const rules::RuleBook& rules) : twin_(twin), rules_(rules) {}

  // Does about so much more, in values of entities.
  void work(std::size_t values_max);
  bool is_complete() const { return twin_.is_complete() && rules_.is_complete(); }
  // What was done since it was made, by work() and for those who were about to change something.
  std::uint64_t values_done() const;

  // REQUIRES: is_complete(). The sections in memory, or a snapshot's.
  LogFold::Sections sections() const;
  Status write(log::SnapshotWriter& snapshot) const;

  twin::TwinCapture& twin() { return twin_; }
  rules::RuleCapture& rules() { return rules_; }
  std::string books, configuration;  // encoded

 private:
  twin::TwinCapture twin_;
  rules::RuleCapture rules_;
};

}  // namespace ficus
