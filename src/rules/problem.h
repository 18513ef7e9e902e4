#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace ficus::rules {

// What is wrong with a rule text, and where. Becomes "file:line:column: message" at the edge.
struct Problem {
  std::uint32_t offset = 0;  // byte in the file's text
  std::string message;
};

template <typename T>
using Parsed = std::expected<T, Problem>;

inline std::unexpected<Problem> problem_at(std::uint32_t offset, std::string message) {
  return std::unexpected(Problem{offset, std::move(message)});
}

// "rules.sql:3:18"; lines and columns count from 1, columns in characters.
std::string place(std::string_view file, std::string_view text, std::uint32_t offset);
std::uint32_t line_of(std::string_view text, std::uint32_t offset);

// The candidate nearest to `name` in spelling, if it is near enough to be a slip: ": did you mean
// 'speed'?"; otherwise empty.
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

}  // namespace ficus::rules
