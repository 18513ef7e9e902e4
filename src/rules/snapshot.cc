#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "rules/rule_book_impl.h"
#include "rules/rule_capture.h"
#include "rules/snapshot_format.h"

namespace ficus::rules {
namespace {

constexpr std::size_t kNameBytesMax = 120;

// Takes values off the front; remembers if the bytes ran out.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  std::uint64_t u64() { return number(8); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::int64_t i64() { return static_cast<std::int64_t>(number(8)); }
  std::string_view text(std::size_t bytes_max) {
    const std::uint32_t size = u32();
    return take(size <= bytes_max ? size : rest_.size() + 1);
  }
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  // A number of items of at least `item_bytes` each: more than can follow is a failure.
  std::uint32_t count(std::size_t item_bytes) {
    const std::uint32_t count = u32();
    if (count <= rest_.size() / item_bytes) return count;
    take(rest_.size() + 1);
    return 0;
  }

 private:
  std::uint64_t number(std::size_t size) {
    const std::string_view bytes = take(size);
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      v |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    return v;
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace

// Reads everything into lists of its own and checks it; only then touches the book.
class SnapshotReader {
 public:
  SnapshotReader(RuleBook::Impl& book, std::string_view bytes, const std::vector<RuleKey>* kept,
                 Timestamp now)
      : book_(book), in_(bytes), kept_(kept), now_(now) {}

  Result<RestoreReport> run() {
    if (in_.take(kMagic.size()) != kMagic) return corrupt("it does not begin with FRB1");
    last_arrival_ = in_.i64();
    if (!read_types()) return corrupt("the list of entities is damaged");
    if (!read_watches()) return corrupt("the list of absences is damaged");
    if (!read_rules()) return corrupt("the list of rules is damaged");
    if (in_.failed() || !in_.at_end()) return corrupt("its end is not where it should be");
    return install();
  }

 private:
  struct Seen {
    TypeId type;
    std::uint32_t slot = 0;
    std::int64_t newest = 0;
  };
  struct EntityTime {
    std::uint32_t entity;
    std::int64_t time;
  };
  struct WatchState {
    std::string type;
    std::int64_t interval = 0;
    std::vector<EntityTime> arrivals;
  };
  struct RuleState {
    std::string name;
    std::uint64_t token_hash = 0;
    std::vector<std::uint32_t> met;
    std::vector<std::vector<EntityTime>> held;
  };

  static std::unexpected<Error> corrupt(std::string_view what) {
    return fail(ErrorCode::corrupt,
                fmt::format("the snapshot of the rules cannot be read: {}", what));
  }

  // Entities of types that no rule reads any more are kept in no list: none() for their type.
  bool read_types() {
    const std::uint32_t type_count = in_.count(8);
    for (std::uint32_t t = 0; t < type_count; ++t) {
      const std::string_view name = in_.text(kNameBytesMax);
      const auto known = book_.schema_.find_type(name);
      const bool has_rules = known && known->index() < book_.types_.size() &&
                             !book_.types_[known->index()].rules.empty();
      const std::uint32_t count = in_.count(12);
      for (std::uint32_t slot = 0; slot < count; ++slot) {
        const std::uint32_t entity = in_.u32();
        const std::int64_t newest = in_.i64();
        if (entity >= book_.set_->compiled().limits.entities_max) return false;
        const auto [at, is_new] =
            entities_.emplace(entity, Seen{has_rules ? *known : TypeId::none(), slot, newest});
        if (!is_new) return false;
        if (has_rules) order_.push_back(entity);
      }
    }
    return !in_.failed();
  }

  bool read_watches() {
    const std::uint32_t count = in_.count(16);
    for (std::uint32_t w = 0; w < count; ++w) {
      WatchState& watch = watches_.emplace_back();
      watch.type = in_.text(kNameBytesMax);
      watch.interval = in_.i64();
      std::int64_t before = INT64_MIN;
      const std::uint32_t arrivals = in_.count(12);
      for (std::uint32_t i = 0; i < arrivals; ++i) {
        const EntityTime arrival{in_.u32(), in_.i64()};
        if (arrival.time < before) return false;
        if (!entities_.contains(arrival.entity)) return false;
        before = arrival.time;
        watch.arrivals.push_back(arrival);
      }
    }
    return !in_.failed();
  }

  bool read_rules() {
    const std::uint32_t count = in_.count(20);
    for (std::uint32_t r = 0; r < count; ++r) {
      RuleState& rule = rules_.emplace_back();
      rule.name = in_.text(kNameBytesMax);
      rule.token_hash = in_.u64();
      const std::uint32_t met = in_.count(4);
      for (std::uint32_t i = 0; i < met; ++i) {
        rule.met.push_back(in_.u32());
        if (!entities_.contains(rule.met.back())) return false;
      }
      const std::uint32_t held = in_.count(4);
      for (std::uint32_t h = 0; h < held; ++h) {
        if (!read_held(rule.held.emplace_back())) return false;
      }
    }
    return !in_.failed();
  }

  bool read_held(std::vector<EntityTime>& times) {
    const std::uint32_t count = in_.count(12);
    for (std::uint32_t i = 0; i < count; ++i) {
      const EntityTime since{in_.u32(), in_.i64()};
      const auto entity = entities_.find(since.entity);
      if (entity == entities_.end()) return false;
      if (since.time == HeldState::kNotTrue || since.time > entity->second.newest) return false;
      times.push_back(since);
    }
    return true;
  }

  // The slot of an entity, if it is of this type.
  std::optional<std::uint32_t> slot_of(std::uint32_t entity, TypeId type) const {
    const auto found = entities_.find(entity);
    if (found == entities_.end() || found->second.type != type) return std::nullopt;
    return found->second.slot;
  }

  // Whether every entity that the snapshot names for a rule over `type` is of that type.
  bool fits(const RuleState& state, const LiveRule& rule) const {
    if (state.held.size() != rule.held.size()) return false;
    const TypeId type = rule.compiled.info.from;
    const auto is_of_type = [&](std::uint32_t entity) { return slot_of(entity, type).has_value(); };
    return std::ranges::all_of(state.met, is_of_type) &&
           std::ranges::all_of(state.held, [&](const std::vector<EntityTime>& times) {
             return std::ranges::all_of(times, is_of_type, &EntityTime::entity);
           });
  }

  Result<RestoreReport> install() {
    RestoreReport report;
    std::vector<std::pair<LiveRule*, const RuleState*>> matches;
    for (const RuleState& state : rules_) {
      report.keys.push_back({state.name, state.token_hash});
      if (kept_ != nullptr && std::ranges::find(*kept_, report.keys.back()) == kept_->end()) {
        continue;
      }
      const auto rule = std::ranges::find_if(book_.rules_, [&](const auto& candidate) {
        return candidate->compiled.info.name == state.name;
      });
      const bool gone = rule == book_.rules_.end();
      if (gone || (*rule)->compiled.token_hash != state.token_hash) {
        report.dropped.push_back(fmt::format("{}: {}, was met for {} entities", state.name,
                                             gone ? "is gone" : "has changed", state.met.size()));
        continue;
      }
      if (!fits(state, **rule)) return corrupt("a rule's state is of entities of another type");
      matches.emplace_back(rule->get(), &state);
    }
    std::ranges::sort(report.keys);
    if (!arrivals_fit()) return corrupt("an absence is of entities of another type");
    for (const std::uint32_t entity : order_) {
      const Seen& seen = entities_.at(entity);
      book_.slots_of_.slot_of(seen.type, EntityId(entity));
      book_.types_[seen.type.index()].newest.push_back({seen.newest});
    }
    book_.last_arrival_ = std::max(Timestamp{last_arrival_}, now_);
    for (const auto& [rule, state] : matches) restore(*rule, *state);
    for (const auto& watch : book_.watches_) restore(*watch);
    report.restored = matches.size();
    return report;
  }

  bool arrivals_fit() const {
    for (const auto& watch : book_.watches_) {
      const WatchState* state = state_of(*watch);
      if (state == nullptr) continue;
      for (const EntityTime& arrival : state->arrivals) {
        if (!slot_of(arrival.entity, watch->type)) return false;
      }
    }
    return true;
  }

  const WatchState* state_of(const Watch& watch) const {
    for (const WatchState& state : watches_) {
      if (state.interval == watch.tracker.interval().count &&
          state.type == book_.schema_.type_name(watch.type)) {
        return &state;
      }
    }
    return nullptr;
  }

  void restore(LiveRule& rule, const RuleState& state) {
    const TypeId type = rule.compiled.info.from;
    for (const std::uint32_t entity : state.met) {
      const std::uint32_t slot = *slot_of(entity, type);
      rule.figures.entities_met += rule.met.test(slot) ? 0 : 1;
      rule.met.set(slot, true);
    }
    for (std::size_t h = 0; h < state.held.size(); ++h) {
      for (const EntityTime& since : state.held[h]) {
        rule.held[h].restore(*slot_of(since.entity, type), since.time);
      }
    }
  }

  // Entities that were absent wait again: the next advance() finds their deadlines passed, which
  // changes nothing for rules that know it and tells those that are new.
  void restore(Watch& watch) {
    if (const WatchState* state = state_of(watch)) {
      for (const EntityTime& arrival : state->arrivals) {
        watch.tracker.arrived(*slot_of(arrival.entity, watch.type), {arrival.time});
      }
      return;
    }
    // A new absence: as far as it knows, all known entities were heard just now.
    const std::size_t count = book_.slots_of_.entities(watch.type).size();
    for (std::uint32_t slot = 0; slot < count; ++slot) {
      watch.tracker.arrived(slot, book_.last_arrival_);
    }
  }

  RuleBook::Impl& book_;
  ByteReader in_;
  const std::vector<RuleKey>* const kept_;  // null: all
  const Timestamp now_;
  std::int64_t last_arrival_ = 0;
  std::unordered_map<std::uint32_t, Seen> entities_;
  std::vector<std::uint32_t> order_;  // entities by type and slot
  std::vector<WatchState> watches_;
  std::vector<RuleState> rules_;
};

void RuleBook::Impl::encode(std::string& out) const {
  RuleCapture capture(*this);
  capture.keep_all();
  capture.encode(out);
}

Result<RestoreReport> RuleBook::Impl::decode(std::string_view bytes,
                                             const std::vector<RuleKey>* kept, Timestamp now) {
  FICUS_CHECK(last_arrival_ == Timestamp::min());  // nothing observed yet
  return SnapshotReader(*this, bytes, kept, now).run();
}

}  // namespace ficus::rules
