#include "rules/rule_book.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/planted.h"
#include "rules/rule_book_impl.h"
#include "rules/rule_capture.h"

namespace ficus::rules {
namespace {

// A batch in so many is timed, for the figures only.
constexpr std::uint64_t kTimedEvery = 16;
// A choice of a rule for the rows of entities that it remembers.
constexpr std::uint32_t kRememberedRows = RuleIndex::kNone;
// A rule runs over the whole batch unless it is asked for less than one row in so many: a run over
// one row costs about as much as a loop over these.
constexpr std::size_t kRowsOfOneRun = 32;

Value value_at(const Lane& lane, ValueKind kind, std::size_t row) {
  const std::size_t i = lane.index(row);
  switch (kind) {
    case ValueKind::none:
      return {};
    case ValueKind::boolean:
      return Value::boolean(lane.as<std::uint8_t>()[i] != 0);
    case ValueKind::number:
      return Value::number(lane.as<double>()[i]);
    case ValueKind::time:
      return Value::time(lane.as<Timestamp>()[i]);
    case ValueKind::point:
      return Value::point(lane.as<GeoPoint>()[i]);
    case ValueKind::text:
    case ValueKind::geometry:
    case ValueKind::relationship:
    case ValueKind::json:
      return Value::of_text_kind(kind, std::string(lane.as<std::string_view>()[i]));
  }
  std::unreachable();
}

}  // namespace

// ---- what it is made of

RuleBook::Impl::Impl(RuleSetPtr set, Schema& schema, const Clock* stopwatch)
    : set_(std::move(set)),
      schema_(schema),
      stopwatch_(stopwatch),
      machine_(*set_->compiled().zones) {
  const RuleSet::Compiled& compiled = set_->compiled();
  types_.resize(compiled.wanted.size());
  for (std::uint32_t index = 0; index < compiled.rules.size(); ++index) {
    rules_.push_back(std::make_unique<LiveRule>(compiled.rules[index], index));
  }
  for (const RuleIndex& index : compiled.indexes) {
    for (const std::uint32_t rule : index.always()) rules_[rule]->is_found = false;
  }
  for (std::uint32_t index = 0; index < rules_.size(); ++index) {
    types_[rules_[index]->compiled.info.from.index()].rules.push_back(index);
    watch(*rules_[index], index);
  }
}

void RuleBook::Impl::watch(LiveRule& rule, std::uint32_t index) {
  const TypeId type = rule.compiled.info.from;
  for (const AbsentCondition& condition : rule.compiled.condition.absent) {
    auto found = std::find_if(watches_.begin(), watches_.end(), [&](const auto& candidate) {
      return candidate->type == type && candidate->tracker.interval() == condition.interval;
    });
    if (found == watches_.end()) {
      types_[type.index()].watches.push_back(static_cast<std::uint32_t>(watches_.size()));
      watches_.push_back(
          std::make_unique<Watch>(Watch{type, AbsenceTracker(condition.interval), {}, {}}));
      found = watches_.end() - 1;
    }
    std::vector<std::uint32_t>& users = (*found)->rules;
    if (users.empty() || users.back() != index) {
      users.push_back(index);
      if (!rule.is_found) (*found)->always.push_back(index);
    }
    rule.absent.push_back(&(*found)->tracker);
  }
}

// ---- rows

void RuleBook::Impl::keep_for_snapshot(const RowsView& rows) {
  for (const std::uint32_t row : rows.counted) {
    const EntityId entity = rows.entity[row];
    if (slots_of_.is_known(entity)) capture_->keep(rows.type, slots_of_.slot_of(rows.type, entity));
  }
}

void RuleBook::Impl::resolve(const RowsView& rows, TypeState& type) {
  slots_.assign(rows.row_count(), 0);
  event_times_.assign(rows.observed_at.begin(), rows.observed_at.end());
  for (const std::uint32_t row : rows.counted) {
    const std::uint32_t slot = slots_of_.slot_of(rows.type, rows.entity[row]);
    if (slot >= type.newest.size()) type.newest.resize(slot + 1, Timestamp::min());
    // An applied row may still be older than another attribute's newest: time stands still then.
    type.newest[slot] = std::max(type.newest[slot], rows.observed_at[row]);
    slots_[row] = slot;
    event_times_[row] = type.newest[slot];
  }
}

// A clock set back a little must not reorder; set back much, it has been wrong before.
void RuleBook::Impl::set_clock(Timestamp received_at) {
  Micros back;
  if (!__builtin_sub_overflow(last_arrival_.micros, received_at.micros, &back.count) &&
      back > kClockBackMax) {
    if (capture_ != nullptr) capture_->keep_all();
    for (const auto& watch : watches_) watch->tracker.shift_back(back);
    last_arrival_ = received_at;
  }
  last_arrival_ = std::max(last_arrival_, received_at);
}

void RuleBook::Impl::observe(const RowsView& rows, Timestamp received_at,
                             std::vector<Emission>& out) {
  if (rows.type.index() >= types_.size() || types_[rows.type.index()].rules.empty()) return;
  if (rows.counted.empty()) return;
  TypeState& type = types_[rows.type.index()];
  FICUS_CHECK(rows.present.size() == set_->compiled().wanted_of(rows.type).size());
  if (capture_ != nullptr && !FICUS_PLANTED(snapshot_sees_later_rules)) keep_for_snapshot(rows);
  resolve(rows, type);
  set_clock(received_at);
  for (const std::uint32_t index : type.watches) {
    AbsenceTracker& tracker = watches_[index]->tracker;
    for (const std::uint32_t row : rows.counted) tracker.arrived(slots_[row], last_arrival_);
  }
  machine_.use(rows);
  type.rows_seen += rows.counted.size();
  choose(type, set_->compiled().indexes[rows.type.index()].always(), rows);
  const Task task{rows, true, rows.observed_at, out};
  const bool timed = stopwatch_ != nullptr && batch_count_++ % kTimedEvery == 0;
  for_each_rule([&](std::span<const RuleFinder::Found> choices) {
    if (!timed) return evaluate(choices, task);
    const Micros begin = stopwatch_->monotonic();
    evaluate(choices, task);
    const Micros taken = stopwatch_->monotonic() - begin;
    RuleFigures& figures = rules_[choices.front().rule]->figures;
    figures.nanoseconds += static_cast<double>(taken.count) * 1000.0 * kTimedEvery;
  });
}

void RuleBook::Impl::choose(TypeState& type, std::span<const std::uint32_t> always,
                            const RowsView& rows) {
  choices_.clear();
  for (const std::uint32_t rule : always) choices_.push_back({rule, RuleIndex::kAllRows});
  finder_.find(set_->compiled().indexes[rows.type.index()], rows, choices_);
  std::erase_if(type.remembering, [&](std::uint32_t index) {
    LiveRule& rule = *rules_[index];
    rule.is_listed = rule.remembers();
    if (rule.is_listed) choices_.push_back({index, kRememberedRows});
    return !rule.is_listed;
  });
  std::ranges::sort(choices_);
}

void RuleBook::Impl::evaluate(std::span<const RuleFinder::Found> choices, const Task& task) {
  const std::uint32_t index = choices.front().rule;
  LiveRule& rule = *rules_[index];
  edges_.clear();
  if (choices.front().bucket == RuleIndex::kAllRows) {
    run_all(rule, task);
  } else {
    some_rows_.clear();
    for (const auto& [_, bucket] : choices) {
      if (bucket == kRememberedRows) {
        add_remembered_rows(rule, task.rows);
      } else {
        const std::span<const std::uint32_t> rows = finder_.rows_of(bucket);
        some_rows_.insert(some_rows_.end(), rows.begin(), rows.end());
      }
    }
    if (rule.held.empty()) {
      run_some(rule, task);
    } else if (!some_rows_.empty()) {
      run_all(rule, task);  // held(...) sees the rows of a batch in one run
    }
  }
  list(rule);
  for (const Edge& edge : edges_) {
    emit(index, task.rows, edge, task.edge_times[edge.row], task.out);
  }
}

void RuleBook::Impl::add_remembered_rows(const LiveRule& rule, const RowsView& rows) {
  for (const std::uint32_t row : rows.counted) {
    if (rule.remembers(slots_[row])) some_rows_.push_back(row);
  }
}

void RuleBook::Impl::run_all(LiveRule& rule, const Task& task) {
  const Program& condition = rule.compiled.condition;
  const Memory memory{rule.held, rule.absent, slots_, event_times_, task.updates};
  const std::size_t count = task.rows.row_count();
  machine_.run(condition, 0, count, memory);
  find_edges(rule, machine_.result(condition, 0), 0, count, task.rows, task.rows.counted);
}

// Over the rows of some_rows_.
void RuleBook::Impl::run_some(LiveRule& rule, const Task& task) {
  const auto tidy = [&] {
    std::ranges::sort(some_rows_);
    some_rows_.erase(std::ranges::unique(some_rows_).begin(), some_rows_.end());
    return some_rows_.size() * kRowsOfOneRun <= task.rows.row_count();
  };
  if (!tidy()) return run_all(rule, task);
  // Entities that begin to meet the rule may cease to by a later row, which no index finds.
  begun_.clear();
  run_some(rule, task, [&](const Lane& result, std::span<const std::uint32_t> rows) {
    for (const std::uint32_t row : rows) {
      const std::size_t i = result.index(row - rows.front());
      const bool met = (result.as<std::uint8_t>()[i] & result.ok[i] & 1U) != 0;
      if (met && !rule.met.test(slots_[row])) begun_.push_back(slots_[row]);
    }
  });
  if (!begun_.empty()) {
    std::ranges::sort(begun_);
    for (const std::uint32_t row : task.rows.counted) {
      if (std::ranges::binary_search(begun_, slots_[row])) some_rows_.push_back(row);
    }
    if (!tidy()) return run_all(rule, task);
  } else if (rule.figures.entities_met == 0) {
    return;
  }
  run_some(rule, task, [&](const Lane& result, std::span<const std::uint32_t> rows) {
    find_edges(rule, result, rows.front(), rows.size(), task.rows, rows);
  });
}

// Calls f with the result for each piece of some_rows_ that stand beside each other.
template <typename F>
void RuleBook::Impl::run_some(const LiveRule& rule, const Task& task, F f) {
  const Program& condition = rule.compiled.condition;
  const Memory memory{{}, rule.absent, slots_, event_times_, task.updates};
  for (std::size_t begin = 0, end = 0; begin < some_rows_.size(); begin = end) {
    const std::size_t first = some_rows_[begin];
    while (end < some_rows_.size() && some_rows_[end] == first + (end - begin)) ++end;
    machine_.run(condition, first, end - begin, memory);
    f(machine_.result(condition, 0), std::span(some_rows_).subspan(begin, end - begin));
  }
}

void RuleBook::Impl::find_edges(LiveRule& rule, const Lane& result, std::size_t first,
                                std::size_t count, const RowsView& rows,
                                std::span<const std::uint32_t> looked_at) {
  const std::uint8_t* value = result.as<std::uint8_t>();
  if (result.scalar) count = 1;
  unsigned any = 0;
  for (std::size_t i = 0; i < count; ++i)
    any |= (value[i] & result.ok[i]) | (result.ok[i] & kOkFailed);
  // Nothing true, nothing to end: the usual case.
  if (any == 0 && rule.figures.entities_met == 0) return;
  for (const std::uint32_t row : looked_at) {
    const std::size_t i = result.index(row - first);
    if ((result.ok[i] & kOkFailed) != 0) note_failure(rule, rows, row);
    const bool met = (value[i] & result.ok[i] & 1U) != 0;
    rule.figures.rows_met += met ? 1 : 0;
    if (met == rule.met.test(slots_[row])) continue;
    set_met(rule, slots_[row], met);
    edges_.push_back({row, met});
  }
}

void RuleBook::Impl::set_met(LiveRule& rule, std::uint32_t slot, bool met) {
  if (met == rule.met.test(slot)) return;
  rule.met.set(slot, met);
  rule.figures.entities_met += met ? 1 : std::uint64_t(-1);
}

void RuleBook::Impl::list(LiveRule& rule) {
  if (!rule.is_found || rule.is_listed || !rule.remembers()) return;
  rule.is_listed = true;
  types_[rule.compiled.info.from.index()].remembering.push_back(rule.index);
}

void RuleBook::Impl::list_rules() {
  for (const auto& rule : rules_) list(*rule);
}

void RuleBook::Impl::note_failure(LiveRule& rule, const RowsView& rows, std::uint32_t row) {
  ++rule.figures.failures;
  const std::vector<RuleFile>& files = set_->compiled().files;
  const auto file = std::find_if(files.begin(), files.end(), [&](const RuleFile& candidate) {
    return candidate.name == rule.compiled.info.file;
  });
  FICUS_CHECK(file != files.end());
  RuleFailure& failure = rule.figures.last_failure.emplace();
  failure.message = place(file->name, file->text, machine_.failure_at());
  failure.message.append(": ").append(machine_.failure());
  failure.entity_id = (*rows.ids)[row];
  failure.observed_at = rows.observed_at[row];
}

void RuleBook::Impl::emit(std::uint32_t index, const RowsView& rows, const Edge& edge, Timestamp at,
                          std::vector<Emission>& out) {
  LiveRule& rule = *rules_[index];
  Emission& emission = out.emplace_back();
  emission.rule = RuleId(index);
  emission.entity = rows.entity[edge.row];
  emission.entity_id = (*rows.ids)[edge.row];
  emission.met = edge.met;
  emission.observed_at = at;
  if (!edge.met) {
    ++rule.figures.ended;
    return;
  }
  ++rule.figures.raised;
  const Program& select = rule.compiled.select;
  if (!select.results.empty()) machine_.run(select, edge.row, 1);
  bool failed = false;
  for (const Output& output : rule.compiled.outputs) {
    if (output.is_constant) {
      if (!output.constant.is_none())
        emission.values.emplace_back(output.attribute, output.constant);
      continue;
    }
    const Lane lane = machine_.result(select, output.result);
    if (*lane.ok == kOkValue) {
      emission.values.emplace_back(output.attribute, value_at(lane, output.kind, 0));
    }
    failed = failed || (*lane.ok & kOkFailed) != 0;
  }
  if (failed) note_failure(rule, rows, edge.row);
}

// ---- time

std::optional<Timestamp> RuleBook::Impl::next_deadline() const {
  std::optional<Timestamp> earliest;
  for (const auto& watch : watches_) {
    const auto deadline = watch->tracker.next_deadline();
    if (deadline && (!earliest || *deadline < *earliest)) earliest = deadline;
  }
  return earliest;
}

// The watch whose deadline is the earliest goes on until another one's comes first, so that the
// edges are those of a clock that ticks without end, however seldom advance() is called.
RuleBook::Impl::Next RuleBook::Impl::next_watch(Timestamp now) const {
  Next next{nullptr, now};
  for (const auto& watch : watches_) {
    const auto deadline = watch->tracker.next_deadline();
    if (!deadline || *deadline > now) continue;
    const auto best = next.watch == nullptr ? std::nullopt : next.watch->tracker.next_deadline();
    if (!best || *deadline < *best) {
      if (best) next.until = std::min(next.until, *best);
      next.watch = watch.get();
    } else {
      next.until = std::min(next.until, *deadline);
    }
  }
  return next;
}

Timestamp RuleBook::Impl::advance(Timestamp now, std::size_t edges_max,
                                  const PresentReader& present, std::vector<Emission>& out) {
  const std::size_t edges_before = out.size();
  std::size_t expired = 0;
  for (Next next = next_watch(now); next.watch != nullptr; next = next_watch(now)) {
    // All rules may speak about each.
    const std::size_t slots_max =
        std::clamp<std::size_t>(edges_max / std::max<std::size_t>(next.watch->rules.size(), 1), 1,
                                ObservationBatch::kRowsMax);
    expire(*next.watch, next.until, slots_max, present, out);
    expired += expired_.size();
    // Enough: only those go on that are due at this very moment.
    if (out.size() - edges_before >= edges_max || expired >= kExpiredMax) now = deadlines_.back();
  }
  return now;
}

bool RuleBook::Impl::is_due(TypeId type, Timestamp now) const {
  if (type.index() >= types_.size()) return false;
  return std::ranges::any_of(types_[type.index()].watches, [&](std::uint32_t index) {
    const auto deadline = watches_[index]->tracker.next_deadline();
    return deadline && *deadline <= now;
  });
}

void RuleBook::Impl::expire_named(TypeId type, std::span<const EntityId> entities, Timestamp now,
                                  const PresentReader& present, std::vector<Emission>& out) {
  due_.clear();
  if (type.index() >= types_.size()) return;
  for (const EntityId entity : entities) {
    if (!slots_of_.is_known(entity)) continue;
    const std::uint32_t slot = slots_of_.slot_of(type, entity);
    for (const std::uint32_t index : types_[type.index()].watches) {
      const auto deadline = watches_[index]->tracker.deadline(slot);
      if (deadline && *deadline <= now) due_.push_back({*deadline, index, slot});
    }
  }
  std::ranges::sort(due_);
  due_.erase(std::ranges::unique(due_).begin(), due_.end());  // an entity may be named twice
  for (std::size_t i = 0; i < due_.size();) {
    begin_expired();
    Watch& watch = *watches_[due_[i].watch];
    for (; i < due_.size() && watches_[due_[i].watch].get() == &watch &&
           expired_.size() < ObservationBatch::kRowsMax;
         ++i) {
      watch.tracker.take(due_[i].slot);
      take(watch, due_[i].slot, due_[i].deadline);
    }
    evaluate_expired(watch, present, out);
  }
}

void RuleBook::Impl::begin_expired() {
  slots_.clear();
  event_times_.clear();
  expired_.clear();
  deadlines_.clear();
  all_rows_.clear();
}

void RuleBook::Impl::take(Watch& watch, std::uint32_t slot, Timestamp deadline) {
  if (capture_ != nullptr) capture_->keep(watch.type, slot);
  all_rows_.push_back(static_cast<std::uint32_t>(expired_.size()));
  slots_.push_back(slot);
  event_times_.push_back(types_[watch.type.index()].newest[slot]);
  expired_.push_back(slots_of_.entities(watch.type)[slot]);
  deadlines_.push_back(deadline);
}

// REQUIRES: a deadline at or before `until`.
void RuleBook::Impl::expire(Watch& watch, Timestamp until, std::size_t slots_max,
                            const PresentReader& present, std::vector<Emission>& out) {
  begin_expired();
  while (expired_.size() < slots_max) {
    const auto deadline = watch.tracker.next_deadline();
    if (!deadline || *deadline > until) break;
    take(watch, watch.tracker.take_next(), *deadline);
  }
  evaluate_expired(watch, present, out);
}

void RuleBook::Impl::evaluate_expired(Watch& watch, const PresentReader& present,
                                      std::vector<Emission>& out) {
  present_rows_.ids.clear();
  present_rows_.observed_at.clear();
  present_rows_.present.clear();
  const std::span<const AttributeId> wanted = set_->compiled().wanted_of(watch.type);
  for (const AttributeId attribute : wanted) {
    present_rows_.present.emplace_back(attribute, schema_.attribute_kind(watch.type, attribute));
  }
  present.read(watch.type, expired_, wanted, present_rows_);
  FICUS_CHECK(present_rows_.ids.size() == expired_.size() &&
              present_rows_.observed_at.size() == expired_.size());
  for (const Column& column : present_rows_.present) FICUS_CHECK(column.size() == expired_.size());
  const RowsView rows{watch.type, &present_rows_.ids,    present_rows_.observed_at,
                      expired_,   present_rows_.present, all_rows_};
  machine_.use(rows);
  choose(types_[watch.type.index()], watch.always, rows);
  const Task task{rows, false, deadlines_, out};
  for_each_rule([&](std::span<const RuleFinder::Found> choices) {
    const LiveRule& rule = *rules_[choices.front().rule];
    if (std::ranges::find(rule.absent, &watch.tracker) != rule.absent.end()) {
      evaluate(choices, task);
    }
  });
}

// ---- a change of rules

void RuleBook::Impl::reset() {
  FICUS_CHECK(capture_ == nullptr);
  for (const auto& rule : rules_) {
    rule->held.assign(rule->held.size(), {});
    rule->met = {};
    rule->figures.entities_met = 0;
    rule->is_listed = false;
  }
  for (const auto& watch : watches_) watch->tracker = AbsenceTracker(watch->tracker.interval());
  for (TypeState& type : types_) {
    type.newest.clear();
    type.remembering.clear();
  }
  slots_of_ = {};
  last_arrival_ = Timestamp::min();
}

void RuleBook::Impl::introduce(TypeId type_id, EntityId entity, Timestamp newest, Timestamp now) {
  if (type_id.index() >= types_.size() || types_[type_id.index()].rules.empty()) return;
  if (slots_of_.is_known(entity)) return;
  TypeState& type = types_[type_id.index()];
  const std::uint32_t slot = slots_of_.slot_of(type_id, entity);
  FICUS_CHECK(slot == type.newest.size());
  type.newest.push_back(newest);
  last_arrival_ = std::max(last_arrival_, now);
  for (const std::uint32_t index : type.watches) {
    watches_[index]->tracker.arrived(slot, last_arrival_);
  }
}

void RuleBook::Impl::assume_met(LiveRule& rule, EntityId entity) {
  FICUS_CHECK(capture_ == nullptr);
  FICUS_CHECK(slots_of_.is_known(entity));
  const std::uint32_t slot = slots_of_.slot_of(rule.compiled.info.from, entity);
  set_met(rule, slot, true);
  list(rule);
}

// ---- figures

RuleFigures RuleBook::Impl::figures(const LiveRule& rule) const {
  RuleFigures figures = rule.figures;
  figures.rows_seen += types_[rule.compiled.info.from.index()].rows_seen;
  figures.state_bytes = rule.met.bytes();
  for (const HeldState& held : rule.held) figures.state_bytes += held.bytes();
  for (const AbsenceTracker* tracker : rule.absent) figures.state_bytes += tracker->bytes();
  return figures;
}

std::uint64_t RuleBook::Impl::state_bytes() const {
  std::uint64_t total = slots_of_.bytes() + machine_.bytes();
  for (const auto& rule : rules_) {
    total += rule->met.bytes();
    for (const HeldState& held : rule->held) total += held.bytes();
  }
  for (const auto& watch : watches_) total += watch->tracker.bytes();
  for (const TypeState& type : types_) total += type.newest.capacity() * sizeof(Timestamp);
  return total;
}

void RuleBook::Impl::continue_figures(const Impl& before) {
  std::unordered_map<std::string_view, const LiveRule*> known;
  for (const auto& other : before.rules_) known.emplace(other->compiled.info.name, other.get());
  for (const auto& rule : rules_) {
    const auto found = known.find(rule->compiled.info.name);
    if (found == known.end()) continue;
    const LiveRule& other = *found->second;
    if (other.compiled.token_hash != rule->compiled.token_hash) continue;
    const std::uint64_t entities_met = rule->figures.entities_met;
    rule->figures = before.figures(other);
    rule->figures.entities_met = entities_met;
    rule->figures.rows_seen -= types_[rule->compiled.info.from.index()].rows_seen;
  }
}

std::size_t RuleBook::Impl::edges_max(const ObservationBatch& rows) const {
  const TypeState* const type = this->type(rows.type());
  if (type == nullptr) return 0;
  const std::size_t count = rows.row_count();
  const RuleIndex& index = set_->compiled().indexes[rows.type().index()];
  std::size_t met = 0;
  for (const std::uint32_t rule : type->remembering) met += rules_[rule]->figures.entities_met;
  // What begins may end within the batch; of what was met before, each may end once.
  const std::size_t pairs = pairs_max(index, rows, set_->compiled().wanted_of(rows.type()));
  const std::size_t edges = count * index.always().size() + 2 * pairs +
                            std::min<std::size_t>(met, count * type->remembering.size());
  return std::min(edges, count * type->rules.size());
}

// ---- the public face

RuleBook::RuleBook(RuleSetPtr set, Schema& schema, const Clock* stopwatch)
    : impl_(std::make_unique<Impl>(std::move(set), schema, stopwatch)) {}

Result<RuleBook> RuleBook::compile(std::string_view text, std::string_view file, Schema& schema,
                                   const ZoneSet& zones, RuleLimits limits,
                                   const Clock* stopwatch) {
  const RuleFile one{std::string(file), std::string(text)};
  // Borrowed: nothing is deleted.
  const std::shared_ptr<const ZoneSet> borrowed(std::shared_ptr<const ZoneSet>(), &zones);
  FICUS_TRY(RuleSetPtr set, RuleSet::compile({&one, 1}, schema, borrowed, limits));
  return RuleBook(std::move(set), schema, stopwatch);
}

RuleBook::RuleBook(RuleBook&&) noexcept = default;
RuleBook& RuleBook::operator=(RuleBook&&) noexcept = default;
RuleBook::~RuleBook() = default;

const RuleSet& RuleBook::set() const { return impl_->set(); }
RuleBook RuleBook::fresh() const { return impl_->fresh(); }

RuleFigures RuleBook::figures(RuleId rule) const {
  FICUS_CHECK(rule.index() < rule_count());
  return impl_->figures(*impl_->rules()[rule.index()]);
}

std::uint64_t RuleBook::state_bytes() const { return impl_->state_bytes(); }

std::span<const AttributeId> RuleBook::wanted(TypeId type) const {
  return impl_->set().compiled().wanted_of(type);
}

bool RuleBook::has_rules(TypeId type) const {
  const TypeState* state = impl_->type(type);
  return state != nullptr && !state->rules.empty();
}

void RuleBook::observe(const RowsView& rows, Timestamp received_at, std::vector<Emission>& out) {
  impl_->observe(rows, received_at, out);
}

std::size_t RuleBook::rule_count_over(TypeId type) const {
  const TypeState* state = impl_->type(type);
  return state == nullptr ? 0 : state->rules.size();
}

std::size_t RuleBook::edges_max(const ObservationBatch& rows) const {
  return impl_->edges_max(rows);
}

Timestamp RuleBook::advance(Timestamp now, std::size_t edges_max, const PresentReader& present,
                            std::vector<Emission>& out) {
  return impl_->advance(now, edges_max, present, out);
}

bool RuleBook::is_due(TypeId type, Timestamp now) const { return impl_->is_due(type, now); }

void RuleBook::expire(TypeId type, std::span<const EntityId> entities, Timestamp now,
                      const PresentReader& present, std::vector<Emission>& out) {
  impl_->expire_named(type, entities, now, present, out);
}

std::optional<Timestamp> RuleBook::next_deadline() const { return impl_->next_deadline(); }
void RuleBook::encode(std::string& out) const { impl_->encode(out); }
void RuleBook::set_capture(RuleCapture* capture) { impl_->set_capture(capture); }
Result<RestoreReport> RuleBook::decode(std::string_view bytes) {
  auto report = impl_->decode(bytes, nullptr, Timestamp::min());
  impl_->list_rules();
  return report;
}

Result<RestoreReport> RuleBook::decode(std::string_view bytes, std::span<const RuleKey> kept,
                                       Timestamp now) {
  const std::vector<RuleKey> list(kept.begin(), kept.end());
  auto report = impl_->decode(bytes, &list, now);
  impl_->list_rules();
  return report;
}

void RuleBook::reset() { impl_->reset(); }

void RuleBook::introduce(TypeId type, EntityId entity, Timestamp newest, Timestamp now) {
  impl_->introduce(type, entity, newest, now);
}

void RuleBook::assume_met(RuleId rule, EntityId entity) {
  FICUS_CHECK(rule.index() < rule_count());
  impl_->assume_met(*impl_->rules()[rule.index()], entity);
}

void RuleBook::continue_figures(const RuleBook& before) { impl_->continue_figures(*before.impl_); }

}  // namespace ficus::rules
