#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/large_pages.h"
#include "rules/absence_tracker.h"
#include "rules/compiled_rule.h"
#include "rules/entity_slots.h"
#include "rules/held_state.h"
#include "rules/machine.h"
#include "rules/rule_book.h"
#include "rules/rule_finder.h"
#include "rules/rule_set_impl.h"

namespace ficus::rules {

// One bit an entity slot: whether the condition is met.
class MetBits {
 public:
  bool test(std::uint32_t slot) const {
    const std::size_t word = slot / 64;
    return word < words_.size() && ((words_[word] >> (slot % 64)) & 1U) != 0;
  }
  void set(std::uint32_t slot, bool met) {
    const std::size_t word = slot / 64;
    if (word >= words_.size()) words_.resize(word + 1);
    const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
    words_[word] = met ? words_[word] | bit : words_[word] & ~bit;
  }
  std::uint64_t word(std::size_t word) const { return word < words_.size() ? words_[word] : 0; }
  std::size_t bytes() const { return words_.capacity() * sizeof(std::uint64_t); }

 private:
  std::vector<std::uint64_t> words_;
};

// A rule with its state.
struct LiveRule {
  LiveRule(const CompiledRule& rule, std::uint32_t number)
      : compiled(rule), index(number), held(rule.condition.held.size()) {}

  const CompiledRule& compiled;               // in the set
  const std::uint32_t index;                  // of its RuleId
  std::vector<HeldState> held;                // by Program::held
  std::vector<const AbsenceTracker*> absent;  // by Program::absent
  MetBits met;
  RuleFigures figures;     // rows_seen: beyond TypeState::rows_seen
  bool is_found = true;    // by the index: it runs for the rows that may meet it only
  bool is_listed = false;  // in TypeState::remembering

  // Whether rows that no index finds may change something: for this entity, for any.
  bool remembers(std::uint32_t slot) const {
    return met.test(slot) || (!held.empty() && held.front().is_true(slot));
  }
  bool remembers() const {
    return figures.entities_met > 0 || (!held.empty() && held.front().true_count() > 0);
  }
};

// An absence that rules over a type wait for; shared by all rules with the same interval.
struct Watch {
  TypeId type;
  AbsenceTracker tracker;
  std::vector<std::uint32_t> rules;   // that use it
  std::vector<std::uint32_t> always;  // of them: those that no index finds
};

// What rules know of the entities of a type, and which rules they are.
struct TypeState {
  std::vector<std::uint32_t> rules;
  std::vector<std::uint32_t> watches;
  // Rules that an index finds and that are met, or hold something, for some entity: they have to
  // notice its end, too. A rule that no longer does leaves the list when it is next gone through.
  std::vector<std::uint32_t> remembering;
  LargeVector<Timestamp> newest;  // by slot: the latest event time seen
  std::uint64_t rows_seen = 0;    // by each of the rules
};

class RuleBook::Impl {
 public:
  Impl(RuleSetPtr set, Schema& schema, const Clock* stopwatch);

  void observe(const RowsView& rows, Timestamp received_at, std::vector<Emission>& out);
  Timestamp advance(Timestamp now, std::size_t edges_max, const PresentReader& present,
                    std::vector<Emission>& out);
  bool is_due(TypeId type, Timestamp now) const;
  void expire_named(TypeId type, std::span<const EntityId> entities, Timestamp now,
                    const PresentReader& present, std::vector<Emission>& out);
  std::optional<Timestamp> next_deadline() const;
  void encode(std::string& out) const;
  void set_capture(RuleCapture* capture) { capture_ = capture; }
  Result<RestoreReport> decode(std::string_view bytes, const std::vector<RuleKey>* kept,
                               Timestamp now);
  void reset();
  void introduce(TypeId type, EntityId entity, Timestamp newest, Timestamp now);
  void assume_met(LiveRule& rule, EntityId entity);
  RuleFigures figures(const LiveRule& rule) const;
  std::uint64_t state_bytes() const;
  std::size_t edges_max(const ObservationBatch& rows) const;
  // After the state of rules was put in place from outside.
  void list_rules();
  void continue_figures(const Impl& before);

