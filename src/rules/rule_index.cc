#include "rules/rule_index.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "base/check.h"
#include "rules/kernels.h"

namespace ficus::rules {
namespace {

// A column that is asked for fewer values than these is not worth a look at each row.
constexpr std::size_t kGroupValuesMin = 4;

// Numbers that are equal in DuckDB have the same.
std::uint64_t bits_of(double number) {
  if (std::isnan(number))
    return std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN());
  return std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number);
}

// A column as a guard names it.
using ColumnKey = std::tuple<ColumnSource, std::uint32_t, bool>;  // attribute, is text
ColumnKey column_of(const Guard& guard) {
  const bool is_id = guard.source == ColumnSource::id;
  return {guard.source, is_id ? 0 : guard.attribute.index(),
          guard.test == Guard::Test::one_of_texts};
}

}  // namespace

std::size_t RuleIndex::Bucket::rule_count() const {
  std::size_t count = rules.size();
  for (const Ladder& ladder : ladders) count += ladder.rungs.size();
  return count;
}

std::uint32_t RuleIndex::Group::bucket_of(std::string_view text) const {
  const auto found = texts_.find(text);
  return found == texts_.end() ? kNone : found->second;
}

std::uint32_t RuleIndex::Group::bucket_of(double number) const {
  const auto found = numbers_.find(bits_of(number));
  return found == numbers_.end() ? kNone : found->second;
}

// Chooses for each rule by which of its guards it is found: the value that the fewest rules ask
// for, then the limit of the column that is compared with the most limits.
class RuleIndexBuilder {
 public:
  RuleIndexBuilder(RuleIndex& index, std::span<const AttributeId> wanted)
      : index_(index), wanted_(wanted) {}

  void run(std::span<const RuleIndex::Entry> entries) {
    for (const RuleIndex::Entry& entry : entries) {
      for (const Guard& guard : entry.guards) count(guard);
    }
    for (const RuleIndex::Entry& entry : entries) {
      if (entry.guards.empty()) {
        index_.always_.push_back(entry.rule);
      } else {
        place(entry);
      }
    }
    for (RuleIndex::Bucket& bucket : index_.buckets_) {
      for (RuleIndex::Ladder& ladder : bucket.ladders) sort(ladder);
    }
  }

 private:
  struct Asked {
    std::map<std::string, std::size_t, std::less<>> texts;
    std::map<std::uint64_t, std::size_t> numbers;
    std::size_t count() const { return texts.size() + numbers.size(); }
  };
  using LimitKey = std::pair<ColumnKey, Guard::Test>;

  void count(const Guard& guard) {
    if (!guard.is_equality()) {
      limits_[{column_of(guard), guard.test}][bits_of(guard.limit)] = true;
      return;
    }
    Asked& asked = asked_[column_of(guard)];
    for (const std::string& text : guard.texts) ++asked.texts[text];
    for (const double number : guard.numbers) ++asked.numbers[bits_of(number)];
  }

  // With how many rules a rule shares the values of the guard.
  std::size_t crowd_of(const Guard& guard) const {
    const Asked& asked = asked_.at(column_of(guard));
    std::size_t crowd = 0;
    for (const std::string& text : guard.texts) crowd += asked.texts.at(text);
    for (const double number : guard.numbers) crowd += asked.numbers.at(bits_of(number));
    return crowd;
  }

  const Guard* best_equality(std::span<const Guard> guards) const {
    const Guard* best = nullptr;
    std::size_t best_crowd = 0;
    for (const Guard& guard : guards) {
      if (!guard.is_equality() || asked_.at(column_of(guard)).count() < kGroupValuesMin) continue;
      const std::size_t crowd = crowd_of(guard);
      if (best != nullptr && crowd >= best_crowd) continue;
      best = &guard;
      best_crowd = crowd;
    }
    return best;
  }

  const Guard* best_limit(std::span<const Guard> guards) const {
    const Guard* best = nullptr;
    std::size_t best_count = 0;
    for (const Guard& guard : guards) {
      if (guard.is_equality()) continue;
      const std::size_t limits = limits_.at({column_of(guard), guard.test}).size();
      if (limits <= best_count) continue;
      best = &guard;
      best_count = limits;
    }
    return best;
  }

