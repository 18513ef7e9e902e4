#include "rules/rule_book.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "rules/rule_book_impl.h"

namespace ficus::rules {
namespace {

// A batch in so many is timed, for the figures only.
constexpr std::uint64_t kTimedEvery = 16;

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
    auto rule = std::make_unique<LiveRule>(compiled.rules[index]);
    types_[rule->compiled.info.from.index()].rules.push_back(index);
    watch(*rule, index);
    rules_.push_back(std::move(rule));
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
          std::make_unique<Watch>(Watch{type, AbsenceTracker(condition.interval), {}}));
      found = watches_.end() - 1;
    }
    std::vector<std::uint32_t>& users = (*found)->rules;
    if (users.empty() || users.back() != index) users.push_back(index);
    rule.absent.push_back(&(*found)->tracker);
  }
}

// ---- rows

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
  resolve(rows, type);
  set_clock(received_at);
  for (const std::uint32_t index : type.watches) {
    AbsenceTracker& tracker = watches_[index]->tracker;
    for (const std::uint32_t row : rows.counted) tracker.arrived(slots_[row], last_arrival_);
  }
  machine_.use(rows);
  const bool timed = stopwatch_ != nullptr && batch_count_++ % kTimedEvery == 0;
  for (const std::uint32_t index : type.rules) {
    if (!timed) {
      evaluate(index, rows, true, rows.observed_at, out);
      continue;
    }
    const Micros begin = stopwatch_->monotonic();
    evaluate(index, rows, true, rows.observed_at, out);
    const Micros taken = stopwatch_->monotonic() - begin;
    rules_[index]->figures.nanoseconds += static_cast<double>(taken.count) * 1000.0 * kTimedEvery;
  }
}

void RuleBook::Impl::evaluate(std::uint32_t index, const RowsView& rows, bool updates,
                              std::span<const Timestamp> edge_times, std::vector<Emission>& out) {
  LiveRule& rule = *rules_[index];
  const Program& condition = rule.compiled.condition;
  const Memory memory{rule.held, rule.absent, slots_, event_times_, updates};
  machine_.run(condition, 0, rows.row_count(), memory);
  if (updates) rule.figures.rows_seen += rows.counted.size();
  find_edges(rule, rows, machine_.result(condition, 0));
  for (const Edge& edge : edges_) emit(index, rows, edge, edge_times[edge.row], out);
}

void RuleBook::Impl::find_edges(LiveRule& rule, const RowsView& rows, const Lane& result) {
  edges_.clear();
  const std::uint8_t* value = result.as<std::uint8_t>();
  const std::size_t count = result.scalar ? 1 : rows.row_count();
  unsigned any = 0;
  for (std::size_t i = 0; i < count; ++i)
    any |= (value[i] & result.ok[i]) | (result.ok[i] & kOkFailed);
  // Nothing true, nothing to end: the usual case.
  if (any == 0 && rule.figures.entities_met == 0) return;
  for (const std::uint32_t row : rows.counted) {
    const std::size_t i = result.index(row);
    if ((result.ok[i] & kOkFailed) != 0) note_failure(rule, rows, row);
    const bool met = (value[i] & result.ok[i] & 1U) != 0;
    rule.figures.rows_met += met ? 1 : 0;
    if (met == rule.met.test(slots_[row])) continue;
    rule.met.set(slots_[row], met);
    rule.figures.entities_met += met ? 1 : std::uint64_t(-1);
    edges_.push_back({row, met});
  }
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
  for (const std::uint32_t index : watch.rules) evaluate(index, rows, false, deadlines_, out);
}

// ---- a change of rules

void RuleBook::Impl::reset() {
  for (const auto& rule : rules_) {
    rule->held.assign(rule->held.size(), {});
    rule->met = {};
    rule->figures.entities_met = 0;
  }
  for (const auto& watch : watches_) watch->tracker = AbsenceTracker(watch->tracker.interval());
  for (TypeState& type : types_) type.newest.clear();
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
  FICUS_CHECK(slots_of_.is_known(entity));
  const std::uint32_t slot = slots_of_.slot_of(rule.compiled.info.from, entity);
  rule.figures.entities_met += rule.met.test(slot) ? 0 : 1;
  rule.met.set(slot, true);
}

// ---- figures

RuleFigures RuleBook::Impl::figures(const LiveRule& rule) const {
  RuleFigures figures = rule.figures;
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
Result<RestoreReport> RuleBook::decode(std::string_view bytes) {
  return impl_->decode(bytes, nullptr, Timestamp::min());
}

Result<RestoreReport> RuleBook::decode(std::string_view bytes, std::span<const RuleKey> kept,
                                       Timestamp now) {
  const std::vector<RuleKey> list(kept.begin(), kept.end());
  return impl_->decode(bytes, &list, now);
}

void RuleBook::reset() { impl_->reset(); }

void RuleBook::introduce(TypeId type, EntityId entity, Timestamp newest, Timestamp now) {
  impl_->introduce(type, entity, newest, now);
}

void RuleBook::assume_met(RuleId rule, EntityId entity) {
  FICUS_CHECK(rule.index() < rule_count());
  impl_->assume_met(*impl_->rules()[rule.index()], entity);
}

void RuleBook::continue_figures(const RuleBook& before) {
  for (const auto& rule : impl_->rules()) {
    for (const auto& other : before.impl_->rules()) {
      if (other->compiled.info.name != rule->compiled.info.name ||
          other->compiled.token_hash != rule->compiled.token_hash) {
        continue;
      }
      const std::uint64_t entities_met = rule->figures.entities_met;
      rule->figures = other->figures;
      rule->figures.entities_met = entities_met;
    }
  }
}

}  // namespace ficus::rules
