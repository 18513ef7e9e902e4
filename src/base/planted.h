#pragma once

// Bugs that were put in on purpose, to prove that the simulation finds them (tests/sim/prove). They
// are there only in a build with -DFICUS_PLANTED_BUGS=ON, one at a time, chosen by name; in every
// other build FICUS_PLANTED(name) is the constant false.

#ifdef FICUS_PLANTED_BUGS
#include <string_view>

namespace ficus {
bool is_planted(std::string_view name);
// Chooses the bug that is there from now on; empty: none. Before any work begins.
void plant(std::string_view name);
}  // namespace ficus

#define FICUS_PLANTED(name) (::ficus::is_planted(#name))
#else
#define FICUS_PLANTED(name) false
#endif