  void place(const RuleIndex::Entry& entry) {
    const Guard* const equality = best_equality(entry.guards);
    const Guard* const limit = best_limit(entry.guards);
    if (equality == nullptr && limit == nullptr) {
      index_.always_.push_back(entry.rule);
      return;
    }
    if (index_.buckets_.empty()) index_.buckets_.emplace_back();  // kAllRows
    if (equality == nullptr) return add(RuleIndex::kAllRows, entry.rule, limit);
    const std::size_t group = group_of(*equality);
    std::vector<std::uint32_t> buckets;
    for (const std::string& text : equality->texts) {
      buckets.push_back(bucket_of(group, index_.groups_[group].texts_[text]));
    }
    for (const double number : equality->numbers) {
      buckets.push_back(bucket_of(group, index_.groups_[group].numbers_[bits_of(number)]));
    }
    std::ranges::sort(buckets);  // a list may name a value twice
    buckets.erase(std::ranges::unique(buckets).begin(), buckets.end());
    for (const std::uint32_t bucket : buckets) add(bucket, entry.rule, limit);
  }

  std::uint16_t position_of(const Guard& guard) const {
    if (guard.source == ColumnSource::id) return 0;
    const auto found = std::ranges::find(wanted_, guard.attribute);
    FICUS_CHECK(found != wanted_.end());
    return static_cast<std::uint16_t>(found - wanted_.begin());
  }

  std::size_t group_of(const Guard& guard) {
    const auto [known, is_new] = groups_.emplace(column_of(guard), index_.groups_.size());
    if (is_new) {
      index_.groups_.emplace_back(guard.source, position_of(guard),
                                  guard.test == Guard::Test::one_of_texts);
    }
    return known->second;
  }

  // `known` is 0 if there is none yet: that is kAllRows, which no value has.
  std::uint32_t bucket_of(std::size_t group, std::uint32_t& known) {
    if (known != 0) return known;
    known = static_cast<std::uint32_t>(index_.buckets_.size());
    index_.buckets_.emplace_back();
    index_.groups_[group].buckets_.push_back(known);
    return known;
  }

  void add(std::uint32_t bucket_index, std::uint32_t rule, const Guard* limit) {
    RuleIndex::Bucket& bucket = index_.buckets_[bucket_index];
    if (limit == nullptr) {
      bucket.rules.push_back(rule);
      return;
    }
    const bool is_at_least = limit->test == Guard::Test::at_least;
    const std::uint16_t position = position_of(*limit);
    auto ladder = std::ranges::find_if(bucket.ladders, [&](const RuleIndex::Ladder& candidate) {
      return candidate.position == position && candidate.is_at_least == is_at_least;
    });
    if (ladder == bucket.ladders.end()) {
      bucket.ladders.push_back({position, is_at_least, {}});
      ladder = bucket.ladders.end() - 1;
    }
    ladder->rungs.push_back({limit->limit, rule});
  }

  static void sort(RuleIndex::Ladder& ladder) {
    std::ranges::sort(ladder.rungs, [&](const auto& a, const auto& b) {
      return ladder.is_at_least ? number_less(a.limit, b.limit) != 0
                                : number_less(b.limit, a.limit) != 0;
    });
  }

  RuleIndex& index_;
  const std::span<const AttributeId> wanted_;
  std::map<ColumnKey, Asked> asked_;
  std::map<LimitKey, std::map<std::uint64_t, bool>> limits_;
  std::map<ColumnKey, std::size_t> groups_;
};

RuleIndex::RuleIndex(std::span<const Entry> entries, std::span<const AttributeId> wanted) {
  RuleIndexBuilder(*this, wanted).run(entries);
}

ValueRange range_of(const Column& column, std::span<const std::uint32_t> rows) {
  ValueRange range;
  const std::uint8_t* const valid = column.valid.data();
  const double* const numbers = column.numbers.data();
  for (const std::uint32_t row : rows) {
    if (valid[row] == 0) continue;
    const double value = numbers[row];
    if (range.is_empty) {
      range = {false, value, value};
      continue;
    }
    range.least = number_less(value, range.least) != 0 ? value : range.least;
    range.greatest = number_less(range.greatest, value) != 0 ? value : range.greatest;
  }
  return range;
}

std::size_t rungs_within(const RuleIndex::Ladder& ladder, const ValueRange& range) {
  if (range.is_empty) return 0;
  const auto may_be_met = [&](const RuleIndex::Rung& rung) {
    return ladder.is_at_least ? number_less_equal(rung.limit, range.greatest) != 0
                              : number_less_equal(range.least, rung.limit) != 0;
  };
  return static_cast<std::size_t>(std::ranges::partition_point(ladder.rungs, may_be_met) -
                                  ladder.rungs.begin());
}

}  // namespace ficus::rules
