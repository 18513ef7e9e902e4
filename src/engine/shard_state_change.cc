// The part of ShardState that changes its rules: live, at a start with other rules, and at replay.
#include <algorithm>
#include <iterator>

#include "engine/shard_state.h"

namespace ficus {

bool ShardState::is_in_force(const Configuration& configuration) const {
  return parts_ == configuration.parts && rules_in_force_ == rules_.set().keys();
}

Step ShardState::change(const Configuration& configuration, rules::RuleBook next, Timestamp now) {
  Step step;
  step.time = now;
  const std::vector<rules::RuleKey>& keys = next.set().keys();
  std::vector<rules::RuleKey> kept;
  std::ranges::set_intersection(rules_in_force_, keys, std::back_inserter(kept));
  std::string state;
  rules_.encode(state);
  if (const auto restored = next.decode(state, kept, now); !restored) {
    step.status = std::unexpected(restored.error());
    return step;
  }
  for (std::uint32_t i = 0; i < twin_.entity_count(); ++i) {
    const EntityId entity(i);
    next.introduce(twin_.type_of(entity), entity, twin_.newest_observed_at(entity), now);
  }
  for (std::uint32_t i = 0; i < next.rule_count(); ++i) {
    const std::string& name = next.info(rules::RuleId(i)).name;
    const bool is_kept = std::ranges::binary_search(kept, name, {}, &rules::RuleKey::name);
    if (!is_kept) know_open_alerts(next, rules::RuleId(i));
  }
  next.continue_figures(rules_);
  if (capture_ != nullptr) {
    capture_->rules().keep_all();
    rules_.set_capture(nullptr);
  }
  const RuleChanges changes = compare_rules(rules_in_force_, keys);
  rules_ = std::move(next);
  rules_in_force_ = keys;
  parts_ = configuration.parts;
  end_rules(changes);

  state.clear();
  rules_.encode(state);
  // The state says all there is: no time passes before it.
  fact::StepWriter writer = begin_record(step, Timestamp::min());
  writer.configuration_changed({configuration.by, parts_, std::move(state), ended_rules_});
  emissions_.clear();
  write_configuration_entity(configuration.by, configuration, now, writer, step);
  derive(now, writer, step);
  return step;
}

void ShardState::end_rules(const RuleChanges& changes) {
  ended_rules_.insert(ended_rules_.end(), changes.removed.begin(), changes.removed.end());
  ended_rules_.insert(ended_rules_.end(), changes.changed.begin(), changes.changed.end());
  std::ranges::sort(ended_rules_);
  ended_rules_.erase(std::ranges::unique(ended_rules_).begin(), ended_rules_.end());
  unwatched_.reset();
}

void ShardState::know_open_alerts(rules::RuleBook& book, rules::RuleId rule) const {
  const rules::RuleInfo& info = book.info(rule);
  if (info.into != alert_attributes_.type) return;
  for (const std::string& id : alerts_.entities_with_open_alert(info.name, twin_)) {
    const auto entity = twin_.find_entity(id);
    if (entity && twin_.type_of(*entity) == info.from) book.assume_met(rule, *entity);
  }
}

bool ShardState::is_watched(const std::string& rule, const std::string& entity_id) const {
  const auto entity = twin_.find_entity(entity_id);
  if (!entity) return false;
  for (std::uint32_t i = 0; i < rules_.rule_count(); ++i) {
    const rules::RuleInfo& info = rules_.info(rules::RuleId(i));
    if (info.name != rule || info.into != alert_attributes_.type) continue;
    return info.from == twin_.type_of(*entity);
  }
  return false;
}

void ShardState::find_unwatched() {
  unwatched_.emplace();
  for (const std::string& rule : ended_rules_) {
    for (std::string& id : alerts_.entities_with_open_alert(rule, twin_)) {
      if (!is_watched(rule, id)) unwatched_->emplace_back(rule, std::move(id));
    }
  }
  std::ranges::reverse(*unwatched_);
}

void ShardState::clear_unwatched(Timestamp now, fact::StepWriter& writer, Step& step) {
  if (!unwatched_) find_unwatched();
  for (std::size_t left = options_.step_edges_max; left > 0 && !unwatched_->empty();) {
    const std::string rule = unwatched_->back().first;
    ObservationBatch rows(alert_attributes_.type);
    while (left > 0 && !rows.is_full() && !unwatched_->empty() &&
           unwatched_->back().first == rule) {
      --left;
      alerts_.on_rule_removed(rule, unwatched_->back().second, twin_, now, rows);
      unwatched_->pop_back();
    }
    if (rows.row_count() > 0) apply_derived("rule:" + rule, std::move(rows), now, writer, step);
  }
  if (unwatched_->empty()) {
    writer.ended_rules_cleared();
    ended_rules_.clear();
    unwatched_.reset();
  }
  derive(now, writer, step);
}

void ShardState::write_configuration_entity(const std::string& by,
                                            const Configuration& configuration, Timestamp now,
                                            fact::StepWriter& writer, Step& step) {
  if (!options_.keeps_configuration_entity) return;
  const auto at = ConfigurationAttributes::declare(schema_);
  if (!at) return;  // the schema is full: the fact itself is in the log all the same
  ObservationBatch rows(at->type);
  Timestamp moment = now;
  if (const auto known = twin_.find_entity(kConfigurationId)) {
    moment = std::max(now, twin_.newest_observed_at(*known) + Micros{1});
  }
  rows.begin_row(kConfigurationId, moment);
  rows.set_text(at->fingerprint, ValueKind::text, configuration.fingerprint());
  rows.set_text(at->changed_by, ValueKind::text, by);
  rows.set_number(at->rules, static_cast<double>(rules_.rule_count()));
  apply_derived(by, std::move(rows), now, writer, step);
}

Status ShardState::replay_change(fact::ConfigurationChanged&& change) {
  rules_.reset();
  FICUS_TRY(rules::RestoreReport restored, rules_.decode(change.rules_state));
  rules_in_force_ = std::move(restored.keys);
  parts_ = std::move(change.parts);
  ended_rules_ = std::move(change.ended_rules);
  unwatched_.reset();
  return {};
}

}  // namespace ficus
