#include "base/errno_text.h"

#include <cstring>

namespace ficus {

std::string errno_text(int error) {
  // std::strerror may give every thread the same buffer (C11, 7.24.6.2).
  if (const char* text = strerrordesc_np(error)) return text;
  return "error " + std::to_string(error);
}

}  // namespace ficus
