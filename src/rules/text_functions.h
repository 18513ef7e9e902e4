#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

// What the text functions of the language do to one value. Texts are UTF-8; a position counts
// characters (code points). Bytes that are not UTF-8 count one character each.
namespace ficus::rules {

std::size_t text_length(std::string_view text);
// From character `from` (1 is the first, -1 the last), `count` characters; a negative count takes
// the characters before. As DuckDB's substring.
std::string_view text_substring(std::string_view text, double from, double count);
std::string_view text_substring(std::string_view text, double from);

enum class TrimSides : std::uint8_t { both, left, right };
// Without the space characters (Unicode category Zs) at its sides.
std::string_view text_trim(std::string_view text, TrimSides sides);
// Without the characters of `unwanted` at its sides.
std::string_view text_trim(std::string_view text, std::string_view unwanted, TrimSides sides);

// '%' stands for any text, '_' for one character; `escape` (0: none) before one of them takes it
// as it is.
bool text_like(std::string_view text, std::string_view pattern, char escape);

// Simple case mapping (Unicode, 4.2), character by character. Appends to `out`.
void append_lower(std::string_view text, std::string& out);
void append_upper(std::string_view text, std::string& out);

// As DuckDB casts to VARCHAR: the shortest digits that read back the same, "43.0", "1e+20", "inf".
void append_number(double number, std::string& out);
// "2026-01-31 08:15:00.25"
void append_time(Timestamp time, std::string& out);
// As DuckDB casts VARCHAR to DOUBLE and BOOLEAN; nothing if the text is none.
std::optional<double> text_to_number(std::string_view text);
std::optional<bool> text_to_boolean(std::string_view text);

}  // namespace ficus::rules
