#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/observation_batch.h"
#include "model/schema.h"
#include "model/source_batch.h"

namespace ficus::fact {

// What one source heard at once, with the source by name, as names outlive handles.
struct Heard {
  std::string source;
  SourceBatch batch;
};

// Rows that the brain itself wrote: by a rule ("rule:NAME") or for an operator ("operator:NAME").
struct Derived {
  std::string origin;
  ObservationBatch rows;
};

// From here on other rules, mappings, zones ... hold.
struct ConfigurationChanged {
  std::string by;  // who asked for it
  // What it consists of ("rules", "zones", ...) with a fingerprint of each.
  std::vector<std::pair<std::string, std::uint64_t>> parts;
  std::string rules_state;  // all that the new rules know now (rules/rule_book.h)
  // Rules that are gone or have changed, of whose alerts some may have to be cleared yet.
  std::vector<std::string> ended_rules;
};

// In this step the rules' time went only so far, not up to the time of the record: more silences
// are due than one step tells. Stands first.
struct TimePassed {
  Timestamp until;
};

// All alerts of ended rules that had to be cleared are.
struct EndedRulesCleared {};

using Fact = std::variant<Heard, Derived, ConfigurationChanged, TimePassed, EndedRulesCleared>;

// A log record of a shard is one **step**: what was heard and all that was derived from it, so that
// a crash keeps both or neither.
//
// Bytes: version 2, then per fact: kind (1 heard, 2 derived, 3 configuration changed,
// 4 time passed, 5 ended rules cleared), length (LEB128), content. Types and
// attributes stand in it by name: a record can be read without any other record. Numbers, times and
// points lie as in memory (little-endian doubles and 64-bit integers); flags of presence are one
// bit a row, left out if all are set.
class StepWriter {
 public:
  // Appends to `out`, which the caller owns and may reuse.
  StepWriter(const Schema& schema, std::string& out);
  void heard(std::string_view source, const SourceBatch& batch);
  // The same with observations that are shared already, in place of batch.observations.
  void heard(std::string_view source, const SourceBatch& batch,
             std::span<const std::shared_ptr<const ObservationBatch>> observations);
  void derived(std::string_view origin, const ObservationBatch& rows);
  void configuration_changed(const ConfigurationChanged& change);
  void time_passed(Timestamp until);
  void ended_rules_cleared();

 private:
  void write_head(std::string_view source, const SourceBatch& batch, std::size_t batch_count);
  void put(std::uint8_t kind);

  const Schema& schema_;
  std::string& out_;
  std::string content_;
};

// Unknown types and attributes are added to the schema; an attribute whose kind has changed since
// is an error. Bytes that no StepWriter wrote are ErrorCode::corrupt.
Result<std::vector<Fact>> read_step(std::string_view bytes, Schema& schema);

}  // namespace ficus::fact
