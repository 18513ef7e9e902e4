#pragma once

#include <string>

namespace ficus {

// What people call a thing, in both languages of the page. Empty where not given.
struct Label {
  std::string zh;
  std::string en;

  friend bool operator==(const Label&, const Label&) = default;
};

}  // namespace ficus
