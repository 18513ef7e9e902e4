#pragma once

#include <string>

namespace ficus {

// What the system's error number means, in English: "No such file or directory". Any thread.
std::string errno_text(int error);

}  // namespace ficus
