#pragma once

#include <string>
#include <vector>

#include "connect/suggest/roles.h"
#include "connect/suggest/shape.h"

namespace ficus::connect::suggest {

// A value that is neither id nor time nor position.
struct AttributeRole {
  std::string name;
  std::string kind;   // of types.yaml
  std::string unit;   // or ""
  std::string label;  // what the source calls it, if that is no name for an attribute
  std::string yaml;   // of sources.yaml
  std::vector<std::string> comments;
};

// All that is not used yet. `points` have taken their names already.
std::vector<AttributeRole> find_attributes(Shape& shape, const std::vector<PointRole>& points,
                                           const std::string& zone);

}  // namespace ficus::connect::suggest
