#pragma once

#include <string>
#include <vector>

#include "connect/suggest/guess.h"
#include "connect/suggest/shape.h"

namespace ficus::connect::suggest {

// Which values of an item are its id, its time, its position. Each marks what it takes as used and
// says why in `comments`.

struct IdRole {
  std::string text;  // of a template: "{$.station}", or "" if none was found
  bool is_whole_uri = false;
  std::vector<std::string> comments;
};
IdRole find_id(Shape& shape, const std::vector<std::string>& places);

struct TimeRole {
  std::string yaml;  // "$.t", "{path: ...}" or "received"
  std::vector<std::string> comments;
};
TimeRole find_time(Shape& shape, const std::string& zone, bool is_in_china);
// A value of a time that is not the observation's.
std::string time_yaml(const Leaf& leaf, const TimeGuess& guess, const std::string& zone);

struct PointRole {
  std::string name;
  std::string yaml;
  bool is_in_china = false;
  std::vector<std::string> comments;
};
// All positions of an item; the first is called `location`.
std::vector<PointRole> find_points(Shape& shape);

// A path or any other text as a scalar of YAML.
std::string quoted_yaml(std::string_view text);
// "40 of 42 items"
std::string share(std::uint64_t part, std::uint64_t whole);

}  // namespace ficus::connect::suggest
