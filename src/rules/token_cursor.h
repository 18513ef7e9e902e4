#pragma once

#include <fmt/format.h>

#include <span>
#include <string_view>

#include "rules/lexer.h"
#include "rules/problem.h"

namespace ficus::rules {

// A place in a list of tokens. REQUIRES: the list ends with TokenKind::end and outlives the cursor.
class TokenCursor {
 public:
  explicit TokenCursor(std::span<const Token> tokens) : tokens_(tokens) {}

  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[at_ + ahead < tokens_.size() ? at_ + ahead : tokens_.size() - 1];
  }
  const Token& take() {
    const Token& token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  std::size_t position() const { return at_; }
  std::uint32_t previous_end() const { return at_ == 0 ? 0 : tokens_[at_ - 1].end; }

  bool take_symbol(std::string_view symbol) {
    if (!peek().is_symbol(symbol)) return false;
    take();
    return true;
  }
  bool take_word(std::string_view keyword) {
    if (!peek().is_word(keyword)) return false;
    take();
    return true;
  }
  // "expected WHAT, found ..." at the current token.
  std::unexpected<Problem> expected(std::string_view what) const {
    return problem_at(peek().begin, fmt::format("expected {}, found {}", what, describe(peek())));
  }
  Parsed<void> expect_symbol(std::string_view symbol) {
    if (take_symbol(symbol)) return {};
    return expected(fmt::format("'{}'", symbol));
  }
  // `keyword` in lower case.
  Parsed<void> expect_word(std::string_view keyword);

 private:
  std::span<const Token> tokens_;
  std::size_t at_ = 0;
};

// Words that cannot be a bare name: "end" must be quoted to be an attribute.
bool is_reserved(const Token& token);

}  // namespace ficus::rules
