#include "rules/rule_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "rules/parser.h"
#include "rules/rule_book_impl.h"

namespace ficus::rules {
namespace {

constexpr std::size_t kProblemsShownMax = 20;
// A batch in so many is timed, for the figures only.
constexpr std::uint64_t kTimedEvery = 16;

// Collects what is wrong over all files.
class ProblemList {
 public:
  void add(const RuleFile& file, const Problem& problem) {
    if (++count_ > kProblemsShownMax) return;
    if (!text_.empty()) text_.push_back('\n');
    text_.append(place(file.name, file.text, problem.offset)).append(": ").append(problem.message);
  }
  bool empty() const { return count_ == 0; }
  std::string text() const {
    if (count_ <= kProblemsShownMax) return text_;
    return fmt::format("{}\nand {} more", text_, count_ - kProblemsShownMax);
  }

 private:
  std::size_t count_ = 0;
  std::string text_;
};

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

// ---- load

Result<RuleBook> RuleBook::compile(std::span<const RuleFile> files, Schema& schema,
                                   const ZoneSet& zones, RuleLimits limits,
                                   const Clock* stopwatch) {
  ProblemList problems;
  std::vector<CompiledRule> rules;
  std::map<std::string, std::string> places;  // of rules, by name
  const DeclaredCounts declared = declared_counts(schema);
  for (const RuleFile& file : files) {
    const std::size_t room = limits.rules_max - rules.size();
    ParsedFile parsed = parse_file(
        file.text, {limits.text_bytes_max, room, limits.nesting_max, limits.columns_max});
    for (const Statement& statement : parsed.statements) {
      auto rule = compile_statement(statement, file.text, schema, zones, declared);
      if (!rule) {
        parsed.problems.push_back(std::move(rule).error());
        continue;
      }
      rule->info.file = file.name;
      const std::string here = place(file.name, file.text, statement.name.at);
      const auto [known, is_new] = places.emplace(statement.name.text, here);
      if (!is_new) {
        parsed.problems.push_back(
            {statement.name.at, fmt::format("there is a rule '{}' already, at {}: expected another "
                                            "name",
                                            statement.name.text, known->second)});
      }
      rules.push_back(*std::move(rule));
    }
    std::ranges::sort(parsed.problems, {}, &Problem::offset);
    for (const Problem& problem : parsed.problems) problems.add(file, problem);
  }
  if (!problems.empty()) return invalid(problems.text());
  auto impl = std::make_unique<Impl>(schema, zones, limits, stopwatch);
  impl->install({files.begin(), files.end()}, std::move(rules));
  return RuleBook(std::move(impl));
}

Result<RuleBook> RuleBook::compile(std::string_view text, std::string_view file, Schema& schema,
                                   const ZoneSet& zones, RuleLimits limits,
                                   const Clock* stopwatch) {
  const RuleFile one{std::string(file), std::string(text)};
  return compile({&one, 1}, schema, zones, limits, stopwatch);
}

void RuleBook::Impl::install(std::vector<RuleFile> files, std::vector<CompiledRule> rules) {
  files_ = std::move(files);
  types_.resize(schema_.type_count());
  for (CompiledRule& compiled : rules) {
    const auto index = static_cast<std::uint32_t>(rules_.size());
    auto rule = std::make_unique<LiveRule>();
    rule->compiled = std::move(compiled);
    rule->held.resize(rule->compiled.condition.held.size());
    TypeState& type = types_[rule->compiled.info.from.index()];
    type.rules.push_back(index);
    use_attributes(type, rule->compiled.condition);
    use_attributes(type, rule->compiled.select);
    watch(*rule, index);
    rules_.push_back(std::move(rule));
  }
}

// Tells the program where its attributes stand among the wanted ones, adding those that are new.
void RuleBook::Impl::use_attributes(TypeState& type, Program& program) const {
  for (const AttributeId attribute : program.attributes) {
    auto found = std::find(type.wanted.begin(), type.wanted.end(), attribute);
    if (found == type.wanted.end()) found = type.wanted.insert(found, attribute);
    program.positions.push_back(static_cast<std::uint16_t>(found - type.wanted.begin()));
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

void RuleBook::Impl::observe(const RowsView& rows, Timestamp received_at,
                             std::vector<Emission>& out) {
  if (rows.type.index() >= types_.size() || types_[rows.type.index()].rules.empty()) return;
  if (rows.counted.empty()) return;
  TypeState& type = types_[rows.type.index()];
  FICUS_CHECK(rows.present.size() == type.wanted.size());
  resolve(rows, type);
  last_arrival_ = std::max(last_arrival_, received_at);  // a clock set back must not reorder
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
  const auto file = std::find_if(files_.begin(), files_.end(), [&](const RuleFile& candidate) {
    return candidate.name == rule.compiled.info.file;
  });
  FICUS_CHECK(file != files_.end());
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

void RuleBook::Impl::advance(Timestamp now, const PresentReader& present,
                             std::vector<Emission>& out) {
  while (true) {
    // The watch whose deadline is the earliest goes on until another one's comes first, so that
    // the edges are those of a clock that ticks without end, however seldom this is called.
    Watch* earliest = nullptr;
    Timestamp until = now;
    for (const auto& watch : watches_) {
      const auto deadline = watch->tracker.next_deadline();
      if (!deadline || *deadline > now) continue;
      const auto best = earliest == nullptr ? std::nullopt : earliest->tracker.next_deadline();
      if (!best || *deadline < *best) {
        if (best) until = std::min(until, *best);
        earliest = watch.get();
      } else {
        until = std::min(until, *deadline);
      }
    }
    if (earliest == nullptr) return;
    expire(*earliest, until, present, out);
  }
}

void RuleBook::Impl::expire(Watch& watch, Timestamp until, const PresentReader& present,
                            std::vector<Emission>& out) {
  TypeState& type = types_[watch.type.index()];
  const std::span<const EntityId> entities = slots_of_.entities(watch.type);
  slots_.clear();
  event_times_.clear();
  expired_.clear();
  deadlines_.clear();
  all_rows_.clear();
  while (expired_.size() < ObservationBatch::kRowsMax) {
    const auto deadline = watch.tracker.next_deadline();
    if (!deadline || *deadline > until) break;
    const std::uint32_t slot = watch.tracker.take_next();
    all_rows_.push_back(static_cast<std::uint32_t>(expired_.size()));
    slots_.push_back(slot);
    event_times_.push_back(type.newest[slot]);
    expired_.push_back(entities[slot]);
    deadlines_.push_back(*deadline);
  }
  present_rows_.ids.clear();
  present_rows_.observed_at.clear();
  present_rows_.present.clear();
  for (const AttributeId attribute : type.wanted) {
    present_rows_.present.emplace_back(attribute, schema_.attribute_kind(watch.type, attribute));
  }
  present.read(watch.type, expired_, type.wanted, present_rows_);
  FICUS_CHECK(present_rows_.ids.size() == expired_.size() &&
              present_rows_.observed_at.size() == expired_.size());
  for (const Column& column : present_rows_.present) FICUS_CHECK(column.size() == expired_.size());
  const RowsView rows{watch.type, &present_rows_.ids,    present_rows_.observed_at,
                      expired_,   present_rows_.present, all_rows_};
  machine_.use(rows);
  for (const std::uint32_t index : watch.rules) evaluate(index, rows, false, deadlines_, out);
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

RuleBook::RuleBook(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RuleBook::RuleBook(RuleBook&&) noexcept = default;
RuleBook& RuleBook::operator=(RuleBook&&) noexcept = default;
RuleBook::~RuleBook() = default;

std::size_t RuleBook::rule_count() const { return impl_->rules().size(); }

const RuleInfo& RuleBook::info(RuleId rule) const {
  FICUS_CHECK(rule.index() < rule_count());
  return impl_->rules()[rule.index()]->compiled.info;
}

RuleFigures RuleBook::figures(RuleId rule) const {
  FICUS_CHECK(rule.index() < rule_count());
  return impl_->figures(*impl_->rules()[rule.index()]);
}

std::uint64_t RuleBook::state_bytes() const { return impl_->state_bytes(); }

std::span<const AttributeId> RuleBook::wanted(TypeId type) const {
  const TypeState* state = impl_->type(type);
  return state == nullptr ? std::span<const AttributeId>() : state->wanted;
}

bool RuleBook::has_rules(TypeId type) const {
  const TypeState* state = impl_->type(type);
  return state != nullptr && !state->rules.empty();
}

void RuleBook::observe(const RowsView& rows, Timestamp received_at, std::vector<Emission>& out) {
  impl_->observe(rows, received_at, out);
}

void RuleBook::advance(Timestamp now, const PresentReader& present, std::vector<Emission>& out) {
  impl_->advance(now, present, out);
}

std::optional<Timestamp> RuleBook::next_deadline() const { return impl_->next_deadline(); }
void RuleBook::encode(std::string& out) const { impl_->encode(out); }
Result<RestoreReport> RuleBook::decode(std::string_view bytes) { return impl_->decode(bytes); }

}  // namespace ficus::rules