  const RuleSet& set() const { return *set_; }
  RuleBook fresh() const { return {set_, schema_, stopwatch_}; }
  const std::vector<std::unique_ptr<LiveRule>>& rules() const { return rules_; }
  const TypeState* type(TypeId type) const {
    return type.index() < types_.size() ? &types_[type.index()] : nullptr;
  }

 private:
  friend class RuleCapture;
  friend class SnapshotReader;

  struct Edge {
    std::uint32_t row;
    bool met;
  };

  void watch(LiveRule& rule, std::uint32_t index);
  // Has the capture keep what these rows are going to change.
  void keep_for_snapshot(const RowsView& rows);
  // Fills slots_ and event_times_ for the rows that count.
  void resolve(const RowsView& rows, TypeState& type);
  // Fills choices_ with `always` and with what the index finds.
  void choose(TypeState& type, std::span<const std::uint32_t> always, const RowsView& rows);
  // Of what is done with the rows of a batch.
  struct Task {
    const RowsView& rows;
    bool updates;  // false: no new observation, only time has passed
    std::span<const Timestamp> edge_times;
    std::vector<Emission>& out;
  };
  // Calls f with the choices of each rule, in order.
  template <typename F>
  void for_each_rule(F f) {
    for (std::size_t begin = 0, end = 0; begin < choices_.size(); begin = end) {
      while (end < choices_.size() && choices_[end].rule == choices_[begin].rule) ++end;
      f(std::span<const RuleFinder::Found>(choices_).subspan(begin, end - begin));
    }
  }
  // One rule, for all that `choices` of it name.
  void evaluate(std::span<const RuleFinder::Found> choices, const Task& task);
  void run_all(LiveRule& rule, const Task& task);
  void run_some(LiveRule& rule, const Task& task);
  template <typename F>
  void run_some(const LiveRule& rule, const Task& task, F f);
  void add_remembered_rows(const LiveRule& rule, const RowsView& rows);
  // Of rows that count; `result` begins at `first`.
  void find_edges(LiveRule& rule, const Lane& result, std::size_t first, std::size_t count,
                  const RowsView& rows, std::span<const std::uint32_t> looked_at);
  void set_met(LiveRule& rule, std::uint32_t slot, bool met);
  void list(LiveRule& rule);
  void note_failure(LiveRule& rule, const RowsView& rows, std::uint32_t row);
  void emit(std::uint32_t index, const RowsView& rows, const Edge& edge, Timestamp at,
            std::vector<Emission>& out);
  void set_clock(Timestamp received_at);
  // The earliest deadline of all watches, and until when this watch's are the earliest.
  struct Next {
    Watch* watch = nullptr;
    Timestamp until;
  };
  Next next_watch(Timestamp now) const;
  // Of one watch, taken in order: expired_ and what belongs to it.
  void begin_expired();
  void take(Watch& watch, std::uint32_t slot, Timestamp deadline);
  void evaluate_expired(Watch& watch, const PresentReader& present, std::vector<Emission>& out);
  void expire(Watch& watch, Timestamp until, std::size_t slots_max, const PresentReader& present,
              std::vector<Emission>& out);

  const RuleSetPtr set_;
  Schema& schema_;
  const Clock* stopwatch_;
  std::vector<std::unique_ptr<LiveRule>> rules_;  // by RuleId
  std::vector<std::unique_ptr<Watch>> watches_;
  std::vector<TypeState> types_;  // by TypeId
  EntitySlots slots_of_;
  Timestamp last_arrival_ = Timestamp::min();
  Machine machine_;
  std::uint64_t batch_count_ = 0;
  RuleCapture* capture_ = nullptr;  // of the snapshot that is under way

  // Of the batch at work; kept for their memory.
  std::vector<std::uint32_t> slots_;
  std::vector<Timestamp> event_times_;
  std::vector<Edge> edges_;
  RuleFinder finder_;
  std::vector<RuleFinder::Found> choices_;  // in order of rule
  std::vector<std::uint32_t> some_rows_;
  std::vector<std::uint32_t> begun_;
  PresentRows present_rows_;
  std::vector<EntityId> expired_;
  std::vector<Timestamp> deadlines_;
  std::vector<std::uint32_t> all_rows_;
  struct Due {
    Timestamp deadline;
    std::uint32_t watch;
    std::uint32_t slot;
    auto operator<=>(const Due&) const = default;
  };
  std::vector<Due> due_;
};

}  // namespace ficus::rules
