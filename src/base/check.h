#pragma once

// A broken invariant ends the process with the place and the condition, in every build. Never used
// for input: outside bytes that are wrong are an Error (result.h).

namespace ficus {

[[noreturn]] void check_failed(const char* file, int line, const char* condition);

}  // namespace ficus

#define FICUS_CHECK(condition)                               \
  do {                                                       \
    if (!(condition)) [[unlikely]]                           \
      ::ficus::check_failed(__FILE__, __LINE__, #condition); \
  } while (false)

// Inside row loops: checked in dev and sanitizer builds only.
#ifdef FICUS_DEBUG_CHECKS
#define FICUS_DCHECK(condition) FICUS_CHECK(condition)
#else
#define FICUS_DCHECK(condition) \
  do {                          \
  } while (false)
#endif
