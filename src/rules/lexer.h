#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/problem.h"

namespace ficus::rules {

enum class TokenKind : std::uint8_t {
  word,         // keyword or name
  quoted_name,  // "name"
  integer,      // digits
  number,       // with a point or an exponent
  string,       // 'text'
  symbol,       // operator or punctuation
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::uint32_t begin = 0;  // bytes in the text
  std::uint32_t end = 0;
  std::string text;   // of a string or quoted name without quotes; otherwise as written
  double number = 0;  // of an integer or number

  bool is_symbol(std::string_view symbol) const {
    return kind == TokenKind::symbol && text == symbol;
  }
  // An unquoted word equal to `keyword` (given in lower case) in any case.
  bool is_word(std::string_view keyword) const;
};

// "end of text", "'speed'", ...: for messages.
std::string describe(const Token& token);

// Splits SQL text into tokens, the last of kind `end`. Skips spaces and comments.
Parsed<std::vector<Token>> tokenize(std::string_view text);

}  // namespace ficus::rules
