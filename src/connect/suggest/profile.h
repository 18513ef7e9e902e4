#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json/json_reader.h"

namespace ficus::connect::suggest {

// What was seen at one place of many samples. Bounded: further members of an object and further
// distinct values are counted, not kept.
struct Profile {
  static constexpr std::size_t kMembersMax = 400;
  static constexpr std::size_t kDistinctMax = 200;
  // Words get room beside the numbers, so that one "NA" after a thousand numbers is noticed.
  static constexpr std::size_t kDistinctWordsMax = 300;
  static constexpr std::size_t kTextBytesMax = 200;
  static constexpr int kDepthMax = 12;

  std::uint64_t seen = 0;  // times the place was there, null included
  std::uint64_t nulls = 0;
  std::uint64_t booleans = 0;
  std::uint64_t numbers = 0;
  std::uint64_t integers = 0;  // of the numbers
  std::uint64_t texts = 0;
  std::uint64_t objects = 0;
  std::uint64_t arrays = 0;

  // Of numbers, and of texts that are numbers as a whole.
  std::uint64_t numeric_texts = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  int decimals = 0;
  std::uint64_t rising = 0;  // by exactly one more than the one before: a row number
  double last = std::numeric_limits<double>::quiet_NaN();

  // Scalars as text, with how often each was seen.
  std::map<std::string, std::uint64_t> distinct;
  bool has_more_distinct = false;

  std::vector<std::string> names;  // of members, in the order of their first appearance
  std::map<std::string, std::unique_ptr<Profile>, std::less<>> members;
  std::uint64_t members_dropped = 0;
  std::unique_ptr<Profile> elements;  // of arrays, all positions together
  std::uint64_t element_count = 0;
  std::size_t length_min = std::numeric_limits<std::size_t>::max();
  std::size_t length_max = 0;
  double first_min = 0, first_max = 0, second_min = 0, second_max = 0;  // of pairs of numbers
  std::uint64_t pairs = 0;

  void add(json::JsonValue value, int depth = 0);

  std::uint64_t scalars() const { return booleans + numbers + texts; }
  std::uint64_t numeric() const { return numbers + numeric_texts; }
  const Profile* member(std::string_view name) const;

 private:
  void add_number(double value);
  void add_text(std::string_view text);
  void keep(std::string text, std::size_t limit);
  void add_array(json::JsonValue value, int depth);
  void add_object(json::JsonValue value, int depth);
};

// A text that is a decimal number as a whole.
bool read_decimal(std::string_view text, double& value, int& decimals);

}  // namespace ficus::connect::suggest
