#include "engine/shard_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/planted.h"

namespace ficus {
namespace {

// A rule may listen to what another rule writes; a longer chain than this is a loop.
constexpr int kDerivationDepthMax = 4;

// Answers the rules' question for the present state of entities that fell silent.
class PresentOfTwin final : public rules::PresentReader {
 public:
  PresentOfTwin(const Schema& schema, const twin::Twin& twin) : schema_(schema), twin_(twin) {}

  void read(TypeId type, std::span<const EntityId> entities, std::span<const AttributeId> wanted,
            rules::PresentRows& out) const override {
    out = {};
    for (const AttributeId attribute : wanted) {
      out.present.emplace_back(attribute, schema_.attribute_kind(type, attribute));
    }
    for (const EntityId entity : entities) {
      out.ids.push_back(twin_.id_of(entity));
      out.observed_at.push_back(twin_.newest_observed_at(entity));
      for (Column& column : out.present) column.push(twin_.value(entity, column.attribute));
    }
  }

 private:
  const Schema& schema_;
  const twin::Twin& twin_;
};

std::string entity_of_rule(std::string_view type, std::string_view rule, std::string_view source) {
  constexpr std::string_view kPrefix = "urn:ngsi-ld:";
  if (source.starts_with(kPrefix)) source.remove_prefix(kPrefix.size());
  return fmt::format("{}{}:{}:{}", kPrefix, type, rule, source);
}

}  // namespace

ShardState::ShardState(Schema& schema, rules::RuleBook rules,
                       const AlertAttributes& alert_attributes, const ShardStateOptions& options)
    : schema_(schema),
      alert_attributes_(alert_attributes),
      options_(options),
      twin_(schema, options.twin),
      rules_(std::move(rules)),
      alerts_(schema, alert_attributes, options.reopen_within) {}

twin::AppliedRows& ShardState::applied_of(TypeId type) {
  if (applied_.size() <= type.index()) applied_.resize(type.index() + 1);
  return applied_[type.index()];
}

Result<SettledBatch> ShardState::apply(std::shared_ptr<const ObservationBatch> rows,
                                       std::string_view origin, Timestamp now, bool derived) {
  if (rules_.is_due(rows->type(), now)) expire_heard(*rows, now);
  twin::AppliedRows& applied = applied_of(rows->type());
  FICUS_TRY_VOID(twin_.apply(*rows, rules_.wanted(rows->type()), applied));
  if (rows->type() == alert_attributes_.type) alerts_.learn(*rows);
  if (rules_.has_rules(rows->type())) observe(*rows, applied, now);
  SettledBatch settled;
  settled.outcomes = applied.outcome;
  settled.rows = std::move(rows);
  settled.origin = origin;
  settled.received_at = now;
  settled.derived = derived;
  return settled;
}

void ShardState::expire_heard(const ObservationBatch& rows, Timestamp now) {
  heard_.clear();
  for (std::size_t row = 0; row < rows.row_count(); ++row) {
    const auto entity = twin_.find_entity(rows.ids()[row], rows.type());
    if (entity) heard_.push_back(*entity);
  }
  rules_.expire(rows.type(), heard_, now, PresentOfTwin(schema_, twin_), emissions_);
}

void ShardState::observe(const ObservationBatch& rows, const twin::AppliedRows& applied,
                         Timestamp now) {
  counted_.clear();
  for (std::uint32_t row = 0; row < applied.outcome.size(); ++row) {
    if (applied.outcome[row] == twin::RowOutcome::applied) counted_.push_back(row);
  }
  rules_.observe({.type = rows.type(),
                  .ids = &rows.ids(),
                  .observed_at = rows.observed_at(),
                  .entity = applied.entity,
                  .present = applied.present,
                  .counted = counted_},
                 now, emissions_);
}

void ShardState::count(const SettledBatch& settled, SourceBooks& books) {
  for (const twin::RowOutcome outcome : settled.outcomes) {
    switch (outcome) {
      case twin::RowOutcome::applied:
        ++books.applied;
        break;
      case twin::RowOutcome::late:
        ++books.late;
        if (FICUS_PLANTED(count_late_twice)) ++books.late;
        break;
      case twin::RowOutcome::duplicate:
        ++books.duplicate;
        break;
    }
  }
}

void ShardState::enter_in_books(std::string_view source, const SourceBatch& batch) {
  SourceBooks& books = books_.of(source);
  books.received += batch.item_count();
  books.quarantined += batch.quarantined.size();
  books.last_received_at = std::max(books.last_received_at, batch.received_at);
  for (const RefusedCount& refused : batch.refused) {
    books.refused_by[refused.reason] += refused.items;
  }
}

void ShardState::hear_rows(ObservationBatch&& rows, std::string_view source, Timestamp now,
                           std::vector<std::shared_ptr<const ObservationBatch>>& accepted,
                           SourceBatch& logged, Step& step) {
  auto shared = std::make_shared<const ObservationBatch>(std::move(rows));
  auto settled = apply(shared, source, now, false);
  if (!settled) {
    step.status = std::unexpected(settled.error());
    std::vector<std::uint32_t> acceptable;
    twin_.acceptable_rows(*shared, acceptable);
    std::size_t unusable = 0;
    for (std::size_t row = 0; row < shared->row_count(); ++row) {
      if (!twin_.is_usable_id(shared->ids()[row])) ++unusable;
    }
    const std::size_t homeless = shared->row_count() - acceptable.size() - unusable;
    for (const auto& [reason, rows_refused] :
         {std::pair{"unusable_id", unusable}, std::pair{"twin_full", homeless}}) {
      if (rows_refused == 0) continue;
      logged.refused.push_back({reason, rows_refused});
      books_.of(source).refused_by[reason] += rows_refused;
    }
    if (acceptable.empty()) return;
    shared = std::make_shared<const ObservationBatch>(shared->select(acceptable));
    settled = apply(shared, source, now, false);
    FICUS_CHECK(settled.has_value());  // these rows the twin has just called acceptable
  }
  count(*settled, books_.of(source));
  accepted.push_back(std::move(shared));
  step.settled.push_back(*std::move(settled));
}

Step ShardState::hear(std::string_view source, SourceBatch&& batch, Timestamp now) {
  Step step;
  step.time = now;
  emissions_.clear();
  fact::StepWriter writer = begin_record(step, pass_time(now));
  enter_in_books(source, batch);
  SourceBatch logged;
  logged.source = batch.source;
  logged.received_at = batch.received_at;
  logged.refused = std::move(batch.refused);
  logged.quarantined = std::move(batch.quarantined);
  std::vector<std::shared_ptr<const ObservationBatch>> accepted;
  for (ObservationBatch& rows : batch.observations) {
    hear_rows(std::move(rows), source, now, accepted, logged, step);
  }
  writer.heard(source, logged, accepted);
  derive(now, writer, step);
  step.source = source;
  step.received_at = logged.received_at;
  step.quarantined = std::move(logged.quarantined);
  return step;
}

Timestamp ShardState::pass_time(Timestamp now) {
  return rules_.advance(now, options_.step_edges_max, PresentOfTwin(schema_, twin_), emissions_);
}

fact::StepWriter ShardState::begin_record(Step& step, Timestamp reached) const {
  fact::StepWriter writer(schema_, step.record);
  if (reached < step.time) writer.time_passed(reached);
  return writer;
}

Step ShardState::advance(Timestamp now) {
  Step step;
  step.time = now;
  emissions_.clear();
  const Timestamp reached = pass_time(now);
  if (emissions_.empty() && ended_rules_.empty()) return step;
  fact::StepWriter writer = begin_record(step, reached);
  derive(now, writer, step);
  if (!ended_rules_.empty()) clear_unwatched(now, writer, step);
  return step;
}

std::optional<Timestamp> ShardState::next_deadline() const {
  return ended_rules_.empty() ? rules_.next_deadline() : Timestamp::min();
}

Step ShardState::operate(const AlertCommand& command, Timestamp now) {
  Step step;
  step.time = now;
  std::optional<fact::StepWriter> writer;
  emissions_.clear();
  const Timestamp reached = pass_time(now);
  if (!emissions_.empty()) derive(now, writer.emplace(begin_record(step, reached)), step);
  ObservationBatch rows(alert_attributes_.type);
  step.status = alerts_.operate(command, twin_, now, rows);
  if (!step.status) return step;
  rows.finish();
  if (!writer) writer.emplace(begin_record(step, reached));
  const std::string origin = "operator:" + command.by;
  writer->derived(origin, rows);
  auto settled =
      apply(std::make_shared<const ObservationBatch>(std::move(rows)), origin, now, true);
  FICUS_CHECK(settled.has_value());  // the alert exists: no room is needed
  step.settled.push_back(*std::move(settled));
  derive(now, *writer, step);
  return step;
}

ObservationBatch& ShardState::derived_rows(const std::string& rule, TypeId into) {
  for (auto& [name, rows] : derived_) {
    if (name == rule && !rows.is_full()) return rows;
  }
  return derived_.emplace_back(rule, ObservationBatch(into)).second;
}

void ShardState::emit(const rules::Emission& emission, Timestamp now) {
  const rules::RuleInfo& rule = rules_.info(emission.rule);
  if (rule.into == alert_attributes_.type) {
    const AlertOccasion occasion{.rule = rule.name,
                                 .entity_id = emission.entity_id,
                                 .observed_at = emission.observed_at,
                                 .values = emission.values};
    ObservationBatch& rows = derived_rows(rule.name, rule.into);
    return emission.met ? alerts_.on_met(occasion, twin_, now, rows)
                        : alerts_.on_gone(occasion, twin_, now, rows);
  }
  if (!emission.met) return;
  ObservationBatch& rows = derived_rows(rule.name, rule.into);
  rows.begin_row(entity_of_rule(schema_.type_name(rule.into), rule.name, emission.entity_id),
                 emission.observed_at);
  for (const auto& [attribute, value] : emission.values) rows.set(attribute, value);
}

void ShardState::apply_derived(const std::string& origin, ObservationBatch&& rows, Timestamp now,
                               fact::StepWriter& writer, Step& step) {
  rows.finish();
  auto shared = std::make_shared<const ObservationBatch>(std::move(rows));
  auto settled = apply(shared, origin, now, true);
  if (!settled) {
    step.status = std::unexpected(settled.error());
    return;
  }
  writer.derived(origin, *shared);
  step.settled.push_back(*std::move(settled));
}

void ShardState::derive(Timestamp now, fact::StepWriter& writer, Step& step) {
  for (int depth = 0; depth < kDerivationDepthMax && !emissions_.empty(); ++depth) {
    std::vector<rules::Emission> emissions;
    emissions.swap(emissions_);
    // One emission at a time for alerts: the next must see what the one before has changed.
    for (const rules::Emission& emission : emissions) {
      derived_.clear();
      emit(emission, now);
      for (auto& [rule, rows] : derived_) {
        if (rows.row_count() == 0) continue;
        apply_derived("rule:" + rule, std::move(rows), now, writer, step);
      }
    }
  }
  emissions_.clear();
}

}  // namespace ficus
