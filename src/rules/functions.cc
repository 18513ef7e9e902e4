#include "rules/functions.h"

#include <algorithm>

namespace ficus::rules {
namespace {

using K = Kind;

constexpr FunctionInfo kFunctions[] = {
    {"abs", Opcode::absolute, K::number, 1, {K::number}, "abs(number)"},
    {"abs", Opcode::absolute, K::integer, 1, {K::integer}, "abs(number)"},
    {"round", Opcode::round, K::number, 1, {K::number}, "round(number[, digits])"},
    {"round", Opcode::round, K::integer, 1, {K::integer}, "round(number[, digits])"},
    {"round", Opcode::round_to, K::number, 2, {K::number, K::integer}, "round(number[, digits])"},
    {"round", Opcode::round_to, K::integer, 2, {K::integer, K::integer}, "round(number[, digits])"},
    {"floor", Opcode::floor, K::number, 1, {K::number}, "floor(number)"},
    {"ceil", Opcode::ceiling, K::number, 1, {K::number}, "ceil(number)"},
    {"ceiling", Opcode::ceiling, K::number, 1, {K::number}, "ceiling(number)"},
    {"sqrt", Opcode::square_root, K::number, 1, {K::number}, "sqrt(number)"},
    {"isnan", Opcode::is_nan, K::boolean, 1, {K::number}, "isnan(number)"},
    {"lower", Opcode::lower, K::text, 1, {K::text}, "lower(text)"},
    {"upper", Opcode::upper, K::text, 1, {K::text}, "upper(text)"},
    {"length", Opcode::length, K::integer, 1, {K::text}, "length(text)"},
    {"starts_with",
     Opcode::starts_with,
     K::boolean,
     2,
     {K::text, K::text},
     "starts_with(text, start)"},
    {"ends_with", Opcode::ends_with, K::boolean, 2, {K::text, K::text}, "ends_with(text, end)"},
    {"contains", Opcode::contains, K::boolean, 2, {K::text, K::text}, "contains(text, part)"},
    {"substring",
     Opcode::substring,
     K::text,
     2,
     {K::text, K::integer},
     "substring(text, from[, count])"},
    {"substring",
     Opcode::substring_for,
     K::text,
     3,
     {K::text, K::integer, K::integer},
     "substring(text, from[, count])"},
    {"substr", Opcode::substring, K::text, 2, {K::text, K::integer}, "substr(text, from[, count])"},
    {"substr",
     Opcode::substring_for,
     K::text,
     3,
     {K::text, K::integer, K::integer},
     "substr(text, from[, count])"},
    {"trim", Opcode::trim, K::text, 1, {K::text}, "trim(text[, characters])"},
    {"trim", Opcode::trim_of, K::text, 2, {K::text, K::text}, "trim(text[, characters])"},
    {"ltrim", Opcode::trim_left, K::text, 1, {K::text}, "ltrim(text[, characters])"},
    {"ltrim", Opcode::trim_left_of, K::text, 2, {K::text, K::text}, "ltrim(text[, characters])"},
    {"rtrim", Opcode::trim_right, K::text, 1, {K::text}, "rtrim(text[, characters])"},
    {"rtrim", Opcode::trim_right_of, K::text, 2, {K::text, K::text}, "rtrim(text[, characters])"},
    {"point",
     Opcode::make_point,
     K::point,
     2,
     {K::number, K::number},
     "point(longitude, latitude)"},
    {"distance", Opcode::distance, K::number, 2, {K::point, K::point}, "distance(point, point)"},
};

}  // namespace

std::vector<const FunctionInfo*> find_functions(std::string_view name) {
  std::vector<const FunctionInfo*> found;
  for (const FunctionInfo& function : kFunctions) {
    if (function.name == name) found.push_back(&function);
  }
  return found;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names = {"held",     "absent", "within", "zone",
                                    "coalesce", "nullif", "least",  "greatest"};
  for (const FunctionInfo& function : kFunctions) names.emplace_back(function.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace ficus::rules
