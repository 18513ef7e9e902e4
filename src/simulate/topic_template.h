#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ficus::simulate {

// An MQTT topic with places for columns: "air/{station}/hour". A value.
class TopicTemplate {
 public:
  static Result<TopicTemplate> parse(std::string_view text);

  // Finds the places' columns; an unknown one is an error that lists those there are.
  Status bind(const std::vector<std::string>& columns);
  // REQUIRES: bound to the columns of these cells. What would break the level ('/', '+', '#', NUL)
  // becomes '_'; so does an empty cell.
  std::string fill(const std::vector<std::string>& cells) const;

 private:
  struct Piece {
    std::string text;  // literal, or the name of the column
    bool is_place = false;
    std::size_t column = 0;
  };
  std::vector<Piece> pieces_;
};

}  // namespace ficus::simulate
