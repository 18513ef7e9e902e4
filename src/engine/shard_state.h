#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/fact/fact.h"
#include "engine/alert_desk.h"
#include "engine/books.h"
#include "engine/commit_log.h"
#include "engine/delivery.h"
#include "rules/rule_book.h"
#include "twin/twin.h"

namespace ficus {

// What one step did: the facts as they go into the log, and the batches as they go to the
// followers.
struct Step {
  Status status;       // why part of it was refused, if it was
  Timestamp time;      // when it was taken: must be the record's time, which replay is told
  std::string record;  // a log payload (codec/fact); empty if nothing happened
  std::vector<SettledBatch> settled;
  std::string source;  // of what was heard; empty if nothing was
  Timestamp received_at;
  std::vector<QuarantinedItem> quarantined;
};

struct ShardStateOptions {
  twin::TwinLimits twin;
  Micros reopen_within = Micros::from_seconds(300);  // see AlertDesk
};

// The views of one shard: twin, rules, alerts and books, as one deterministic fold over the log. No
// I/O, no clock, one thread.
//
// Live, each step is: apply what was heard, evaluate the rules, apply what they derive, and write
// all of it as one record. Replayed, the record says what was heard and what was derived; the rules
// run again only to regain their state.
class ShardState {
 public:
  ShardState(Schema& schema, rules::RuleBook rules, const AlertAttributes& alert_attributes,
             const ShardStateOptions& options);

  Step hear(std::string_view source, SourceBatch&& batch, Timestamp now);
  // Time passes: rules that wait for silence may speak.
  Step advance(Timestamp now);
  Step operate(const AlertCommand& command, Timestamp now);
  // Applies a record of the log; `time` is the record's.
  Result<Step> replay(std::string_view record, Timestamp time);

  using Sections = LogFold::Sections;
  Sections encode() const;
  // REQUIRES: a new state. `report` names rules whose state was dropped since their text has
  // changed.
  Status decode(const Sections& sections, std::vector<std::string>& report);

  const twin::Twin& twin() const { return twin_; }
  const Books& books() const { return books_; }
  const rules::RuleBook& rules() const { return rules_; }

 private:
  // Takes the rows for which the twin has room; the number of the others is added to `refused`.
  void hear_rows(ObservationBatch&& rows, std::string_view source, Timestamp now,
                 std::vector<std::shared_ptr<const ObservationBatch>>& accepted,
                 SourceBatch& logged, Step& step);
  // Applies one batch and lets the rules see it; what they say is added to emissions_.
  Result<SettledBatch> apply(std::shared_ptr<const ObservationBatch> rows, std::string_view origin,
                             Timestamp now, bool derived);
  twin::AppliedRows& applied_of(TypeId type);
  void observe(const ObservationBatch& rows, const twin::AppliedRows& applied, Timestamp now);
  void enter_in_books(std::string_view source, const SourceBatch& batch);
  static void count(const SettledBatch& settled, SourceBooks& books);
  // Turns emissions_ into rows, applies those, and again, until the rules are silent.
  void derive(Timestamp now, fact::StepWriter& writer, Step& step);
  void emit(const rules::Emission& emission, Timestamp now);
  ObservationBatch& derived_rows(const std::string& rule, TypeId into);

  Schema& schema_;
  const AlertAttributes alert_attributes_;
  twin::Twin twin_;
  rules::RuleBook rules_;
  AlertDesk alerts_;
  Books books_;

  // Scratch, kept for its memory.
  std::vector<twin::AppliedRows> applied_;  // by TypeId
  std::vector<std::uint32_t> counted_;
  std::vector<rules::Emission> emissions_;
  std::vector<std::pair<std::string, ObservationBatch>> derived_;
};

}  // namespace ficus
