#include "rules/text_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/time_text.h"
#include "rules/unicode_case.h"

namespace ficus::rules {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

// Bytes of the character at the front; 1 for a byte that starts none.
std::size_t character_bytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t wanted = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  std::size_t bytes = 1;
  while (bytes < wanted && bytes < text.size() && is_continuation(text[bytes])) ++bytes;
  return bytes;
}

// The code point of one character as character_bytes cut it.
char32_t code_point(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return lead;
  char32_t code = lead & (0x7fU >> character.size());
  for (const char c : character.substr(1))
    code = (code << 6) | (static_cast<unsigned char>(c) & 0x3fU);
  return code;
}

void append_utf8(char32_t code, std::string& out) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (code >> 6)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (code >> 12)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | (code >> 18)));
    out.push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  }
}

// Unicode category Zs.
bool is_space(char32_t code) {
  return code == 0x20 || code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) ||
         code == 0x202f || code == 0x205f || code == 0x3000;
}

template <typename Unwanted>
std::string_view trim_where(std::string_view text, TrimSides sides, Unwanted unwanted) {
  while (sides != TrimSides::right && !text.empty()) {
    const std::size_t bytes = character_bytes(text);
    if (!unwanted(text.substr(0, bytes))) break;
    text.remove_prefix(bytes);
  }
  while (sides != TrimSides::left && !text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && is_continuation(text[begin]) && text.size() - begin < 4) --begin;
    if (!unwanted(text.substr(begin))) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

// The `count` characters after the first `skipped`.
std::string_view characters(std::string_view text, double skipped, double count) {
  std::size_t begin = 0;
  while (skipped >= 1 && begin < text.size()) {
    begin += character_bytes(text.substr(begin));
    --skipped;
  }
  std::size_t end = begin;
  while (count >= 1 && end < text.size()) {
    end += character_bytes(text.substr(end));
    --count;
  }
  return text.substr(begin, end - begin);
}

template <char32_t (*map)(char32_t)>
void append_mapped(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    const std::string_view character = text.substr(0, bytes);
    if (bytes == 1 && static_cast<unsigned char>(character[0]) >= 0x80) {
      out.append(character);  // not UTF-8
    } else {
      append_utf8(map(code_point(character)), out);
    }
    text.remove_prefix(bytes);
  }
}

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  });
}

}  // namespace

std::size_t text_length(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string_view text_substring(std::string_view text, double from, double count) {
  const auto length = static_cast<double>(text_length(text));
  // Positions as DuckDB resolves them: 0 lies before the first character, and a negative position
  // counts from the end; if that lies before the text, what lies before it is cut off.
  double begin = from > 0 ? from - 1 : from < 0 ? length + from : -1;
  double end = begin + count;
  if (count < 0) std::swap(begin, end);
  begin = std::clamp(begin, 0.0, length);
  end = std::clamp(end, 0.0, length);
  return characters(text, begin, end - begin);
}

std::string_view text_substring(std::string_view text, double from) {
  const auto length = static_cast<double>(text_length(text));
  const double begin = from > 0 ? from - 1 : from < 0 ? std::max(0.0, length + from) : 0;
  return characters(text, begin, length);
}

std::string_view text_trim(std::string_view text, TrimSides sides) {
  return trim_where(text, sides,
                    [](std::string_view character) { return is_space(code_point(character)); });
}

std::string_view text_trim(std::string_view text, std::string_view unwanted, TrimSides sides) {
  return trim_where(text, sides, [unwanted](std::string_view character) {
    for (std::string_view rest = unwanted; !rest.empty();) {
      const std::size_t bytes = character_bytes(rest);
      if (rest.substr(0, bytes) == character) return true;
      rest.remove_prefix(bytes);
    }
    return false;
  });
}

bool text_like(std::string_view text, std::string_view pattern, char escape) {
  // After each '%' only the last one is ever tried again: the part before it is settled.
  std::string_view retry_text;
  std::string_view retry_pattern;
  bool can_retry = false;
  while (true) {
    if (!pattern.empty() && pattern.front() == '%' && escape != '%') {
      pattern.remove_prefix(1);
      retry_text = text;
      retry_pattern = pattern;
      can_retry = true;
      continue;
    }
    if (text.empty() && pattern.empty()) return true;
    bool matches = false;
    if (!text.empty() && !pattern.empty()) {
      if (escape != 0 && pattern.front() == escape) {
        // An escape at the very end matches nothing.
        matches = pattern.size() > 1 && pattern[1] == text.front();
        if (matches) {
          pattern.remove_prefix(2);
          text.remove_prefix(1);
        }
      } else if (pattern.front() == '_') {
        matches = true;
        pattern.remove_prefix(1);
        text.remove_prefix(character_bytes(text));
      } else if (pattern.front() == text.front()) {
        matches = true;
        pattern.remove_prefix(1);
        text.remove_prefix(1);
      }
    }
    if (matches) continue;
    if (!can_retry || retry_text.empty()) return false;
    retry_text.remove_prefix(character_bytes(retry_text));
    text = retry_text;
    pattern = retry_pattern;
  }
}

void append_lower(std::string_view text, std::string& out) { append_mapped<to_lower>(text, out); }
void append_upper(std::string_view text, std::string& out) { append_mapped<to_upper>(text, out); }

void append_number(double number, std::string& out) {
  if (std::isnan(number)) {
    out.append("nan");
    return;
  }
  const std::size_t begin = out.size();
  fmt::format_to(std::back_inserter(out), "{}", number);
  if (!std::isinf(number) && out.find_first_of(".e", begin) == std::string::npos) out.append(".0");
}

void append_time(Timestamp time, std::string& out) {
  const CivilTime civil = to_civil(time);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02} {:02}:{:02}:{:02}", civil.year,
                 civil.month, civil.day, civil.hour, civil.minute, civil.second);
  if (civil.micros == 0) return;
  fmt::format_to(std::back_inserter(out), ".{:06}", civil.micros);
  while (out.back() == '0') out.pop_back();
}

std::optional<double> text_to_number(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  std::string digits;  // without the underscores that may stand between digits
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_digit = [&](std::size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '9';
    };
    if (text[i] == '_' && i > 0 && is_digit(i - 1) && is_digit(i + 1)) continue;
    digits.push_back(text[i]);
  }
  const char* begin = digits.c_str();
  const char* end = begin + digits.size();
  if (*begin == '+') ++begin;
  double number = 0;
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (error == std::errc::invalid_argument || stop != end) return std::nullopt;
  if (std::isnan(number) && digits.ends_with(')')) return std::nullopt;  // nan(...)
  // Too large or too small for a double: infinity or the nearest.
  if (error == std::errc::result_out_of_range) return std::strtod(begin, nullptr);
  return number;
}

std::optional<bool> text_to_boolean(std::string_view text) {
  for (const std::string_view word : {"true", "t", "yes", "y", "1"}) {
    if (equal_ignoring_case(text, word)) return true;
  }
  for (const std::string_view word : {"false", "f", "no", "n", "0"}) {
    if (equal_ignoring_case(text, word)) return false;
  }
  return std::nullopt;
}

}  // namespace ficus::rules
