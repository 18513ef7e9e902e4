#pragma once

#include <string_view>

namespace ficus::connect {

// Whether the text begins as a URI does: a scheme and ':' (RFC 3986, 3.1), and something behind it.
constexpr bool has_scheme(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == text.size()) return false;
  for (std::size_t i = 0; i < colon; ++i) {
    const char c = text[i];
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool is_other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!is_letter && (i == 0 || !is_other)) return false;
  }
  return true;
}

}  // namespace ficus::connect
