// The part of ShardState that comes back from the log: records replayed, snapshots encoded and
// decoded.
#include <fmt/format.h>

#include "base/check.h"
#include "engine/shard_state.h"

namespace ficus {

Result<Step> ShardState::replay(std::string_view record, Timestamp time) {
  FICUS_TRY(std::vector<fact::Fact> facts, fact::read_step(record, schema_));
  Step step;
  twin_.set_trusts_rows(true);
  const auto* const passed = facts.empty() ? nullptr : std::get_if<fact::TimePassed>(&facts[0]);
  const Timestamp until = passed == nullptr ? time : passed->until;
  while (pass_time(until) < until) emissions_.clear();
  for (fact::Fact& fact : facts) FICUS_TRY_VOID(replay_fact(std::move(fact), time, step));
  twin_.set_trusts_rows(false);
  emissions_.clear();  // what the rules said then stands in the record
  return step;
}

Status ShardState::replay_fact(fact::Fact&& fact, Timestamp time, Step& step) {
  if (std::holds_alternative<fact::TimePassed>(fact)) return {};
  if (std::holds_alternative<fact::EndedRulesCleared>(fact)) {
    ended_rules_.clear();
    unwatched_.reset();
    return {};
  }
  if (auto* const change = std::get_if<fact::ConfigurationChanged>(&fact)) {
    return replay_change(std::move(*change));
  }
  if (auto* const derived = std::get_if<fact::Derived>(&fact)) {
    auto rows = std::make_shared<const ObservationBatch>(std::move(derived->rows));
    FICUS_TRY(SettledBatch settled, apply(std::move(rows), derived->origin, time, true));
    step.settled.push_back(std::move(settled));
    return {};
  }
  auto& [source, batch] = std::get<fact::Heard>(fact);
  enter_in_books(source, batch);
  for (ObservationBatch& rows : batch.observations) {
    auto shared = std::make_shared<const ObservationBatch>(std::move(rows));
    FICUS_TRY(SettledBatch settled, apply(std::move(shared), source, time, false));
    count(settled, books_.of(source));
    step.settled.push_back(std::move(settled));
  }
  step.source = source;
  step.received_at = batch.received_at;
  step.quarantined = std::move(batch.quarantined);
  return {};
}

std::unique_ptr<ShardCapture> ShardState::new_capture() const {
  auto capture = std::make_unique<ShardCapture>(twin_, rules_);
  books_.encode(capture->books);
  fact::StepWriter(schema_, capture->configuration)
      .configuration_changed({"", parts_, "", ended_rules_});
  return capture;
}

ShardState::Sections ShardState::encode() const {
  const std::unique_ptr<ShardCapture> capture = new_capture();
  while (!capture->is_complete()) capture->work(SIZE_MAX);
  return capture->sections();
}

void ShardState::begin_capture() {
  FICUS_CHECK(capture_ == nullptr);
  capture_ = new_capture();
  twin_.set_capture(&capture_->twin());
  rules_.set_capture(&capture_->rules());
}

std::unique_ptr<ShardCapture> ShardState::take_capture() {
  twin_.set_capture(nullptr);
  rules_.set_capture(nullptr);
  return std::move(capture_);
}

Status ShardState::decode(const Sections& sections) {
  for (const auto& [name, bytes] : sections) {
    if (name == "twin") {
      FICUS_TRY_VOID(twin_.decode(bytes));
    } else if (name == "rules") {
      FICUS_TRY(rules::RestoreReport restored, rules_.decode(bytes));
      rules_in_force_ = std::move(restored.keys);
    } else if (name == "books") {
      FICUS_TRY_VOID(books_.decode(bytes));
    } else if (name == "configuration") {
      FICUS_TRY(std::vector<fact::Fact> facts, fact::read_step(bytes, schema_));
      auto* const change =
          facts.size() == 1 ? std::get_if<fact::ConfigurationChanged>(facts.data()) : nullptr;
      if (change == nullptr) return fail(ErrorCode::corrupt, "the snapshot's configuration");
      parts_ = std::move(change->parts);
      ended_rules_ = std::move(change->ended_rules);
    } else {
      return fail(ErrorCode::corrupt, fmt::format("unknown section '{}' in snapshot", name));
    }
  }
  alerts_.rebuild(twin_);
  return {};
}

}  // namespace ficus
