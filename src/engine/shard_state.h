#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/fact/fact.h"
#include "engine/alert_desk.h"
#include "engine/books.h"
#include "engine/commit_log.h"
#include "engine/configuration.h"
#include "engine/delivery.h"
#include "engine/shard_capture.h"
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
  bool keeps_configuration_entity = false;           // one shard does
  // Of silences, and of alerts of ended rules, in one step; the rest waits for the next.
  std::size_t step_edges_max = 4096;
};

// The views of one shard: twin, rules, alerts and books, as one deterministic fold over the log. No
// I/O, no clock, one thread.
//
// Live, each step is: apply what was heard, evaluate the rules, apply what they derive, and write
// all of it as one record. Replayed, the record says what was heard and what was derived; the rules
// run again only to regain their state.
//
// Much may be due at one moment: a whole district falls silent, a rule with many alerts is gone. So
// each step lets time pass only so far as some thousand edges, and says in its record how far; what
// is left is for the steps after it. An entity that is heard meanwhile makes its own edges first.
class ShardState {
 public:
  ShardState(Schema& schema, rules::RuleBook rules, const AlertAttributes& alert_attributes,
             const ShardStateOptions& options);

  Step hear(std::string_view source, SourceBatch&& batch, Timestamp now);
  // Time passes: rules that wait for silence may speak, alerts of ended rules are cleared. In
  // bounded steps: call it while next_deadline() is not after `now`.
  Step advance(Timestamp now);
  // When advance() has something to do, if ever.
  std::optional<Timestamp> next_deadline() const;
  Step operate(const AlertCommand& command, Timestamp now);
  // Another configuration holds from here on: `next` takes over the state of the rules that are the
  // same. A changed rule starts afresh, but knows its open alerts and so clears those that it would
  // not raise; those of a rule that is gone are cleared, by the next calls of advance(). The record
  // carries all that the rules know
  // afterwards, so that a replay, which has the newest rules only, knows the same from here on. If
  // the step's status is an error, nothing has changed.
  Step change(const Configuration& configuration, rules::RuleBook next, Timestamp now);
  // Whether this configuration holds, and just the rules of the book: not so after the recovery of
  // a log that was written with others.
  bool is_in_force(const Configuration& configuration) const;
  std::span<const rules::RuleKey> rules_in_force() const { return rules_in_force_; }
  const std::vector<std::pair<std::string, std::uint64_t>>& parts() const { return parts_; }

  // Applies a record of the log; `time` is the record's.
  Result<Step> replay(std::string_view record, Timestamp time);

  using Sections = LogFold::Sections;
  Sections encode() const;
  // The same in shares: begin_capture() notes the state as it is now, capture() gathers about so
  // many of its values each time, with any steps in between; when is_captured(), take_capture()
  // gives it. REQUIRES: one at a time.
  void begin_capture();
  void capture(std::size_t values_max) { capture_->work(values_max); }
  bool is_captured() const { return capture_->is_complete(); }
  std::unique_ptr<ShardCapture> take_capture();  // complete or not; then it is given up
  bool is_capturing() const { return capture_ != nullptr; }
  // What the present capture has cost so far, in values; 0 if there is none.
  std::uint64_t captured_values() const { return is_capturing() ? capture_->values_done() : 0; }
  // REQUIRES: a new state.
  Status decode(const Sections& sections);

  const twin::Twin& twin() const { return twin_; }
  const Books& books() const { return books_; }
  const rules::RuleBook& rules() const { return rules_; }
  std::size_t open_alert_count() const { return alerts_.open_count(twin_); }

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
  // Lets the rules' time pass, adds what they say to emissions_; returns how far it went.
  Timestamp pass_time(Timestamp now);
  fact::StepWriter begin_record(Step& step, Timestamp reached) const;
  // Entities that are heard make the edges that are due for them, first.
  void expire_heard(const ObservationBatch& rows, Timestamp now);
  // Turns emissions_ into rows, applies those, and again, until the rules are silent.
  void derive(Timestamp now, fact::StepWriter& writer, Step& step);
  void emit(const rules::Emission& emission, Timestamp now);
  // Tells a rule that is new or has changed which alerts of its name are open.
  void know_open_alerts(rules::RuleBook& book, rules::RuleId rule) const;
  void end_rules(const RuleChanges& changes);
  // The alerts of ended rules that no rule of the book stands for.
  void find_unwatched();
  bool is_watched(const std::string& rule, const std::string& entity_id) const;
  // Clears some of them.
  void clear_unwatched(Timestamp now, fact::StepWriter& writer, Step& step);
  void write_configuration_entity(const std::string& by, const Configuration& configuration,
                                  Timestamp now, fact::StepWriter& writer, Step& step);
  void apply_derived(const std::string& origin, ObservationBatch&& rows, Timestamp now,
                     fact::StepWriter& writer, Step& step);
  Status replay_fact(fact::Fact&& fact, Timestamp time, Step& step);
  Status replay_change(fact::ConfigurationChanged&& change);
  ObservationBatch& derived_rows(const std::string& rule, TypeId into);
  std::unique_ptr<ShardCapture> new_capture() const;

  Schema& schema_;
  const AlertAttributes alert_attributes_;
  const ShardStateOptions options_;
  twin::Twin twin_;
  rules::RuleBook rules_;
  AlertDesk alerts_;
  Books books_;
  std::vector<rules::RuleKey> rules_in_force_;  // sorted
  std::vector<std::pair<std::string, std::uint64_t>> parts_;
  // Rules that are gone or have changed, while some of their alerts may have to be cleared; sorted.
  std::vector<std::string> ended_rules_;
  // Those alerts, by rule and entity, the next one last; found when they are first asked for.
  using RuleAndEntity = std::pair<std::string, std::string>;
  std::optional<std::vector<RuleAndEntity>> unwatched_;

  std::unique_ptr<ShardCapture> capture_;  // of the snapshot that is under way

  // Scratch, kept for its memory.
  std::vector<twin::AppliedRows> applied_;  // by TypeId
  std::vector<std::uint32_t> counted_;
  std::vector<EntityId> heard_;
  std::vector<rules::Emission> emissions_;
  std::vector<std::pair<std::string, ObservationBatch>> derived_;
};

}  // namespace ficus
