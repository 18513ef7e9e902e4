#pragma once

namespace ficus::rules {

// Simple case mapping of one code point (Unicode, 4.2); itself if it has none.
char32_t to_lower(char32_t code);
char32_t to_upper(char32_t code);

}  // namespace ficus::rules
