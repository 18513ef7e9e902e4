#pragma once

#include <cstddef>
#include <string_view>

namespace ficus {

// Well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing above
// U+10FFFF.
bool is_valid_utf8(std::string_view text);

// The longest beginning of well-formed text that has at most so many bytes and cuts no character.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max);

}  // namespace ficus
