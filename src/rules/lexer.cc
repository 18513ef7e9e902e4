#include "rules/lexer.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/result.h"
#include "base/utf8.h"

namespace ficus::rules {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// What input methods for Chinese put in the place of ASCII punctuation.
constexpr std::pair<std::string_view, std::string_view> kFullWidth[] = {
    {"，", ","}, {"；", ";"}, {"（", "("}, {"）", ")"}, {"‘", "'"},  {"’", "'"},
    {"“", "'"},  {"”", "'"},  {"＝", "="}, {"＞", ">"}, {"＜", "<"}, {"　", " "}};

// Longest first, so that "<=" is not read as "<".
constexpr std::string_view kSymbols[] = {"||", "<=", ">=", "<>", "!=", "==", "//",
                                         "::", "(",  ")",  ",",  ";",  ".",  "+",
                                         "-",  "*",  "/",  "%",  "<",  ">",  "="};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Parsed<std::vector<Token>> run() {
    std::vector<Token> tokens;
    do {
      if (const auto skipped = skip_blank(); !skipped) return std::unexpected(skipped.error());
      Token token;
      token.begin = static_cast<std::uint32_t>(at_);
      if (at_ < text_.size()) {
        if (const auto read = read_token(token); !read) return std::unexpected(read.error());
      }
      token.end = static_cast<std::uint32_t>(at_);
      tokens.push_back(std::move(token));
    } while (tokens.back().kind != TokenKind::end);
    return tokens;
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  std::unexpected<Problem> problem(std::size_t offset, std::string message) const {
    return problem_at(static_cast<std::uint32_t>(offset), std::move(message));
  }

  Parsed<void> skip_blank() {
    while (at_ < text_.size()) {
      if (is_space(peek())) {
        ++at_;
      } else if (peek() == '-' && peek(1) == '-') {
        while (at_ < text_.size() && peek() != '\n') ++at_;
      } else if (peek() == '/' && peek(1) == '*') {
        FICUS_TRY_VOID(skip_block_comment());
      } else {
        return {};
      }
    }
    return {};
  }

  // Block comments nest, as in the SQL standard and DuckDB.
  Parsed<void> skip_block_comment() {
    const std::size_t begin = at_;
    std::size_t depth = 0;
    do {
      if (peek() == '/' && peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (peek() == '*' && peek(1) == '/') {
        --depth;
        at_ += 2;
      } else if (at_ < text_.size()) {
        ++at_;
      } else {
        return problem(begin, "expected '*/' to end this comment, found the end of the text");
      }
    } while (depth > 0);
    return {};
  }

  Parsed<void> read_token(Token& token) {
    const char c = peek();
    if (is_letter(c)) {
      read_word(token);
      return {};
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return read_number(token);
    if (c == '\'') return read_quoted(token, TokenKind::string);
    if (c == '"') return read_quoted(token, TokenKind::quoted_name);
    for (const std::string_view symbol : kSymbols) {
      if (text_.substr(at_, symbol.size()) != symbol) continue;
      token.kind = TokenKind::symbol;
      token.text = symbol;
      at_ += symbol.size();
      return {};
    }
    return unexpected_character();
  }

  Parsed<void> unexpected_character() const {
    for (const auto& [wide, narrow] : kFullWidth) {
      if (text_.substr(at_, wide.size()) == wide) {
        return problem(
            at_, fmt::format("found the full-width character '{}': expected '{}'", wide, narrow));
      }
    }
    const auto byte = static_cast<unsigned char>(peek());
    if (byte < 0x20 || byte == 0x7f) {
      return problem(at_, fmt::format("unexpected control character 0x{:02x}", byte));
    }
    std::size_t length = 1;
    while ((static_cast<unsigned char>(peek(length)) & 0xc0U) == 0x80U) ++length;
    return problem(at_, fmt::format("unexpected character '{}': texts stand in 'single quotes'",
                                    text_.substr(at_, length)));
  }

  void read_word(Token& token) {
    token.kind = TokenKind::word;
    const std::size_t begin = at_;
    while (is_letter(peek()) || is_digit(peek())) ++at_;
    token.text = text_.substr(begin, at_ - begin);
  }

  // Digits, single underscores allowed between them (1_000_000); appends them without.
  bool read_digits(std::string& digits) {
    const std::size_t begin = at_;
    while (is_digit(peek()) || (peek() == '_' && at_ > begin && is_digit(peek(1)))) {
      if (peek() != '_') digits.push_back(peek());
      ++at_;
    }
    return at_ > begin;
  }

  Parsed<void> read_number(Token& token) {
    const std::size_t begin = at_;
    std::string digits;
    token.kind = TokenKind::integer;
    read_digits(digits);
    if (peek() == '.') {
      token.kind = TokenKind::number;
      digits.push_back('.');
      ++at_;
      read_digits(digits);
    }
    if (peek() == 'e' || peek() == 'E') {
      token.kind = TokenKind::number;
      digits.push_back('e');
      ++at_;
      if (peek() == '+' || peek() == '-') {
        if (peek() == '-') digits.push_back('-');
        ++at_;
      }
      if (!read_digits(digits)) return problem(begin, "expected digits after the exponent's 'e'");
    }
    if (is_letter(peek())) {
      return problem(at_, fmt::format("expected the end of the number, found '{}'", peek()));
    }
    token.text = text_.substr(begin, at_ - begin);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), token.number);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      return problem(begin, fmt::format("the number {} is out of range", token.text));
    }
    return {};
  }

  Parsed<void> read_quoted(Token& token, TokenKind kind) {
    const std::size_t begin = at_;
    const char quote = peek();
    token.kind = kind;
    ++at_;
    while (at_ < text_.size()) {
      if (peek() == quote) {
        ++at_;
        if (peek() != quote) return {};
      }
      token.text.push_back(peek());
      ++at_;
    }
    return problem(begin, fmt::format("expected {} to end this {}, found the end of the text",
                                      quote, kind == TokenKind::string ? "text" : "name"));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

bool Token::is_word(std::string_view keyword) const {
  if (kind != TokenKind::word || text.size() != keyword.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != keyword[i]) return false;
  }
  return true;
}

std::string describe(const Token& token) {
  constexpr std::size_t kShownMax = 40;
  if (token.kind == TokenKind::end) return "the end of the text";
  if (token.text.size() > kShownMax) return "a long text";
  return token.kind == TokenKind::string ? fmt::format("the text '{}'", token.text)
                                         : fmt::format("'{}'", token.text);
}

Parsed<std::vector<Token>> tokenize(std::string_view text) {
  if (!is_valid_utf8(text)) {
    std::uint32_t good = 0;  // where the first bad character begins
    for (std::uint32_t length = 1; length <= 4; ++length) {
      if (!is_valid_utf8(text.substr(good, length))) continue;
      good += length;
      length = 0;
    }
    return problem_at(good, "expected UTF-8, found a byte that is not");
  }
  return Lexer(text).run();
}

}  // namespace ficus::rules
