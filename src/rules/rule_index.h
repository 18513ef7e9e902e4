#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "model/observation_batch.h"
#include "rules/guard.h"

namespace ficus::rules {

// Of the rules over one type: which of them may be met by a row. A city has thousands of rules that
// differ in a constant only (id = '...', speed > ...); a row needs to be shown to few of them.
//
// Rules that ask a column for a value lie in the bucket of that value, found by hashing; the others
// with a guard lie in the bucket of all rows. Inside of a bucket, rules that compare the same
// column with a limit stand on a ladder, sorted: the greatest (or least) value among the bucket's
// rows says how far up rules may be met. What has no guard is always(). Fixed once built; shared.
class RuleIndex {
 public:
  struct Rung {
    double limit;
    std::uint32_t rule;
  };
  // Rules with `column >= limit` in order of the limit, or with `column <= limit` in reverse.
  struct Ladder {
    std::uint16_t position;  // of the column among the wanted ones
    bool is_at_least;
    std::vector<Rung> rungs;
  };
  struct Bucket {
    std::vector<std::uint32_t> rules;  // on no ladder
    std::vector<Ladder> ladders;
    std::size_t rule_count() const;
  };
  static constexpr std::uint32_t kAllRows = 0;  // the bucket of all rows
  static constexpr std::uint32_t kNone = 0xffffffffU;

  // The values that rules ask one column for; `bucket_of` says which bucket has them, or kNone.
  class Group {
   public:
    Group(ColumnSource source, std::uint16_t position, bool is_text)
        : source_(source), position_(position), is_text_(is_text) {}
    bool is_id() const { return source_ == ColumnSource::id; }
    bool is_text() const { return is_text_; }
    std::uint16_t position() const { return position_; }  // means nothing for ids
    std::uint32_t bucket_of(std::string_view text) const;
    std::uint32_t bucket_of(double number) const;
    std::span<const std::uint32_t> buckets() const { return buckets_; }

   private:
    friend class RuleIndexBuilder;
    struct TextHash {
      using is_transparent = void;
      std::size_t operator()(std::string_view text) const { return hash64(text); }
    };
    ColumnSource source_;
    std::uint16_t position_;
    bool is_text_;
    std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> texts_;
    std::unordered_map<std::uint64_t, std::uint32_t> numbers_;  // by the bits of the number
    std::vector<std::uint32_t> buckets_;
  };

  // A rule as the index sees it.
  struct Entry {
    std::uint32_t rule;
    std::span<const Guard> guards;
  };
  RuleIndex() = default;
  // `wanted`: the attributes by the position of their columns.
  RuleIndex(std::span<const Entry> entries, std::span<const AttributeId> wanted);

  std::span<const std::uint32_t> always() const { return always_; }
  std::span<const Bucket> buckets() const { return buckets_; }
  std::span<const Group> groups() const { return groups_; }
  bool has_guards() const { return !buckets_.empty(); }

 private:
  friend class RuleIndexBuilder;
  std::vector<std::uint32_t> always_;
  std::vector<Bucket> buckets_;
  std::vector<Group> groups_;
};

// The least and the greatest of a column's values, in the order of DuckDB (NaN is the greatest).
struct ValueRange {
  bool is_empty = true;
  double least = 0;
  double greatest = 0;
};
ValueRange range_of(const Column& column, std::span<const std::uint32_t> rows);
// How many rules of the ladder, from its foot on, may be met by rows with values in the range.
std::size_t rungs_within(const RuleIndex::Ladder& ladder, const ValueRange& range);

}  // namespace ficus::rules
