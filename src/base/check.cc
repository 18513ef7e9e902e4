#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace ficus {

void check_failed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "ficus: broken invariant at %s:%d: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace ficus
