#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ficus::connect {

// What the broker has written down and its log has not got yet. Everything between two calls of
// take() is one step: a crash keeps all of it or nothing.
//
// A record of the log has a limit (64 MiB, log/record.h), a step has none: it is cut into records
// of about kRecordBytes, between facts, however much one call of the state writes. Each record
// begins with two bytes: the version, and whether it begins and whether it ends its step.
class FactJournal {
 public:
  static constexpr std::size_t kRecordBytes = std::size_t{8} << 20;

  // To append exactly one fact to. A fact may be as long as a message and half a record more.
  std::string& next();
  bool empty() const { return present_.empty(); }
  std::size_t bytes() const { return full_bytes_ + present_.size(); }  // of this step
  // The number of the step that the next take() gives; the first is 1.
  std::uint64_t step() const { return step_; }
  std::vector<std::string> take();  // the records of this step; the next one begins

 private:
  void begin_record();

  std::vector<std::string> full_;
  std::size_t full_bytes_ = 0;
  std::string present_;
  std::uint64_t step_ = 1;
};

// Puts the records of the log together to whole steps again.
class StepReader {
 public:
  // `facts` then holds, for each record of the step that this record ends, its facts; nothing if
  // the step goes on. Views into `payload` or this object, valid until the next call. A step whose
  // end a crash has cut off is forgotten when the next begins. corrupt if it is of no version of
  // ours.
  Status add(std::string_view payload, std::vector<std::string_view>& facts);
  void forget_unfinished() { waiting_.clear(); }

 private:
  std::vector<std::string> waiting_;  // records of a step that is not whole
  std::vector<std::string> given_;
};

}  // namespace ficus::connect
