#pragma once

#include <string>
#include <vector>

#include "rules/bound.h"

namespace ficus::rules {

// Something that must be true of a row for a rule to be met, simple enough to look rules up by it:
// one part of the AND at the top of its condition. Where the value is NULL it is not true.
struct Guard {
  enum class Test : std::uint8_t {
    one_of_texts,
    one_of_numbers,
    at_least,  // also for '>': a guard may let a row through that the rule then does not meet
    at_most,
  };
  static constexpr std::size_t kListMax = 64;  // a longer IN list is no guard

  Test test = Test::at_least;
  ColumnSource source = ColumnSource::attribute;  // or id, of texts
  AttributeId attribute;
  double limit = 0;
  std::vector<std::string> texts;
  std::vector<double> numbers;

  bool is_equality() const { return test == Test::one_of_texts || test == Test::one_of_numbers; }
};

// All guards of a condition. Of one with held(...), those of what is to be held: a row on which
// that is not true matters to entities only for which it was true before. None if every row has to
// be looked at: where an operation may fail, which is to be told whatever stands beside it, and
// where held(...) is used twice or deeper inside.
std::vector<Guard> guards_of(const Bound& condition);

}  // namespace ficus::rules
