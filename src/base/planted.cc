#include "base/planted.h"

#ifdef FICUS_PLANTED_BUGS
#include <string>

namespace ficus {
namespace {

// Only in builds that are wrong on purpose: a choice for the whole process.
std::string& chosen() {
  static std::string name;
  return name;
}

}  // namespace

bool is_planted(std::string_view name) { return chosen() == name; }
void plant(std::string_view name) { chosen() = name; }

}  // namespace ficus
#endif
