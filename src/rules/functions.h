#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/kind.h"
#include "rules/opcode.h"

namespace ficus::rules {

// A function that is one strict instruction over operands of fixed kinds.
struct FunctionInfo {
  std::string_view name;
  Opcode op = Opcode::constant;
  Kind result = Kind::null;
  std::uint8_t parameter_count = 0;
  Kind parameters[3] = {};
  std::string_view usage;  // for messages
};

// Every function of this name; empty if there is none. Names are in lower case.
std::vector<const FunctionInfo*> find_functions(std::string_view name);
// The names of all functions, also of those that the binder treats specially (held, coalesce ...).
std::vector<std::string> function_names();

}  // namespace ficus::rules
